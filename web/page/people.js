// Who is here, and for moderators what they may do about it.

import { byId, element, hue, icon, initials, label, toast } from './dom.js';
import { WORDS } from './words.js';

export class People {
  #room; #hands; #shown = ''; #aborted = new AbortController();

  constructor(room, hands) {
    this.#room = room;
    this.#hands = hands;
    const { signal } = this.#aborted;
    byId('lock').addEventListener('click', () => this.#moderate(room.info.locked ? 'unlock' : 'lock'), { signal });
    byId('end-all').addEventListener('click', () => confirm(WORDS.endSure) && this.#moderate('end'), { signal });
    room.addEventListener('room-changed', () => {
      toast(room.info.locked ? WORDS.locked : WORDS.unlocked);
      this.render();
    }, { signal });
    this.render();
  }

  close() {
    this.#aborted.abort();
    byId('people-list').replaceChildren();
    byId('locked').hidden = true;
  }

  render() {
    const room = this.#room;
    byId('room-actions').hidden = !this.#mayModerate;
    byId('lock').setAttribute('aria-pressed', String(Boolean(room.info.locked)));
    label(byId('lock'), room.info.locked ? WORDS.unlockRoom : WORDS.lockRoom);
    byId('locked').hidden = !room.info.locked;
    label(byId('locked'), WORDS.locked);
    const order = this.#hands.raised;
    const place = (one) => (order.includes(one.id) ? order.indexOf(one.id) : order.length);
    const everyone = [room.you, ...room.participants].sort((one, other) => place(one) - place(other));
    const rows = everyone.map((one) => this.#facts(one));
    // Nobody's button goes away under the finger because somebody spoke.
    const shown = JSON.stringify(rows.map(({ participant, ...facts }) => facts));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = document.activeElement?.dataset.action;
    byId('people-list').replaceChildren(...rows.map((one) => this.#row(one)));
    // What had the focus has it again, as long as it is there.
    if (focused) byId('people-list').querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus();
  }

  get #mayModerate() {
    return this.#room.you.grants.includes('moderate');
  }

  #facts(participant) {
    const { id } = participant;
    const microphone = participant.publications.get('microphone');
    const moderated = this.#mayModerate && !participant.isYou;
    return {
      participant, id, name: participant.name || WORDS.guest, isYou: participant.isYou, moderated,
      silent: !microphone || microphone.muted, isRaised: this.#hands.isRaised(id),
    };
  }

  #row({ participant, id, name, isYou, moderated, silent, isRaised }) {
    const avatar = element('span', { className: 'avatar', ariaHidden: 'true', textContent: initials(name) });
    avatar.style.setProperty('--hue', hue(name));
    const words = [
      isYou ? WORDS.youAfterName : null,
      isYou && this.#mayModerate ? WORDS.moderator : null,
      isRaised ? WORDS.raised : null,
      silent ? WORDS.muted : null,
    ];
    return element(
      'li',
      { data: { person: id } },
      avatar,
      element('span', { className: 'person' }, element('strong', { textContent: name, dir: 'auto' }), element('small', { textContent: words.filter(Boolean).join(' · ') })),
      ...(moderated ? this.#actions(participant, name, { silent, isRaised }) : []),
    );
  }

  #actions(participant, name, { silent, isRaised }) {
    const { id } = participant;
    const action = (kind, symbol, words, act) => {
      const button = element('button', { type: 'button', className: 'round plain', onclick: act, data: { action: `${kind} ${id}` } }, icon(symbol));
      label(button, words);
      return button;
    };
    return [
      isRaised ? action('lower', 'hand', WORDS.lowerHand, () => this.#hands.lower(id).catch((error) => toast(error.message))) : null,
      // Peer to peer nobody but oneself can mute.
      !silent && this.#room.mode === 'sfu' ? action('mute', 'mic-off', WORDS.muteOther(name), () => this.#mute(participant)) : null,
      action('remove', 'remove', WORDS.removeOther(name), () => confirm(WORDS.removeSure(name)) && this.#moderate('remove', { participant: id })),
    ];
  }

  #mute(participant) {
    const microphone = participant.publications.get('microphone');
    return this.#moderate('mute', { participant: participant.id, ...(microphone?.id ? { track: microphone.id } : {}) });
  }

  async #moderate(action, fields) {
    try {
      await this.#room.moderate(action, fields);
    } catch (error) {
      if (error.code !== 'left' && error.code !== 'connection_lost') toast(error.message);
    }
    this.render();
  }
}
