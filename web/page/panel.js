// The panel at the side of a call, with its tabs: chat and people.

import { byId } from './dom.js';

const TABS = { chat: 'chat-open', people: 'count' };

export class Panel {
  #open = null; #changed; #aborted = new AbortController();

  /** `changed(tab)` is told what is open now, or null. */
  constructor(changed) {
    this.#changed = changed;
    const { signal } = this.#aborted;
    for (const [tab, opener] of Object.entries(TABS)) {
      byId(opener).addEventListener('click', () => this.toggle(tab), { signal });
      byId(`tab-${tab}`).addEventListener('click', () => this.show(tab), { signal });
    }
    byId('panel-close').addEventListener('click', () => this.show(null), { signal });
    byId('panel').addEventListener('keydown', (event) => this.#key(event), { signal });
    this.show(null);
  }

  close() {
    this.show(null);
    this.#aborted.abort();
  }

  get open() {
    return this.#open;
  }

  toggle(tab) {
    this.show(this.#open === tab ? null : tab);
  }

  show(tab) {
    const before = this.#open;
    this.#open = tab;
    byId('panel').hidden = tab === null;
    byId('call').dataset.panel = tab ?? '';
    for (const [one, opener] of Object.entries(TABS)) {
      byId(one).hidden = one !== tab;
      byId(opener).setAttribute('aria-expanded', String(one === tab));
      byId(`tab-${one}`).setAttribute('aria-selected', String(one === tab));
      byId(`tab-${one}`).tabIndex = one === tab ? 0 : -1;
    }
    if (tab === 'chat') byId('chat-input').focus();
    else if (tab) byId(`tab-${tab}`).focus();
    else if (before) byId(TABS[before]).focus();
    this.#changed(tab);
  }

  // Escape closes; the arrows go from tab to tab, as tabs do.
  #key(event) {
    if (event.key === 'Escape') return this.show(null);
    if (!['ArrowLeft', 'ArrowRight'].includes(event.key) || !event.target.matches('[role="tab"]')) return undefined;
    const tabs = Object.keys(TABS);
    const next = tabs[(tabs.indexOf(this.#open) + 1) % tabs.length];
    this.show(next);
    return byId(`tab-${next}`).focus();
  }
}
