// One tile: a person, or a screen that a person shares.

import { element, hue, icon, initials, label } from './dom.js';
import { WORDS, grade, pathWords } from './words.js';

export class Tile {
  #video; #avatar; #name; #mic; #hand; #state; #badge; #badgeWords; #pin; #isPinned = false;

  /** `source` is `camera` for a person's tile and `screen` for a shared screen; `pin(id)` keeps a person's tile large. */
  constructor(participant, source, pin) {
    this.participant = participant;
    this.source = source;
    this.#video = element('video', { autoplay: true, playsInline: true, muted: true, hidden: true });
    this.#avatar = element('span', { className: 'avatar', ariaHidden: 'true' });
    this.#state = element('span', { className: 'tile-state', hidden: true });
    this.#name = element('span', { className: 'tile-name' });
    this.#mic = element('span', { className: 'tile-mic', hidden: true, title: WORDS.muted }, icon('mic-off'));
    this.#hand = element('span', { className: 'tile-hand', hidden: true, title: WORDS.raised }, icon('hand'));
    this.#pin = element('button', { type: 'button', className: 'tile-pin', hidden: source !== 'camera', onclick: () => pin(this.participant.id) }, icon('pin'));
    this.#badgeWords = element('span');
    this.#badge = element('span', { className: 'badge', hidden: true }, icon('bars'), this.#badgeWords);
    this.node = element(
      'article',
      { className: `tile ${source}`, data: { participant: participant.id, source, you: String(participant.isYou) } },
      this.#avatar, this.#video, this.#state, this.#hand, this.#pin,
      element('footer', { className: 'tile-foot' }, element('span', { className: 'tile-label' }, this.#mic, this.#name), this.#badge),
    );
    if (source === 'camera') this.node.setAttribute('role', 'listitem');
    this.#video.addEventListener('resize', () => {
      this.node.dataset.upright = String(this.#video.videoHeight > this.#video.videoWidth);
    });
    this.render();
  }

  /** Shows everything anew from what is known of the participant. */
  render() {
    const { participant, source } = this;
    const name = participant.name || WORDS.guest;
    const picture = participant.publications.get(source);
    const microphone = participant.publications.get('microphone');
    this.node.style.setProperty('--hue', hue(name));
    this.#avatar.textContent = initials(name);
    if (source === 'screen') this.#name.textContent = participant.isYou ? WORDS.yourScreen : WORDS.someoneScreen(name);
    // A name that is written from right to left keeps what follows it where it is.
    else this.#name.replaceChildren(element('bdi', { textContent: name }), participant.isYou ? ` (${WORDS.youAfterName})` : '');
    label(this.#pin, this.#isPinned ? WORDS.unpin : WORDS.pin(name));
    this.#show(picture && !picture.muted ? picture.track : null);
    const silent = source === 'camera' && (!microphone || microphone.muted);
    this.#mic.hidden = !silent;
    this.node.dataset.muted = String(silent);
    this.node.dataset.speaking = String(source === 'camera' && participant.speaking && !silent);
    this.#renderConnection();
    this.node.setAttribute('aria-label', [this.#name.textContent, silent && WORDS.muted, !this.#hand.hidden && WORDS.raised, this.#badge.title].filter(Boolean).join(', '));
  }

  /** Whether this tile is the large one, and whether somebody wants it so. */
  setFocus(isFocused, isPinned) {
    this.#isPinned = isPinned;
    this.node.dataset.focused = String(isFocused);
    this.#pin.setAttribute('aria-pressed', String(isPinned));
    label(this.#pin, isPinned ? WORDS.unpin : WORDS.pin(this.participant.name || WORDS.guest));
  }

  /** Whether this person raised a hand. */
  set raised(raised) {
    if (this.#hand.hidden !== raised) return;
    this.#hand.hidden = !raised;
    this.render();
  }

  /** What the statistics say of the way to this participant. */
  set path(path) {
    this.currentPath = path;
    this.#renderConnection();
  }

  close() {
    this.#video.srcObject = null;
    this.node.remove();
  }

  #show(track) {
    const shown = this.#video.srcObject?.getVideoTracks()[0] ?? null;
    this.#video.hidden = !track;
    this.node.dataset.picture = String(Boolean(track));
    if (shown === track) return;
    this.#video.srcObject = track && new MediaStream([track]);
    // A picture that may not start yet starts with the next click; nothing to say about it.
    if (track) this.#video.play().catch(() => {});
  }

  #renderConnection() {
    const { participant, currentPath } = this;
    const { connection } = participant;
    if (participant.isYou || this.source === 'screen') return;
    const now = grade(participant.quality, connection);
    const trouble = now === 'poor' || now === 'lost' ? WORDS[now] : null;
    const waiting = connection === 'new' || connection === 'connecting';
    const failed = connection === 'failed' || connection === 'disconnected';
    this.#state.hidden = !waiting && !failed;
    this.#state.textContent = failed ? WORDS.tileFailed : WORDS.tileConnecting;
    this.node.dataset.connection = connection;
    this.node.dataset.quality = now ?? '';
    this.node.dataset.path = currentPath?.via ?? '';
    this.#badge.hidden = waiting || (!currentPath && !trouble);
    this.#badge.title = [pathWords(currentPath), trouble].filter(Boolean).join(', ');
    this.#badgeWords.textContent = trouble ?? pathWords(currentPath);
  }
}
