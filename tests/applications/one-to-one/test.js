// Two people in different homes, and a server in a third one, whose router forwards a few ports.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { everyoneSees } from '../lab.js';
import { until } from '../../browsers/until.js';

const FOLDER = new URL('.', import.meta.url).pathname;
const [EXTERNAL, PRIVATE] = ['203.0.113.7', '192.168.77.10'];
const URL_OUTSIDE = `http://${EXTERNAL}:9000`;
const SECONDS = 60;
/** How far the music of two may be apart. */
const APART = 0.05;

export default async function run(lab) {
  execFileSync(`${FOLDER}network.sh`);
  const namespace = 'server';
  await lab.daemon({ ADDRESS__EXTERNAL: EXTERNAL }, { namespace, http: '0.0.0.0:8080', udp: '49160-49199', outside: EXTERNAL });
  const extra = mkdtempSync(`${tmpdir()}/one-to-one-`);
  writeFileSync(`${extra}/music.wav`, tone());
  await lab.serveInside(namespace, [FOLDER, extra]);
  await lab.run('one-to-one', async (enter) => {
    const at = (name, url = URL_OUTSIDE) => ({ url, namespace: `person-${name}`, trusted: URL_OUTSIDE });
    const ana = await enter('chromium', 'Ana', at('a'));
    const id = await until('the room has an id of eight characters', 10, async () => /^\w{8}$/.test(await ana.text('#room')) && ana.text('#room'));
    await ana.reads('#words', 'Waiting for the other one');
    const bo = await enter('chromium', 'Bo', at('b', `${URL_OUTSIDE}/#${id}`));
    for (const person of [ana, bo]) await person.reads('#words', 'Connected, through the relay.');
    await everyoneSees([ana, bo], 1);
    const late = await enter('chromium', 'late', at('b', `${URL_OUTSIDE}/#${id}`));
    await late.reads('#words', 'There are two in this room already.');
    await relayedByItsOuterAddress(ana);
    await music(ana, bo);
    await bo.clicks('#hang-up');
    await bo.reads('#words', 'You hung up.');
    await ana.reads('#words', 'The other one has left.');
    // Who comes back is in step with what played on.
    const again = await enter('chromium', 'Bo-again', at('b', `${URL_OUTSIDE}/#${id}`));
    await again.reads('#words', 'Connected, through the relay.');
    await inStep(ana, again);
  });
}

/** The server announces its router's address, never its own, and relays have it too. */
async function relayedByItsOuterAddress(person) {
  const addresses = await person.asks(async () => {
    const [connection] = globalThis.connectionsForTests;
    return [...(await connection.getStats()).values()].filter((one) => one.candidateType === 'relay').map((one) => one.address ?? one.ip);
  });
  if (!addresses.length || addresses.some((one) => one !== EXTERNAL)) throw new Error(`relays at ${addresses}, not at ${EXTERNAL}`);
  const urls = await person.asks(() => globalThis.connectionsForTests[0].getConfiguration().iceServers.flatMap(({ urls }) => urls).join());
  if (urls.includes(PRIVATE) || !urls.includes(EXTERNAL)) throw new Error(`servers: ${urls}`);
}

async function music(ana, bo) {
  await ana.clicks('#play');
  await inStep(ana, bo);
  await bo.clicks('#pause');
  for (const person of [ana, bo]) await until('the music stands still', 10, () => person.asks(() => document.getElementById('music').paused));
  await bo.clicks('#play');
  await inStep(ana, bo);
}

/** Ten readings in a row, each at most 50 ms apart. */
async function inStep(one, other) {
  const place = (person) => person.asks(() => {
    const music = document.getElementById('music');
    return !music.paused && { position: music.currentTime, at: (performance.timeOrigin + performance.now()) / 1000 };
  });
  let good = 0;
  let worst = 0;
  await until('the music of both is at one place', SECONDS, async () => {
    const [a, b] = await Promise.all([place(one), place(other)]);
    const apart = a && b ? Math.abs(a.position - a.at - (b.position - b.at)) : Infinity;
    good = apart <= APART ? good + 1 : 0;
    worst = good === 1 ? apart : Math.max(worst, apart);
    return good >= 10;
  });
  console.log(`        the music of two: at most ${(worst * 1000).toFixed(0)} ms apart in ten readings`);
}

/** A minute of a tone, as a WAV file: 8 kHz, 8 bits. */
function tone() {
  const [rate, seconds] = [8000, 60];
  const bytes = Buffer.alloc(44 + rate * seconds);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + rate * seconds, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  for (const [value, at] of [[1, 20], [1, 22], [1, 32], [8, 34]]) bytes.writeUInt16LE(value, at);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.write('data', 36);
  bytes.writeUInt32LE(rate * seconds, 40);
  for (let at = 0; at < rate * seconds; at++) bytes[44 + at] = 128 + 60 * Math.sin((at * 2 * Math.PI * 440) / rate);
  return bytes;
}
