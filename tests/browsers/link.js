// A narrow, lossy and long link between one browser and the server's UDP port, as a forwarder between the two.

import { createSocket } from 'node:dgram';

/** One way, each direction. */
const DELAY = 20;
const LOSS = 0.02;
/** What waits longer than this for its turn is dropped, as home routers do it. */
const LONGEST_QUEUE = 250;
export class Link {
  #bits = Infinity; #isLossy = false; #free = 0; #clients = new Map(); #front;

  /** The port at which it stands, beside the server at this address, for it. */
  async to(address, port) {
    if (!this.#front) {
      this.#front = createSocket('udp4');
      this.#front.on('message', (packet, from) => this.#up(packet, from, { address, port }));
      await new Promise((resolve) => this.#front.bind(0, address, resolve));
    }
    return this.#front.address().port;
  }

  /** From now on it carries so many bits a second to the client, and loses packets both ways. */
  narrow(bits) {
    this.#bits = bits;
    this.#isLossy = true;
  }

  close() {
    this.#front?.close();
    for (const back of this.#clients.values()) back.close();
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
    const end = Math.max(this.#free, now) + packet.length * 8000 / this.#bits;
    if (end - now > LONGEST_QUEUE) return;
    this.#free = end;
    setTimeout(() => send(this.#front, packet, to), DELAY + end - now);
  }

  #loses() {
    return this.#isLossy && Math.random() < LOSS;
  }
}

/** Whoever is closed while a packet is on its way needs it no more. */
function send(socket, packet, { address, port }) {
  try {
    socket.send(packet, port, address);
  } catch (error) {
    if (error.code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error;
  }
}
