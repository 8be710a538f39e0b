#!/usr/bin/env node
// Real browsers against the real daemon and its own page; the last line is "N passed, N failed".
//
//   tests/lab/enter node tests/browsers/run.js target/debug/roundturn [CASE...]
//
// CASE is a part of a case's name. Screenshots for people to look at, and the daemon's output, go to target/browsers/.

import { mkdirSync } from 'node:fs';
import { Browsers } from './browsers.js';
import { Certificate } from './certificate.js';
import { Daemon, NAME } from './daemon.js';
import { cases as examples } from './examples.js';
import { cases as calls } from './page_cases.js';

const [program, ...wanted] = process.argv.slice(2);
if (!program) throw new Error('usage: run.js PROGRAM [CASE...]');
const output = new URL('../../target/browsers/', import.meta.url).pathname;
mkdirSync(output, { recursive: true });

const certificate = new Certificate(NAME);
const daemons = {
  'the daemon': await Daemon.plain(program, `${output}daemon.log`),
  'the daemon with a certificate': await Daemon.withTls(program, `${output}daemon-tls.log`, certificate),
  'the daemon with tokens': await Daemon.withTokens(program, `${output}daemon-tokens.log`),
};
const [plain, tls, tokens] = Object.values(daemons).map((daemon) => daemon.url);
const browsers = new Browsers({ plain, tls, tokens }, certificate, output);
let passed = 0;
let failed = 0;

async function check(name, run) {
  const began = performance.now();
  let problem = '';
  try {
    await run();
    passed += 1;
  } catch (error) {
    problem = error.stack ?? String(error);
    failed += 1;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${(problem ? 'FAILED' : 'ok').padEnd(7)} ${seconds} s  ${name}`);
  if (problem) console.log(`    ${problem.replaceAll('\n', '\n    ')}`);
}

for (const [name, run] of Object.entries({ ...calls, ...examples })) {
  if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
  await check(name, () => browsers.call(name, run));
}
await browsers.close();
for (const [name, daemon] of Object.entries(daemons)) {
  await check(`${name} counted packets and ends cleanly`, () => daemon.stop());
  if (failed) console.log(`\nThe end of the output of ${name}:\n${daemon.logEnd()}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
