// The speaker view: one tile is large, the others stand beside it. Large is whom somebody pinned, else who speaks.

import { byId, remember, remembered, setToggle } from './dom.js';
import { WORDS } from './words.js';

const KEY = 'layout';
/** Who begins to speak is not shown large before the one before had so long. */
const AT_LEAST_MS = 1_500;

export class Focus {
  #room; #tiles; #changed; #pinned = null; #shown = null; #since = 0; #on; #aborted = new AbortController();

  /** `tiles()` gives the tiles by participant's id; `changed` is called when sizes may have changed. */
  constructor(room, tiles, changed) {
    this.#room = room;
    this.#tiles = tiles;
    this.#changed = changed;
    this.#on = remembered(KEY) === 'speaker';
    const { signal } = this.#aborted;
    byId('layout').addEventListener('click', () => this.toggle(), { signal });
    room.addEventListener('speakers', () => this.update(), { signal });
    this.update();
  }

  close() {
    this.#aborted.abort();
    delete byId('stage').dataset.focus;
  }

  toggle() {
    this.#on = !this.#on;
    this.#pinned = null;
    remember(KEY, this.#on ? 'speaker' : 'grid');
    this.update();
  }

  /** Keeps somebody large, or nobody any more. */
  pin(id) {
    this.#pinned = this.#pinned === id ? null : id;
    this.#on ||= this.#pinned !== null;
    this.update();
  }

  update() {
    const tiles = this.#tiles();
    if (!tiles.has(this.#pinned)) this.#pinned = null;
    const isOn = this.#on && tiles.size > 1 && byId('screens').childElementCount === 0;
    const focused = isOn ? this.#choose(tiles) : null;
    if (isOn) byId('stage').dataset.focus = focused;
    else delete byId('stage').dataset.focus;
    for (const [id, tile] of tiles) tile.setFocus(id === focused, id === this.#pinned);
    setToggle(byId('layout'), this.#on, this.#on ? 'speaker' : 'grid', this.#on ? WORDS.gridView : WORDS.speakerView);
    byId('layout').disabled = tiles.size < 2;
    if (this.#shown === focused) return;
    this.#shown = focused;
    this.#since = performance.now();
    this.#changed();
  }

  // Pinned, then the one who is shown as long as it speaks, then the first who speaks, then anyone else than oneself.
  #choose(tiles) {
    if (this.#pinned) return this.#pinned;
    const before = tiles.has(this.#shown) ? this.#room.participant(this.#shown) : null;
    if (before && (before.speaking || performance.now() - this.#since < AT_LEAST_MS)) return before.id;
    const others = this.#room.participants.filter((one) => tiles.has(one.id));
    return (others.find((one) => one.speaking) ?? before ?? others[0] ?? this.#room.you).id;
  }
}
