// The daemon as a new user starts it, without a configuration; and a second one beside it, with a certificate.

import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from './until.js';

/** The lab's name; Firefox speaks TLS to no address. */
export const NAME = 'turn.lab.test';

/** What the second one needs to have for itself. */
const BESIDE = { turn: '[::]:3479', http: '127.0.0.1:8081', metrics: '127.0.0.1:9642', udp: '50160-50359' };

export class Daemon {
  #process; #log; #http; #metrics;

  constructor(process, log, http = '127.0.0.1:8080', metrics = '127.0.0.1:9641') {
    this.#process = process;
    this.#log = log;
    this.#http = http;
    this.#metrics = metrics;
  }

  /** Where its page is. */
  get url() {
    return `http://${this.#http}`;
  }

  /** Starts it and waits until it says that it lives. With a certificate, it has TURN over TLS. */
  static async start(program, log, certificate) {
    const out = openSync(log, 'w');
    const folder = mkdtempSync(join(tmpdir(), 'browsers-'));
    const env = { ...globalThis.process.env, ...(certificate ? secure(certificate) : {}) };
    const process = spawn(resolve(program), [], { cwd: folder, env, stdio: ['ignore', out, out] });
    const daemon = certificate ? new Daemon(process, log, BESIDE.http, BESIDE.metrics) : new Daemon(process, log);
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
    const metrics = await fetch(`http://${this.#metrics}/metrics`).then((answer) => answer.text(), (error) => `no answer: ${error.message}`);
    this.#process.kill('SIGTERM');
    const code = await exit;
    if (code !== 0) throw new Error(`it ended with ${code}, not 0`);
    if (this.logEnd().includes('panicked')) throw new Error('a panic is in its log');
    const moved = metrics.split('\n').filter((line) => /^roundturn_\w*packets\w*total.* [1-9]/.test(line));
    if (!moved.length) throw new Error(`no counter of packets has moved:\n${metrics.slice(0, 4000)}`);
  }

  logEnd() {
    return readFileSync(this.#log, 'utf8').slice(-6000);
  }
}

/** The variables that set up the second daemon. */
function secure({ certificate, key }) {
  return {
    ROUNDTURN_ADDRESS__EXTERNAL: NAME,
    ROUNDTURN_LISTEN__TURN: BESIDE.turn,
    ROUNDTURN_LISTEN__HTTP: BESIDE.http,
    ROUNDTURN_LISTEN__METRICS: BESIDE.metrics,
    ROUNDTURN_PORTS__UDP: BESIDE.udp,
    ROUNDTURN_TLS__CERTIFICATE: certificate,
    ROUNDTURN_TLS__KEY: key,
  };
}
