// What the applications need around them: a daemon with its settings, a web server of their own, and browsers.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Daemon, inside } from '../browsers/daemon.js';
import { until } from '../browsers/until.js';
import { serve } from './serve.js';

const SERVE = new URL('serve.js', import.meta.url).pathname;
/** Where an application's own web server is. */
const PORT = 9000;
/** Where the daemon of an application is, unless it says otherwise. */
const PLACE = { turn: '[::]:3478', http: '127.0.0.1:8080', metrics: '127.0.0.1:9641', udp: '49160-49359' };

export class Lab {
  #program; #output; #browsers; #daemons = []; #servers = [];

  constructor(program, output, browsers) {
    this.#program = program;
    this.#output = output;
    this.#browsers = browsers;
  }

  /** Starts a daemon with these settings, as environment variables without their prefix. */
  async daemon(settings = {}, place = {}) {
    const name = `daemon-${this.#daemons.length + 1}`;
    const daemon = await Daemon.at(this.#program, `${this.#output}${name}.log`, { ...PLACE, ...place }, settings);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Serves an application's folders, as its developer's web server would; with what else it answers. */
  async serve(folders, routes) {
    this.#servers.push(await serve('127.0.0.1', PORT, folders, routes));
    return `http://127.0.0.1:${PORT}`;
  }

  /** The same on another machine. */
  async serveInside(namespace, folders) {
    const child = spawn(...inside(namespace, process.execPath, [SERVE, '0.0.0.0', String(PORT), ...folders]), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push({ close: () => child.kill() });
    await once(child.stdout, 'data');
  }

  /** Runs an application with people in front of it: `enter(browser, name, { url })` opens it. */
  async run(name, play) {
    try {
      await this.#browsers.call(name, play);
    } finally {
      this.#servers.splice(0).forEach((server) => server.close());
    }
  }

  /** Ends the daemons, which must have lived and must end well. */
  async close() {
    for (const daemon of this.#daemons.splice(0)) await daemon.stop();
  }

  /** Ends what is left after a failure, and tells what the daemons said last. */
  async abandon() {
    const logs = this.#daemons.map((daemon) => daemon.logEnd());
    for (const daemon of this.#daemons.splice(0)) await daemon.stop().catch(() => {});
    return logs.join('\n');
  }
}

/** Waits until everyone sees so many pictures that move. */
export async function everyoneSees(people, count, seconds = 45) {
  for (const person of people) {
    await until(`${person.name} sees ${count} pictures that move`, seconds, () => person.asks(countMoving, count));
  }
}

/** Runs in the page: whether so many pictures came on since the last time. */
function countMoving(count) {
  const before = globalThis.framesForTests ?? new WeakMap();
  const now = new WeakMap();
  let moving = 0;
  for (const video of document.querySelectorAll('video:not([data-you])')) {
    const frames = video.getVideoPlaybackQuality().totalVideoFrames;
    now.set(video, frames);
    moving += frames > (before.get(video) ?? Infinity) && video.videoWidth > 0 ? 1 : 0;
  }
  globalThis.framesForTests = now;
  return moving >= count;
}
