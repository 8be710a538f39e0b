// The daemon as a new user starts it, without a configuration; and others beside it, with a certificate or with tokens.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from './until.js';

/** The lab's name; Firefox speaks TLS to no address. */
export const NAME = 'turn.lab.test';

/** What the secret of tokens is, where there is one. */
export const SECRET = 'a secret of more than 16 bytes';

/** What the first one has by default, and what the others need to have for themselves. */
const FIRST = { http: '127.0.0.1:8080', metrics: '127.0.0.1:9641' };
const SECOND = { turn: '[::]:3479', http: '127.0.0.1:8081', metrics: '127.0.0.1:9642', udp: '50160-50359' };
const THIRD = { turn: '[::]:3480', http: '127.0.0.1:8082', metrics: '127.0.0.1:9643', udp: '50360-50559' };

/** A program's name and arguments, for another network namespace if there is one. */
export function inside(namespace, program, words) {
  return namespace ? ['nsenter', [`--net=/run/netns/${namespace}`, program, ...words]] : [program, words];
}

export class Daemon {
  #process; #log; #http; #metrics; #namespace;

  constructor(process, log, { http, metrics, namespace, outside }) {
    this.#process = process;
    this.#log = log;
    this.#http = outside ? `${outside}:${http.split(':')[1]}` : http;
    this.#metrics = metrics;
    this.#namespace = namespace;
  }

  /** Where its page is. */
  get url() {
    return `http://${this.#http}`;
  }

  /** As a new user starts it. */
  static plain(program, log) {
    return Daemon.#start(program, log, FIRST, {});
  }

  /** With a certificate, it has TURN over TLS. */
  static withTls(program, log, { certificate, key }) {
    const variables = { ADDRESS__EXTERNAL: NAME, TLS__CERTIFICATE: certificate, TLS__KEY: key };
    return Daemon.#start(program, log, SECOND, variables);
  }

  /** With a key for tokens, it lets nobody in without one. */
  static withTokens(program, log) {
    return Daemon.#start(program, log, THIRD, { TOKENS__SECRET: SECRET });
  }

  /** With these settings, at a place of its own: listeners, ports, and where it is in another namespace, its name and the address outside. */
  static at(program, log, place, variables) {
    return Daemon.#start(program, log, place, variables);
  }

  /** What it counts, as Prometheus gets it: values by name and labels. */
  async metrics() {
    const words = ['-sS', '--max-time', '5', `http://${this.#metrics}/metrics`];
    const text = execFileSync(...inside(this.#namespace, 'curl', words), { encoding: 'utf8' });
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  }

  /** Its resident memory in bytes. */
  residentBytes() {
    return Number(readFileSync(`/proc/${this.#process.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  }

  /** Starts it and waits until it says that it lives. */
  static async #start(program, log, place, variables) {
    const out = openSync(log, 'w');
    const folder = mkdtempSync(join(tmpdir(), 'browsers-'));
    const listeners = place === FIRST ? {} : {
      LISTEN__TURN: place.turn, LISTEN__HTTP: place.http, LISTEN__METRICS: place.metrics, PORTS__UDP: place.udp,
    };
    const env = { ...globalThis.process.env };
    for (const [name, value] of Object.entries({ ...listeners, ...variables })) env[`ROUNDTURN_${name}`] = value;
    const process = spawn(...inside(place.namespace, resolve(program), []), { cwd: folder, env, stdio: ['ignore', out, out] });
    const daemon = new Daemon(process, log, place);
    try {
      await until('the daemon lives', 10, async () => (await fetch(`${daemon.url}/livez`)).ok);
    } catch (error) {
      throw new Error(`${error.message}\n${daemon.logEnd()}`);
    }
    return daemon;
  }

  /** Looks at its metrics, then ends it as systemd does. */
  async stop() {
    const exit = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve(signal ?? code)));
    if (this.#process.exitCode !== null) throw new Error(`it had ended with ${this.#process.exitCode}`);
    const metrics = await this.metrics();
    this.#process.kill('SIGTERM');
    const code = await exit;
    if (code !== 0) throw new Error(`it ended with ${code}, not 0`);
    if (this.logEnd().includes('panicked')) throw new Error('a panic is in its log');
    const moved = Object.entries(metrics).filter(([name, value]) => /^roundturn_\w*packets\w*total/.test(name) && value > 0);
    if (!moved.length) throw new Error(`no counter of packets has moved:\n${JSON.stringify(metrics).slice(0, 4000)}`);
  }

  logEnd() {
    return readFileSync(this.#log, 'utf8').slice(-6000);
  }
}
