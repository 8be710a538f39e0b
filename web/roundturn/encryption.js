// End-to-end encryption with a key that the server never sees: every frame goes through a worker between codec and network.
//
// Where `RTCRtpScriptTransform` is missing (Chromium before 141) nothing is sent in the clear instead: joining is refused.

import { RoundturnError } from './error.js';

export class Encryption {
  #worker; #transforms = new WeakSet();

  /** `key` is a text that everyone in the room knows; `room` its name; `onfailure(id)` is told of frames that another key made. */
  constructor({ key, room, onfailure }) {
    if (!globalThis.RTCRtpScriptTransform) {
      throw new RoundturnError('unsupported_browser', 'this browser cannot encrypt from end to end');
    }
    this.#worker = new Worker(new URL('./encryption-worker.js', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }) => onfailure(data);
    this.#worker.postMessage({ key, room });
  }

  /** Encrypts what a sender sends. */
  send(sender) {
    this.#transform(sender, { side: 'send' });
  }

  /** Decrypts what a receiver receives. */
  receive(receiver) {
    this.#transform(receiver, { side: 'receive', track: receiver.track.id });
  }

  close() {
    this.#worker.terminate();
  }

  #transform(end, options) {
    if (this.#transforms.has(end)) return;
    this.#transforms.add(end);
    end.transform = new RTCRtpScriptTransform(this.#worker, options);
  }
}
