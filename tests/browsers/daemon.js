// The daemon as a new user starts it: without a configuration.

import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

const METRICS = 'http://127.0.0.1:9641/metrics';

export class Daemon {
  url = 'http://127.0.0.1:8080';
  #process; #log;

  constructor(process, log) {
    this.#process = process;
    this.#log = log;
  }

  /** Starts it and waits until it says that it lives. */
  static async start(program, log) {
    const out = openSync(log, 'w');
    const folder = mkdtempSync(join(tmpdir(), 'browsers-'));
    const process = spawn(join(globalThis.process.cwd(), program), [], { cwd: folder, stdio: ['ignore', out, out] });
    const daemon = new Daemon(process, log);
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
    const metrics = await fetch(METRICS).then((answer) => answer.text(), (error) => `no answer: ${error.message}`);
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
