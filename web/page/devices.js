// The choice of camera, microphone and loudspeaker, before a call and during it.

import { devices } from '../roundturn.js';
import { byId, element, toast, wireDialog } from './dom.js';
import { WORDS } from './words.js';

const KINDS = ['video', 'audio'];

export class Devices {
  #media;

  constructor(media) {
    this.#media = media;
    for (const opener of ['preview-devices', 'devices-open']) byId(opener).addEventListener('click', () => this.show());
    wireDialog('devices');
    for (const kind of KINDS) byId(`device-${kind}`).addEventListener('change', ({ target }) => this.#choose(kind, target.value));
    byId('device-output').addEventListener('change', ({ target }) => media.chooseOutput(target.value));
    media.addEventListener('change', () => byId('devices').open && this.#render());
    navigator.mediaDevices?.addEventListener?.('devicechange', () => byId('devices').open && this.#render());
    byId('output-line').hidden = !HTMLMediaElement.prototype.setSinkId;
  }

  async show() {
    await this.#render();
    byId('devices').showModal();
  }

  async #render() {
    const found = await devices();
    for (const kind of [...KINDS, 'output']) {
      const chosen = this.#media.chosen[kind];
      const options = found[kind].filter((one) => one.deviceId !== 'default').map((one, index) => [one.deviceId, one.label || WORDS.unnamedDevice(index + 1)]);
      const all = [['', WORDS.systemDefault], ...options];
      byId(`device-${kind}`).replaceChildren(...all.map(([value, textContent]) => element('option', { value, textContent, dir: 'auto' })));
      byId(`device-${kind}`).value = all.some(([value]) => value === chosen) ? chosen : '';
    }
  }

  async #choose(kind, deviceId) {
    try {
      await this.#media.choose(kind, deviceId);
    } catch {
      toast(WORDS.deviceFailed);
    }
    await this.#render();
  }
}
