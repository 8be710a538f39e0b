// What the applications need around them: a daemon with its settings, a web server of their own, and browsers.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Daemon, inside } from '../browsers/daemon.js';
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
  run(name, play) {
    return this.#browsers.call(name, play);
  }

  /** Ends the daemons, which must have lived and must end well. */
  async close() {
    this.#servers.splice(0).forEach((server) => server.close());
    for (const daemon of this.#daemons.splice(0)) await daemon.stop();
  }

  /** Ends what is left after a failure, and tells what the daemons said last. */
  async abandon() {
    this.#servers.splice(0).forEach((server) => server.close());
    const logs = this.#daemons.map((daemon) => daemon.logEnd());
    for (const daemon of this.#daemons.splice(0)) await daemon.stop().catch(() => {});
    return logs.join('\n');
  }
}

/** Everyone sees so many pictures that move. */
export async function everyoneSees(people, count, seconds) {
  for (const person of people) await person.seesMoving(count, seconds);
}
