// Messages of any bytes to everyone in an SFU room, on data channels of the peer connection to the server.
//
// A channel is opened with the first `send` or `on`, since nobody gets anything on one that it has not opened. The server
// closes the reliable one of whoever is too fast or falls too far behind; it is opened again, and the page is told that
// something is missing.

import { RoundturnError } from './error.js';

const CHANNELS = { reliable: {}, lossy: { ordered: false, maxRetransmits: 0 } };
const MESSAGE_BYTES = 16 * 1024;
/** A little less than what the server takes: bytes a second, bytes at once, and what a message costs beside its bytes. */
const BYTES_PER_SECOND = 60 * 1024;
const BURST_BYTES = 100 * 1024;
const MESSAGE_COST = 256;
const REOPEN_MS = 1_000;
/** Before the message: whether it is text, and the `order` of who sent it. */
const HEAD_BYTES = 5;

export class Data {
  #context; #create; #channels = new Map(); #listeners = new Set(); #closed = false;
  #allowance = BURST_BYTES; #filled = performance.now(); #queue = Promise.resolve();

  /** `create` makes a data channel of this label and these options. */
  constructor(context, create) {
    this.#context = context;
    this.#create = create;
  }

  /** Sends a string or bytes to everyone who listens. Resolves to whether it left: a lossy message may not. */
  async send(data, { lossy = false } = {}) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data).length : data.byteLength;
    if (bytes > MESSAGE_BYTES) throw new RoundturnError('too_large', `a message has at most ${MESSAGE_BYTES} bytes`);
    const channel = await this.#opened(lossy ? 'lossy' : 'reliable');
    if (lossy) {
      if (!this.#spend(bytes)) return false;
    } else {
      await this.#inTurn(bytes);
      // Closed while this message waited for its turn.
      if (channel.readyState !== 'open') throw new RoundturnError('connection_lost', 'the data channel was closed');
    }
    channel.send(data);
    return true;
  }

  /** Calls `listener({ participant, data, lossy })` for each message; returns what ends that. */
  on(listener) {
    this.#listeners.add(listener);
    for (const label of Object.keys(CHANNELS)) this.#channel(label);
    return () => this.#listeners.delete(listener);
  }

  close() {
    this.#closed = true;
  }

  #channel(label) {
    const known = this.#channels.get(label);
    if (known) return known;
    const channel = this.#create(label, CHANNELS[label]);
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.#received(data, label === 'lossy');
    channel.onclose = () => {
      this.#channels.delete(label);
      if (this.#closed) return;
      this.#context.emit('data-interrupted', { lossy: label === 'lossy' });
      setTimeout(() => !this.#closed && this.#channel(label), REOPEN_MS);
    };
    this.#channels.set(label, channel);
    return channel;
  }

  async #opened(label) {
    const channel = this.#channel(label);
    if (channel.readyState === 'connecting') {
      await new Promise((resolve) => {
        channel.addEventListener('open', resolve, { once: true });
        channel.addEventListener('close', resolve, { once: true });
      });
    }
    if (channel.readyState !== 'open') throw new RoundturnError('connection_lost', 'the data channel is closed');
    return channel;
  }

  // Reliable messages leave in the order of their calls, each as soon as the server takes it.
  #inTurn(bytes) {
    const turn = this.#queue.then(async () => {
      while (!this.#spend(bytes)) await new Promise((resolve) => setTimeout(resolve, 20));
    });
    this.#queue = turn;
    return turn;
  }

  #spend(bytes) {
    const now = performance.now();
    this.#allowance = Math.min(BURST_BYTES, this.#allowance + ((now - this.#filled) * BYTES_PER_SECOND) / 1000);
    this.#filled = now;
    if (this.#allowance < bytes + MESSAGE_COST) return false;
    this.#allowance -= bytes + MESSAGE_COST;
    return true;
  }

  #received(buffer, lossy) {
    const order = new DataView(buffer).getUint32(1);
    const { room } = this.#context;
    const participant = room.participants.find((one) => one.order === order);
    // From someone who is gone by now, or not here yet: then nobody could say whose it is.
    if (!participant) return;
    const bytes = buffer.slice(HEAD_BYTES);
    const data = new Uint8Array(buffer)[0] === 1 ? new TextDecoder().decode(bytes) : bytes;
    for (const listener of [...this.#listeners]) listener({ participant, data, lossy });
  }
}
