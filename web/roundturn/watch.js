// Peer to peer nobody in the middle tells who speaks and how well it goes, so the client measures it.

const SPEAKERS_MS = 250;
const QUALITY_MS = 3_000;
/** Quieter than this, in decibels of full scale, is not speech. */
const SPEECH_DB = -50;
/** Speakers stay so for a moment: speech has gaps. */
const HOLD_MS = 600;
const LOSS_POOR = 0.05;
const RTT_POOR_MS = 400;

export class Watch {
  #context; #connections; #timers; #spokeAt = new Map(); #told = '';

  constructor(context, connections) {
    this.#context = context;
    this.#connections = connections;
    this.#timers = [
      setInterval(() => this.#speakers(), SPEAKERS_MS),
      setInterval(() => this.#quality().catch(() => {}), QUALITY_MS),
    ];
  }

  stop() {
    this.#timers.forEach(clearInterval);
  }

  #speakers() {
    const now = performance.now();
    const speakers = [];
    for (const [id, connection] of this.#connections()) {
      const participant = this.#context.room.participant(id);
      if (!participant) continue;
      const levelDb = connection.connectionState === 'connected' ? loudest(connection) : -Infinity;
      if (levelDb > SPEECH_DB) this.#spokeAt.set(participant, now);
      if (now - (this.#spokeAt.get(participant) ?? -Infinity) < HOLD_MS) speakers.push({ participant, levelDb });
      participant.speaking = speakers.at(-1)?.participant === participant;
    }
    speakers.sort((a, b) => b.levelDb - a.levelDb);
    const told = speakers.map((one) => one.participant.id).join();
    if (told !== this.#told) this.#context.emit('speakers', { speakers });
    this.#told = told;
  }

  async #quality() {
    const { participants } = await this.#context.room.stats();
    for (const [id, one] of Object.entries(participants)) {
      const participant = this.#context.room.participant(id);
      if (!participant || !one.path) continue;
      const lost = participant.connection !== 'connected';
      const grade = (loss) => (lost ? 'lost' : loss > LOSS_POOR || one.rttMs > RTT_POOR_MS ? 'poor' : 'good');
      const path = one.path.via === 'relay' ? 'relay' : one.path.protocol;
      const quality = { up: grade(one.lossOut), down: grade(one.lossIn), path };
      if (JSON.stringify(quality) === JSON.stringify(participant.quality)) continue;
      participant.quality = quality;
      this.#context.emit('quality', { participant, ...quality });
    }
  }
}

function loudest(connection) {
  const levels = connection.getReceivers().filter((one) => one.track.kind === 'audio')
    .flatMap((one) => one.getSynchronizationSources()).map((one) => one.audioLevel ?? 0);
  return 20 * Math.log10(Math.max(0, ...levels));
}
