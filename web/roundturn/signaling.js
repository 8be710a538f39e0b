// The WebSocket of a session: requests and answers, events in order, resume after a loss, the server's clock.
//
//   connecting ──joined──▶ connected ──lost──▶ reconnecting ──joined (resumed, or anew)──▶ connected
//        └───────────────── refused, or ended for good ──────────┴──────────▶ closed

import { RoundturnError, closeError, isTemporary } from './error.js';

const PROTOCOL = 'roundturn.v1';
const BACKOFF_FIRST_MS = 300;
const BACKOFF_MAX_MS = 8_000;
/** How long it goes on trying before the session counts as lost. */
const GIVE_UP_MS = 300_000;
const CONNECT_MS = 10_000;
const QUEUE_MAX = 512;
const CLOCK_SAMPLES = 8;
/** Pings in a row to which nothing was heard before the connection counts as dead. */
const UNHEARD_MAX = 3;

export class Signaling {
  #url; #joinFrame; #token; #handlers;
  #socket = null; #session = null; #credentials = null; #seq = 0; #lostAt = 0; #attempts = 0;
  #nextId = 1;
  /** Requests that wait for their answer, by id. They outlive the socket: a resumed session sends them again. */
  #pending = new Map();
  #queue = []; #budget = 0; #budgetAt = 0; #rate = 50; #pumpTimer = 0;
  #pingTimer = 0; #unheard = 0; #pings = []; #retryTimer = 0;
  state = 'connecting';

  /** `token` is a string or a function that gives a fresh one; handlers: `joined`, `event`, `state`. */
  constructor({ url, join, token, handlers }) {
    this.#url = url;
    this.#joinFrame = join;
    this.#token = token;
    this.#handlers = handlers;
  }

  /** Connects for the first time; resolves with `joined`, rejects with what refused it. */
  async open() {
    try {
      const joined = await this.#connect();
      globalThis.addEventListener?.('online', this.#retryNow);
      return joined;
    } catch (error) {
      this.#end(error);
      throw error;
    }
  }

  /** Sends a request; resolves with its answer. While the connection is lost it waits for it. */
  request(frame) {
    if (this.state === 'closed') return Promise.reject(new RoundturnError('left'));
    if (this.#pending.size >= QUEUE_MAX) return Promise.reject(new RoundturnError('rate_limited'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { frame: { ...frame, id }, resolve, reject });
      this.#enqueue({ ...frame, id });
    });
  }

  /** The session's name and key, once joined. They say who asks, also after the end. */
  get session() {
    return this.#credentials;
  }

  /** Ends the session at once. */
  leave() {
    if (this.state === 'closed') return;
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type: 'leave', id: this.#nextId++ }));
    }
    this.#end(new RoundturnError('left'));
  }

  /** The server's clock in milliseconds since 1970, from the quickest of the last pings. */
  serverTime() {
    const best = this.#pings.reduce((a, b) => (b.rtt < a.rtt ? b : a), this.#pings[0] ?? { offset: 0 });
    return performance.timeOrigin + performance.now() + best.offset;
  }

  /** The round trip to the server over the WebSocket, in milliseconds. */
  get rtt() {
    const rtt = this.#pings.at(-1)?.rtt;
    return Number.isFinite(rtt) ? rtt : undefined;
  }

  // One attempt: a socket, its first frame, and the answer to that.
  async #connect() {
    const resuming = this.#session !== null;
    const first = resuming ? this.#resumeFrame() : await this.#join();
    if (this.state === 'closed') throw new RoundturnError('left');
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#url, PROTOCOL);
      this.#socket = socket;
      let settled = false, refusal = null, bye = null;
      const timer = setTimeout(() => socket.close(), CONNECT_MS);
      socket.onopen = () => socket.send(JSON.stringify(first));
      socket.onmessage = ({ data }) => {
        const frame = parse(data);
        this.#unheard = 0;
        if (settled) return frame.type === 'bye' ? (bye = frame) : this.#receive(frame);
        if (frame.type === 'bye') bye = frame;
        if (frame.reply_to !== first.id) return;
        if (frame.type === 'error') {
          refusal = new RoundturnError(frame.code, frame.message, { retryMs: frame.retry_ms });
          return socket.close();
        }
        settled = true;
        clearTimeout(timer);
        this.#joined(frame);
        resolve(frame);
      };
      socket.onclose = ({ code }) => {
        clearTimeout(timer);
        if (this.#socket !== socket) return;
        this.#socket = null;
        const error = refusal ?? closeError(code, bye);
        if (settled) return this.#lost(error);
        if (resuming && (refusal || !isTemporary(error))) this.#session = null;
        reject(error);
      };
    });
  }

  async #join() {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    return { type: 'join', id: this.#nextId++, ...this.#joinFrame, ...(token ? { token } : {}) };
  }

  #resumeFrame() {
    const { session, resume_key } = this.#session;
    return { type: 'resume', id: this.#nextId++, session, resume_key, seq: this.#seq };
  }

  #joined(frame) {
    const resumed = frame.resumed === true;
    this.#session = this.#credentials = { session: frame.session, resume_key: frame.resume_key };
    this.#attempts = 0;
    this.#rate = frame.limits?.frames_per_second ?? this.#rate;
    this.#budget = this.#rate;
    this.#budgetAt = performance.now();
    this.#pings = [{ rtt: Infinity, offset: frame.now - (performance.timeOrigin + performance.now()) }];
    if (!resumed) {
      this.#seq = 0;
      this.#rejectAll(new RoundturnError('connection_lost'));
    }
    // What was not answered before the loss is sent again, before anything new.
    this.#queue = [...this.#pending.values()].map((request) => request.frame);
    this.#setState('connected');
    this.#handlers.joined(frame);
    this.#startPings((frame.ping_seconds ?? 15) * 1000);
  }

  #receive(frame) {
    if (frame.reply_to !== undefined) {
      const request = this.#pending.get(frame.reply_to);
      this.#pending.delete(frame.reply_to);
      if (frame.type !== 'error') return request?.resolve(frame);
      return request?.reject(new RoundturnError(frame.code, frame.message, { retryMs: frame.retry_ms }));
    }
    if (frame.type === 'pong') return this.#pong(frame);
    if (frame.seq !== undefined) {
      if (frame.seq <= this.#seq) return;
      this.#seq = frame.seq;
    }
    this.#handlers.event(frame);
  }

  // The connection that stood is gone.
  #lost(error) {
    clearInterval(this.#pingTimer);
    if (this.state === 'closed') return;
    if (!isTemporary(error) && !this.#mayRenew(error)) return this.#end(error);
    if (error.code === 'auth_expired') this.#session = null;
    this.#lostAt = performance.now();
    this.#setState('reconnecting', error);
    this.#retry(error);
  }

  #mayRenew(error) {
    return error.code === 'auth_expired' && typeof this.#token === 'function';
  }

  #retry(error) {
    const backoff = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts++);
    const wait = (error.retryMs ?? 0) + backoff * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#reconnect(), wait);
  }

  #retryNow = () => {
    if (this.state !== 'reconnecting' || this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#reconnect();
  };

  async #reconnect() {
    if (performance.now() - this.#lostAt > GIVE_UP_MS) return this.#end(new RoundturnError('unreachable'));
    const resuming = this.#session !== null;
    try {
      await this.#connect();
    } catch (error) {
      if (this.state === 'closed') return;
      // A resume that is refused is no end: whoever cannot resume joins anew.
      if (resuming || isTemporary(error) || this.#mayRenew(error)) this.#retry(error);
      else this.#end(error);
    }
  }

  #end(error) {
    if (this.state === 'closed') return;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#pumpTimer);
    globalThis.removeEventListener?.('online', this.#retryNow);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#setState('closed', error);
    this.#rejectAll(error);
  }

  #rejectAll(error) {
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of open) reject(error);
  }

  #setState(state, error) {
    if (this.state === state) return;
    this.state = state;
    this.#handlers.state(state, error);
  }

  // Frames leave no faster than the server takes them, in their order.
  #enqueue(frame) {
    if (this.state !== 'connected') return;
    this.#queue.push(frame);
    this.#pump();
  }

  #pump() {
    clearTimeout(this.#pumpTimer);
    const now = performance.now();
    this.#budget = Math.min(this.#rate * 2, this.#budget + ((now - this.#budgetAt) / 1000) * this.#rate * 0.8);
    this.#budgetAt = now;
    while (this.#queue.length && this.#budget >= 1 && this.#socket?.readyState === WebSocket.OPEN) {
      this.#budget -= 1;
      this.#socket.send(JSON.stringify(this.#queue.shift()));
    }
    if (this.#queue.length && this.#socket) this.#pumpTimer = setTimeout(() => this.#pump(), 50);
  }

  #startPings(everyMs) {
    clearInterval(this.#pingTimer);
    const ping = () => {
      // The connection is dead although nobody has said so. Pings are counted, not time: hidden pages ping late.
      if (++this.#unheard > UNHEARD_MAX) return this.#abandon();
      this.#enqueue({ type: 'ping', sent: Math.round(performance.now() * 1000) / 1000 });
    };
    ping();
    this.#pingTimer = setInterval(ping, everyMs);
  }

  #abandon() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#lost(new RoundturnError('connection_lost'));
  }

  #pong({ sent, now }) {
    const received = performance.now();
    const rtt = received - sent;
    this.#pings.push({ rtt, offset: now + rtt / 2 - (performance.timeOrigin + received) });
    if (this.#pings.length > CLOCK_SAMPLES) this.#pings.shift();
  }
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return frame !== null && typeof frame === 'object' ? frame : {};
  } catch {
    return {};
  }
}
