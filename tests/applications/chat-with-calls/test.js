// People chat, call, share and go, several times over; afterwards the server has nothing left of them.

import { everyoneSees } from '../lab.js';
import { fakeScreen } from '../screen.js';
import { until } from '../../browsers/until.js';

const FOLDER = new URL('.', import.meta.url).pathname;
const NAMES = ['Ana', 'Bo', 'Cem', 'Dee'];
const ROUNDS = 3;
/** What is there while there are people, and must be gone without them. */
const GONE = /^roundturn_(sfu_(rooms|participants|participants_connected|tracks)|turn_allocations|relay_ports_in_use|stream_connections|udp_sessions)\b/;
const TESTED = 'roundturn_selftest_last_run_timestamp_seconds{check="turn_udp"}';
const RELAYS = 'roundturn_relay_ports_in_use{owner="turn"}';
/** Allocators keep some of what they had. */
const MORE_BYTES = 12e6;

export default async function run(lab) {
  const origin = await lab.serve([FOLDER]);
  const daemon = await lab.daemon({ ROOMS__EMPTY_TIMEOUT: '1s' });
  const idle = await atRest(daemon);
  let first = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await lab.run(`chat-with-calls-${round}`, (enter) => evening(enter, origin, daemon));
    await until('nothing is left on the server', 60, async () => JSON.stringify(gauges(await daemon.metrics())) === JSON.stringify(idle)).catch(async (error) => {
      throw new Error(`${error.message}\nbefore: ${JSON.stringify(idle)}\nafter: ${JSON.stringify(gauges(await daemon.metrics()))}`);
    });
    first ||= daemon.residentBytes();
  }
  const more = daemon.residentBytes() - first;
  console.log(`        after ${ROUNDS} evenings ${(more / 1e6).toFixed(1)} MB more than after the first`);
  if (more > MORE_BYTES) throw new Error(`${more} bytes more after ${ROUNDS} rounds than after one`);
  if (Object.keys(idle).length < 4) throw new Error(`these metrics are too few to tell: ${JSON.stringify(idle)}`);
}

/** What there is without people, once the daemon has tested itself: that takes a relay of its own for a moment. */
async function atRest(daemon) {
  return until('the daemon has tested itself', 30, async () => {
    const metrics = await daemon.metrics();
    return metrics[TESTED] > 0 && metrics[RELAYS] === 0 && gauges(metrics);
  });
}

function gauges(metrics) {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => GONE.test(name)).sort());
}

async function evening(enter, origin, daemon) {
  const person = (name) => enter('chromium', name, { url: `${origin}/#room=friends&name=${name}`, before: fakeScreen });
  const people = [];
  for (const name of NAMES.slice(0, 3)) people.push(await person(name));
  const [ana, bo, cem] = people;
  await cem.reads('#words', '3 here');
  await ana.asks(() => { document.getElementById('text').value = 'Who is up for a call?'; });
  await ana.clicks('#form button');
  for (const one of people) await one.reads('#log', 'Ana: Who is up for a call?');
  for (const one of people) await one.clicks('#call');
  await everyoneSees(people, 2);
  await until('the server knows of six tracks', 10, async () => tracks(await daemon.metrics()) === 6);
  await bo.clicks('#screen');
  await everyoneSees([ana, cem], 3);
  await has(ana, 'audio', 2);
  await ana.clicks('#camera');
  await has(bo, 'video', 1);
  await has(cem, 'video', 2);
  await ana.clicks('#camera');
  await ana.clicks('#sound');
  await everyoneSees([bo], 2);
  await has(bo, 'audio', 1);
  const dee = await person('Dee');
  await everyoneSees([dee], 4);
  await bo.clicks('#screen');
  await has(dee, 'video', 3);
  await cem.clicks('#call');
  await has(dee, 'video', 2);
  await ana.asks(() => globalThis.room.leave());
  await dee.reads('#log', 'Ana: left');
  await has(dee, 'video', 1);
}

async function has(person, kind, count) {
  await until(`${person.name} has ${count} of ${kind}`, 20, async () => (await person.asks((kind) => document.querySelectorAll(kind).length, kind)) === count);
}

function tracks(metrics) {
  return Object.entries(metrics).filter(([name]) => name.startsWith('roundturn_sfu_tracks')).reduce((sum, [, value]) => sum + value, 0);
}
