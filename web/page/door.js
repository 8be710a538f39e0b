// Before the call: choosing or making a room, a name, and a look at oneself.

import { byId, element, label, remember, remembered, setToggle } from './dom.js';
import { copyLink } from './invite.js';
import { showLevel } from './media.js';
import { LANGUAGE, WORDS, languages, mediaProblem, setLanguage } from './words.js';

const ROOM = /^[A-Za-z0-9._-]{1,128}$/;
const NAME_KEY = 'name';

export class Door {
  #media; #handlers; #room = null; #stopMeter = null; #metered = null;

  /** Handlers: `start(mode, encrypts)`, `join(name)`, `go(fragment)`, `home()`, and `link()` for the link of the room. */
  constructor(media, handlers) {
    this.#media = media;
    this.#handlers = handlers;
    byId('name').value = remembered(NAME_KEY) ?? '';
    byId('door-form').addEventListener('submit', (event) => this.#submit(event));
    byId('go').addEventListener('click', () => this.#go());
    byId('room-input').addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      this.#go();
    });
    byId('home').addEventListener('click', () => handlers.home());
    byId('door-copy').addEventListener('click', () => copyLink(handlers.link()));
    byId('encrypt-line').hidden = !globalThis.RTCRtpScriptTransform;
    offerLanguages();
    byId('preview-mic').addEventListener('click', () => this.#toggle('audio'));
    byId('preview-camera').addEventListener('click', () => this.#toggle('video'));
    media.addEventListener('change', () => this.render());
  }

  /** With a room it is the lobby, without one the place to make one. */
  show(room, name) {
    this.#room = room;
    if (name) byId('name').value = name;
    this.busy(false);
    this.problem(null);
    byId('door').dataset.room = String(Boolean(room));
    byId('hero').hidden = byId('mode-choice').hidden = byId('other-room').hidden = Boolean(room);
    byId('preview').hidden = byId('room-line').hidden = byId('home').hidden = !room;
    byId('room-name').textContent = room ?? '';
    this.render();
    if (room) this.#media.open();
    if (matchMedia('(hover: hover)').matches) byId(byId('name').value ? 'join' : 'name').focus();
  }

  hide() {
    this.#room = null;
    this.#meter(null);
    byId('preview-video').srcObject = null;
  }

  busy(busy) {
    byId('join').disabled = busy;
    byId('join').textContent = busy ? WORDS.joining : this.#room ? WORDS.joinNow : WORDS.start;
  }

  problem(words) {
    byId('door-problem').textContent = words ?? '';
    byId('door-problem').hidden = !words;
  }

  render() {
    if (!this.#room) return;
    const { audio, video, problem } = this.#media;
    const preview = byId('preview-video');
    if ((preview.srcObject?.getVideoTracks()[0] ?? null) !== video) preview.srcObject = video && new MediaStream([video]);
    preview.hidden = !video;
    byId('preview-empty').hidden = Boolean(video);
    byId('preview-words').textContent = this.#media.wantVideo && !problem ? WORDS.cameraStarting : WORDS.cameraIsOff;
    setToggle(byId('preview-mic'), Boolean(audio), audio ? 'mic' : 'mic-off', audio ? WORDS.micOn : WORDS.micNone);
    setToggle(byId('preview-camera'), Boolean(video), video ? 'camera' : 'camera-off', video ? WORDS.cameraOn : WORDS.cameraOff);
    byId('media-problem').hidden = !problem;
    byId('media-problem').textContent = problem ? mediaProblem(problem.error, problem.what) : '';
    this.#meter(audio);
  }

  #submit(event) {
    event.preventDefault();
    const name = byId('name').value.trim();
    remember(NAME_KEY, name);
    if (this.#room) this.#handlers.join(name);
    else this.#handlers.start(new FormData(byId('door-form')).get('mode'), byId('encrypt').checked);
  }

  #go() {
    const text = byId('room-input').value.trim();
    if (!text) return byId('room-input').focus();
    const fragment = fragmentOf(text);
    if (!fragment) return this.problem(WORDS.invalidRoom);
    remember(NAME_KEY, byId('name').value.trim());
    this.#handlers.go(fragment);
  }

  #toggle(kind) {
    const want = kind === 'audio' ? 'wantAudio' : 'wantVideo';
    const on = Boolean(this.#media[kind]);
    this.#media[want] = !on;
    if (on) this.#media.close(kind);
    else this.#media.open();
  }

  #meter(track) {
    if (track === this.#metered) return;
    this.#stopMeter?.();
    this.#metered = track;
    this.#stopMeter = track ? showLevel(track, byId('meter')) : null;
    label(byId('preview-mic'), byId('preview-mic').title);
  }
}

// The page begins anew in the language that is chosen.
async function offerLanguages() {
  const list = byId('language');
  list.append(...(await languages()).map(([value, textContent]) => element('option', { value, textContent, lang: value })));
  list.value = LANGUAGE;
  list.addEventListener('change', () => {
    setLanguage(list.value);
    location.reload();
  });
}

export const isRoomName = (text) => ROOM.test(text);

// A link's fragment, which may hold more than the room, or the name itself.
function fragmentOf(text) {
  const fragment = text.includes('#') ? text.slice(text.indexOf('#') + 1) : text;
  return ROOM.test(fragment.split('&')[0].replace(/^room=/, '')) ? fragment : null;
}
