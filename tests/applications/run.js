#!/usr/bin/env node
// Five applications as their developers would write them, in real browsers against the real daemon; the last line is
// "N passed, N failed".
//
//   tests/lab/enter node tests/applications/run.js target/debug/roundturn [APPLICATION...]
//
// Each has a folder here, with a page in docs/moving/ that tells how to move over to roundturn.

import { mkdirSync } from 'node:fs';
import { Browsers } from '../browsers/browsers.js';
import { Certificate } from '../browsers/certificate.js';
import { NAME } from '../browsers/daemon.js';
import { Lab } from './lab.js';

const APPLICATIONS = ['one-to-one', 'mesh-meeting', 'big-meeting', 'chat-with-calls', 'reading-session'];

const [program, ...wanted] = process.argv.slice(2);
if (!program) throw new Error('usage: run.js PROGRAM [APPLICATION...]');
const output = new URL('../../target/applications/', import.meta.url).pathname;
mkdirSync(output, { recursive: true });

const certificate = new Certificate(NAME);
let passed = 0;
let failed = 0;
for (const name of wanted.length ? wanted : APPLICATIONS) {
  const began = performance.now();
  const browsers = new Browsers({ plain: 'http://127.0.0.1:9000/app.js' }, certificate, output);
  const lab = new Lab(program, output, browsers);
  let problem = '';
  try {
    const { default: run } = await import(`./${name}/test.js`);
    await run(lab, { certificate });
    await lab.close();
    passed += 1;
  } catch (error) {
    problem = `${error.stack ?? error}\n${await lab.abandon()}`;
    failed += 1;
  }
  await browsers.close();
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${(problem ? 'FAILED' : 'ok').padEnd(7)} ${seconds} s  ${name}`);
  if (problem) console.log(`    ${problem.replaceAll('\n', '\n    ')}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
