// A narrow, lossy and long link between one browser and the server's UDP port, as a forwarder between the two.

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';

/** One way, each direction. */
const DELAY = 20;
const LOSS = 0.02;
/** What waits longer than this for its turn is dropped, as home routers do it. */
const LONGEST_QUEUE = 250;
/** Bytes that a policer lets through at once. */
const BURST = 15_000;

export class Link {
  #bits = Infinity; #isLossy = false; #free = 0; #clients = new Map(); #front; #isPoliced;

  /** `isPoliced`: what comes too fast is dropped at once, by the kernel, instead of waiting for its turn. */
  constructor({ isPoliced = false } = {}) {
    this.#isPoliced = isPoliced;
  }


  /** The port at which it stands, beside the server at this address, for it. */
  async to(address, port) {
    if (!this.#front) {
      this.#front = createSocket('udp4');
      this.#front.on('message', (packet, from) => this.#up(packet, from, { address, port }));
      await new Promise((resolve) => this.#front.bind(0, address, resolve));
      this.#police();
    }
    return this.#front.address().port;
  }

  /** From now on it carries so many bits a second to the client, and loses packets both ways. */
  narrow(bits) {
    this.#bits = bits;
    this.#isLossy = true;
    this.#police();
  }

  close() {
    if (this.#isPoliced && this.#front) nft(`table inet ${this.#table}\ndelete table inet ${this.#table}`);
    this.#front?.close();
    for (const back of this.#clients.values()) back.close();
  }

  get #table() {
    return `link${this.#front.address().port}`;
  }

  /** The kernel's part, as soon as there is a port. */
  #police() {
    if (!this.#isPoliced || !this.#front || !this.#isLossy) return;
    const { port } = this.#front.address();
    const lose = `numgen random mod 1000 < ${LOSS * 1000} drop`;
    nft(`table inet ${this.#table}
      delete table inet ${this.#table}
      table inet ${this.#table} {
        chain out {
          type filter hook output priority filter;
          udp dport ${port} ${lose}
          udp sport ${port} ${lose}
          udp sport ${port} limit rate over ${this.#bits / 8} bytes/second burst ${BURST} bytes drop
        }
      }`);
  }

  #up(packet, from, server) {
    const key = `${from.address} ${from.port}`;
    if (!this.#clients.has(key)) {
      const back = createSocket('udp4');
      back.bind(0, server.address);
      back.on('message', (answer) => this.#down(answer, from));
      this.#clients.set(key, back);
    }
    if (this.#loses()) return;
    const back = this.#clients.get(key);
    setTimeout(() => send(back, packet, server), DELAY);
  }

  #down(packet, to) {
    if (this.#loses()) return;
    const now = performance.now();
    const end = this.#isPoliced ? now : Math.max(this.#free, now) + packet.length * 8000 / this.#bits;
    if (end - now > LONGEST_QUEUE) return;
    this.#free = end;
    setTimeout(() => send(this.#front, packet, to), DELAY + end - now);
  }

  #loses() {
    return this.#isLossy && !this.#isPoliced && Math.random() < LOSS;
  }
}

function nft(rules) {
  execFileSync('nft', ['-f', '-'], { input: rules });
}

/** Whoever is closed while a packet is on its way needs it no more. */
function send(socket, packet, { address, port }) {
  try {
    socket.send(packet, port, address);
  } catch (error) {
    if (error.code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error;
  }
}
