// The panel that says in words what way media takes, and how well it goes.

import { byId, element, wireDialog } from './dom.js';
import { rate, reasons } from './slow.js';
import { WORDS, grade, pathSentence, pathWords } from './words.js';

const REFRESH_MS = 2_000;
/** While there is no way for media yet. */
const IMPATIENT_MS = 400;

export class Details {
  #room; #isEncrypted; #onstats; #timer; #aborted = new AbortController();

  /** `onstats` gets each new reading, for the tiles. */
  constructor(room, isEncrypted, onstats) {
    this.#room = room;
    this.#isEncrypted = isEncrypted;
    this.#onstats = onstats;
    const { signal } = this.#aborted;
    byId('path').addEventListener('click', () => byId('details').showModal(), { signal });
    wireDialog('details', signal);
    this.#watch();
  }

  close() {
    clearTimeout(this.#timer);
    this.#aborted.abort();
  }

  async #watch() {
    const isConnected = await this.#refresh();
    if (!this.#aborted.signal.aborted) this.#timer = setTimeout(() => this.#watch(), isConnected ? REFRESH_MS : IMPATIENT_MS);
  }

  /** Whether media has found a way. */
  async #refresh() {
    const stats = await this.#room.stats().catch(() => null);
    if (!stats || this.#aborted.signal.aborted) return false;
    this.#onstats(stats);
    const best = stats.connections.find((one) => one.path) ?? null;
    const grades = this.#grades();
    const chip = byId('path');
    chip.dataset.quality = grades.includes('lost') ? 'lost' : grades.includes('poor') ? 'poor' : best ? 'good' : '';
    byId('path-words').textContent = stats.connections.length === 0 ? WORDS.alone[this.#room.mode] : pathWords(worst(stats));
    byId('details-summary').textContent = stats.connections.length === 0 ? WORDS.noneYet : `${pathSentence(worst(stats))}${this.#isEncrypted ? ` ${WORDS.pathSentence.encrypted}` : ''}`;
    const found = reasons(this.#room, stats);
    byId('details-reasons').hidden = found.length === 0;
    byId('details-reasons').replaceChildren(...found.map((textContent) => element('li', { textContent })));
    byId('details-list').replaceChildren(...this.#rows(stats));
    return best !== null;
  }

  #grades() {
    const everyone = [this.#room.you, ...this.#room.participants];
    return everyone.map((one) => grade(one.quality, one.connection)).filter(Boolean);
  }

  #rows(stats) {
    // Whoever came while the statistics were read is in the next ones.
    const known = this.#room.participants.filter((participant) => stats.participants[participant.id]);
    const rows = known.map((participant) => {
      const one = stats.participants[participant.id];
      const { numbers: say } = WORDS;
      const numbers = [
        one.rttMs !== undefined && this.#room.mode === 'mesh' ? say.roundTrip(Math.round(one.rttMs)) : null,
        one.bitsPerSecond ? say.received(rate(one.bitsPerSecond)) : null,
        picture(one.publications.camera ?? one.publications.screen),
        one.lossIn > 0.005 ? say.loss(Math.round(one.lossIn * 100)) : null,
      ];
      return row(participant.name || WORDS.guest, pathWords(one.path), grade(participant.quality, participant.connection), numbers);
    });
    const sent = Object.values(stats.sent).reduce((sum, one) => sum + one.bitsPerSecond, 0);
    const server = stats.connections.find((one) => one.participant === null);
    const own = [
      sent ? WORDS.numbers.sent(rate(sent)) : null,
      picture(stats.sent.camera),
      server?.rttMs === undefined ? null : WORDS.numbers.toServer(Math.round(server.rttMs)),
      stats.signalingRttMs === undefined || server ? null : WORDS.numbers.signaling(Math.round(stats.signalingRttMs)),
    ];
    return [row(WORDS.you, '', grade(this.#room.you.quality, 'connected'), own), ...rows];
  }
}

function row(name, path, quality, numbers) {
  return element(
    'li',
    { data: { quality: quality ?? '' } },
    element('div', { className: 'row-head' }, element('strong', { textContent: name }), element('span', { textContent: [path, WORDS[quality]].filter(Boolean).join(' · ') })),
    element('small', { textContent: numbers.filter(Boolean).join(' · ') || '–' }),
  );
}

// The path that says most about the call: one through a relay before one that is direct.
function worst(stats) {
  const paths = stats.connections.map((one) => one.path).filter(Boolean);
  return paths.find((one) => one.relayed) ?? paths[0] ?? null;
}

function picture(video) {
  return video?.height ? `${video.width}×${video.height}` : null;
}
