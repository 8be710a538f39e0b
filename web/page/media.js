// The own camera, microphone and screen: asked for, switched on and off, and what to say when they cannot be had.

import { openDevice } from '../roundturn.js';
import { remember, remembered } from './dom.js';

const CONSTRAINTS = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, facingMode: 'user' },
};

const KEY = 'devices';

export class Media extends EventTarget {
  /** Which devices the person chose; '' is the system's choice. */
  chosen = { audio: '', video: '', output: '', ...stored() };
  /** The tracks that are open, and what is wished for: they differ where a device was denied. */
  audio = null; video = null;
  wantAudio = true; wantVideo = true;
  /** What could not be had the last time, and of which kind. */
  problem = null;
  #busy = Promise.resolve();

  /** Opens what is wanted and not open yet. Never rejects: `problem` tells. */
  open() {
    this.#busy = this.#busy.then(() => this.#open());
    return this.#busy;
  }

  async #open() {
    const audio = this.wantAudio && !this.audio;
    const video = this.wantVideo && !this.video;
    if (!audio && !video) return;
    this.problem = null;
    if (!navigator.mediaDevices?.getUserMedia) {
      return this.#fail({ name: window.isSecureContext ? 'NotFoundError' : 'InsecureContext' }, audio, video);
    }
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ audio: audio && this.#wish('audio'), video: video && this.#wish('video') }));
    } catch (error) {
      // One of the two may be there although both together are not.
      if (audio && video) await this.#openEach(error);
      else this.#fail(error, audio, video);
    }
    this.dispatchEvent(new Event('change'));
  }

  async #openEach(together) {
    for (const kind of ['audio', 'video']) {
      try {
        this.#take(await navigator.mediaDevices.getUserMedia({ [kind]: this.#wish(kind) }));
      } catch (error) {
        this.#fail(error, kind === 'audio', kind === 'video');
      }
    }
    if (!this.audio && !this.video) this.problem = { error: together, what: 'both' };
  }

  // The chosen device where it is plugged in, another one where it is not.
  #wish(kind) {
    return { ...CONSTRAINTS[kind], ...(this.chosen[kind] ? { deviceId: { ideal: this.chosen[kind] } } : {}) };
  }

  /** Uses another device from now on, where one is in use at once. Rejects where it cannot be opened. */
  async choose(kind, deviceId) {
    if (this[kind]) {
      const old = this[kind];
      // Its end is wanted: it is no loss.
      this[kind] = null;
      this.#take(new MediaStream([await openDevice(kind, deviceId, CONSTRAINTS[kind], old).catch((error) => {
        if (old.readyState === 'live') this[kind] = old;
        throw error;
      })]));
    }
    this.#store(kind, deviceId);
    this.dispatchEvent(new Event('change'));
  }

  /** Has all sound come from another loudspeaker. */
  chooseOutput(deviceId) {
    this.#store('output', deviceId);
    this.dispatchEvent(new Event('output'));
  }

  #store(kind, deviceId) {
    this.chosen[kind] = deviceId;
    remember(KEY, JSON.stringify(this.chosen));
  }

  #take(stream) {
    for (const track of stream.getTracks()) {
      this[track.kind] = track;
      track.addEventListener('ended', () => {
        // Unplugged, or taken back in the browser's own menu.
        if (this[track.kind] !== track) return;
        this[track.kind] = null;
        this.#fail({ name: 'NotReadableError' }, track.kind === 'audio', track.kind === 'video');
        this.dispatchEvent(new Event('change'));
      });
    }
  }

  #fail(error, audio, video) {
    this.problem = { error, what: audio && video ? 'both' : audio ? 'audio' : 'video' };
    if (audio) this.wantAudio = false;
    if (video) this.wantVideo = false;
    this.dispatchEvent(new Event('change'));
  }

  /** Stops a track and turns off its device's light. */
  close(kind) {
    const track = this[kind];
    this[kind] = null;
    track?.stop();
    this.dispatchEvent(new Event('change'));
  }

  /** Closes both, and what is just being opened as soon as it is there. */
  closeAll() {
    this.#closeBoth();
    this.#busy = this.#busy.then(() => this.#closeBoth());
  }

  #closeBoth() {
    this.close('audio');
    this.close('video');
  }
}

// Whatever else wrote there counts for nothing.
function stored() {
  try { return JSON.parse(remembered(KEY)) ?? {}; } catch { return {}; }
}

export const canShareScreen = () => Boolean(navigator.mediaDevices?.getDisplayMedia);

/** Asks for a screen, with its sound where the browser has it; null if the person thinks better of it. */
export async function chooseScreen() {
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
  } catch (error) {
    if (error.name === 'NotAllowedError' || error.name === 'AbortError') return null;
    throw error;
  }
}

/** Shows a microphone's loudness as `--level`, 0 to 1, on an element; returns how to stop. */
export function showLevel(track, target) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = 10 * Math.log10(power + 1e-10);
    target.style.setProperty('--level', String(Math.min(1, Math.max(0, (decibels + 60) / 50)).toFixed(2)));
  }, 80);
  return () => {
    clearInterval(timer);
    target.style.removeProperty('--level');
    context.close();
  };
}
