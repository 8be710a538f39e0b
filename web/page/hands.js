// Raised hands: the kept topic `hands` holds who raised one, in their order, so that late joiners see them too.
//
// Everyone writes the whole list. Where two write at once the later one stands, and whose hand is missing in it writes again.

const TOPIC = 'hands';
const AGAIN_MS = 400;

export class Hands {
  #room; #changed; #wish = false; #timer = 0; #aborted = new AbortController();

  /** `changed(id)` is called when hands went up or down; `id` is whose hand went up. */
  constructor(room, changed) {
    this.#room = room;
    this.#changed = changed;
    room.addEventListener('message', (event) => event.topic === TOPIC && this.#heard(event), { signal: this.#aborted.signal });
  }

  close() {
    clearTimeout(this.#timer);
    this.#aborted.abort();
  }

  /** Ids of those who raised a hand and are here, the first one first. */
  get raised() {
    const list = this.#room.kept.get(TOPIC)?.data?.raised;
    return Array.isArray(list) ? list.filter((id) => this.#room.participant(id)) : [];
  }

  isRaised(id) {
    return this.raised.includes(id);
  }

  /** Raises the own hand, or lowers it. */
  async toggle() {
    const you = this.#room.you.id;
    this.#wish = !this.isRaised(you);
    await this.#write(this.#wish ? [...this.raised, you] : this.raised.filter((id) => id !== you));
  }

  /** Lowers somebody else's hand. */
  async lower(id) {
    await this.#write(this.raised.filter((one) => one !== id), id);
  }

  async #write(raised, lowered) {
    await this.#room.send(TOPIC, { raised, ...(lowered ? { lowered } : {}) }, { keep: true });
    this.#changed(null);
  }

  #heard({ from, data }) {
    const you = this.#room.you.id;
    if (data?.lowered === you) this.#wish = false;
    clearTimeout(this.#timer);
    if (this.#wish && !this.isRaised(you)) {
      this.#timer = setTimeout(() => {
        if (this.#wish && !this.isRaised(you)) this.#write([...this.raised, you]).catch(() => {});
      }, Math.random() * AGAIN_MS);
    }
    this.#changed(this.isRaised(from.id) && data?.raised?.at(-1) === from.id ? from.id : null);
  }
}
