// Music in step: the topic `music` keeps what is played and since when, by the server's clock; everyone follows it.

const TOPIC = 'music';
const FOLLOW_MS = 100;
/** Further off than this it jumps; below that it plays a little faster or slower, which nobody hears. */
const JUMP_SECONDS = 0.3;
const MOST = 0.05;

export class Music {
  #room; #sound; #timer;

  constructor(room, sound) {
    this.#room = room;
    this.#sound = sound;
    this.#timer = setInterval(() => this.#follow(), FOLLOW_MS);
    room.addEventListener('state', ({ state }) => state === 'closed' && clearInterval(this.#timer));
  }

  /** Fetched whole, so that every place in it is there at once. */
  async load(url) {
    this.#sound.src = URL.createObjectURL(await (await fetch(url)).blob());
  }

  play() {
    return this.#tell('play');
  }

  pause() {
    return this.#tell('pause');
  }

  /** Where the music should be now, in seconds. */
  get position() {
    const kept = this.#room.kept.get(TOPIC);
    if (!kept) return 0;
    const { data, at } = kept;
    return data.position + (data.op === 'play' ? (this.#room.serverTime() - at) / 1000 : 0);
  }

  #tell(op) {
    return this.#room.send(TOPIC, { op, position: this.position }, { keep: true, echo: true });
  }

  #follow() {
    const kept = this.#room.kept.get(TOPIC);
    if (!kept || !this.#sound.duration) return;
    if (kept.data.op !== 'play') {
      this.#sound.pause();
      return;
    }
    if (this.#sound.paused) this.#sound.play().catch(() => {});
    const target = this.position % this.#sound.duration;
    const behind = target - this.#sound.currentTime;
    if (Math.abs(behind) > JUMP_SECONDS) {
      this.#sound.currentTime = target;
      this.#sound.playbackRate = 1;
    } else {
      this.#sound.playbackRate = 1 + Math.max(-MOST, Math.min(MOST, behind));
    }
  }
}
