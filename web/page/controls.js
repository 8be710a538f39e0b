// The buttons of a call: microphone, camera, screen, leave.

import { byId, label, setToggle, toast } from './dom.js';
import { canShareScreen, chooseScreen } from './media.js';
import { WORDS, mediaProblem } from './words.js';

const KEYS = { m: 'mic', v: 'camera', h: 'hand', c: 'chat-open', p: 'count', l: 'layout' };
const KINDS = { microphone: 'audio', camera: 'video' };

export class Controls {
  #room; #media; #hands; #changed; #aborted = new AbortController(); #screenTracks = [];

  /** `changed` is called whenever the own tile may look different. */
  constructor(room, media, hands, changed) {
    this.#room = room;
    this.#media = media;
    this.#hands = hands;
    this.#changed = changed;
    const { signal } = this.#aborted;
    const on = (id, action) => byId(id).addEventListener('click', () => this.#guard(byId(id), action), { signal });
    on('mic', () => this.#toggle('microphone'));
    on('camera', () => this.#toggle('camera'));
    on('screen', () => this.#toggleScreen());
    on('hand', () => hands.toggle());
    byId('leave').addEventListener('click', () => room.leave(), { signal });
    label(byId('leave'), WORDS.leave);
    media.addEventListener('change', () => this.#deviceChanged(), { signal });
    document.addEventListener('keydown', (event) => this.#key(event), { signal });
    this.render();
  }

  close() {
    this.#aborted.abort();
    for (const track of this.#screenTracks) track.stop();
  }

  render() {
    const microphone = this.#room.you.publications.get('microphone');
    const micOn = Boolean(microphone && !microphone.muted);
    setToggle(byId('mic'), micOn, micOn ? 'mic' : 'mic-off', micOn ? WORDS.micOn : microphone ? WORDS.micOff : WORDS.micNone);
    const camera = this.#room.you.publications.get('camera');
    const cameraOn = Boolean(camera && !camera.muted);
    setToggle(byId('camera'), cameraOn, cameraOn ? 'camera' : 'camera-off', cameraOn ? WORDS.cameraOn : WORDS.cameraOff);
    const screenOn = this.#room.you.publications.has('screen');
    setToggle(byId('screen'), screenOn, 'screen', screenOn ? WORDS.screenOn : WORDS.screenOff);
    byId('screen').disabled = !canShareScreen();
    if (!canShareScreen()) label(byId('screen'), WORDS.screenNone);
    const isRaised = this.#hands.isRaised(this.#room.you.id);
    setToggle(byId('hand'), isRaised, 'hand', isRaised ? WORDS.handDown : WORDS.handUp);
    this.#changed();
  }

  // One click at a time: devices take their time.
  async #guard(button, action) {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    try {
      await action();
    } catch (error) {
      toast(error.message);
    } finally {
      button.removeAttribute('aria-busy');
      this.render();
    }
  }

  async #toggle(source) {
    const publication = this.#room.you.publications.get(source);
    if (publication && !publication.muted) return this.#turnOff(source);
    return this.#turnOn(source, publication);
  }

  async #turnOff(source) {
    const muting = this.#room.mute(source, true);
    this.render();
    if (source === 'camera') {
      // The light of the camera goes off with it.
      this.#media.wantVideo = false;
      await this.#room.replaceTrack('camera', null);
      this.#media.close('video');
    }
    await muting;
  }

  async #turnOn(source, publication) {
    const kind = KINDS[source];
    if (!this.#media[kind]) {
      this.#media[kind === 'audio' ? 'wantAudio' : 'wantVideo'] = true;
      await this.#media.open();
    }
    const track = this.#media[kind];
    if (!track) {
      const { problem } = this.#media;
      if (problem) toast(mediaProblem(problem.error, kind));
      return;
    }
    if (!publication) {
      const publishing = this.#room.publish(track, { source });
      this.render();
      await publishing;
      return;
    }
    if (publication.track !== track) await this.#room.replaceTrack(source, track);
    const unmuting = this.#room.mute(source, false);
    this.render();
    await unmuting;
  }

  async #toggleScreen() {
    if (this.#room.you.publications.has('screen')) return this.#stopScreen();
    const stream = await chooseScreen();
    if (!stream) return;
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    this.#screenTracks = stream.getTracks();
    video.contentHint = 'detail';
    video.addEventListener('ended', () => this.#stopScreen().catch(() => {}));
    const publishing = [this.#room.publish(video, { source: 'screen' })];
    if (audio) publishing.push(this.#room.publish(audio, { source: 'screen_audio' }));
    this.render();
    try {
      await Promise.all(publishing);
    } catch (error) {
      // Nobody sees it, so nothing goes on capturing it.
      await this.#stopScreen().catch(() => {});
      throw error;
    }
  }

  async #stopScreen() {
    for (const track of this.#screenTracks) track.stop();
    this.#screenTracks = [];
    const ending = ['screen', 'screen_audio'].filter((source) => this.#room.you.publications.has(source))
      .map((source) => this.#room.unpublish(source));
    this.render();
    await Promise.all(ending);
  }

  // A device that was unplugged is shown as what it is: off. One that was chosen instead is sent at once.
  #deviceChanged() {
    for (const [source, kind] of Object.entries(KINDS)) {
      const publication = this.#room.you.publications.get(source);
      const track = this.#media[kind];
      if (!publication || publication.muted) continue;
      if (!track) this.#room.mute(source, true).catch(() => {});
      else if (publication.track !== track) this.#room.replaceTrack(source, track).catch(() => {});
    }
    this.render();
  }

  // One key each, as long as nobody types.
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, textarea, select, dialog *')) return;
    const id = KEYS[event.key.toLowerCase()];
    if (!id) return;
    // It is no letter of what is written next.
    event.preventDefault();
    byId(id).click();
  }
}
