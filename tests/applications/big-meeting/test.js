// Fifty people: five in browsers, of whom two get out over TLS only, and forty-five lightweight clients.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { everyoneSees } from '../lab.js';
import { fakeScreen } from '../screen.js';
import { NAME } from '../../browsers/daemon.js';
import { until } from '../../browsers/until.js';

const FOLDER = new URL('.', import.meta.url).pathname;
const PEOPLE = 50;
const CAMERAS = 2;
/** Packets by which a lightweight client's camera is known to come: what it sends is no picture that could be shown. */
const PACKETS = 100;
const FOUR_HOURS = 4 * 3600_000;
const PORTS = [51000, 51029];
/** Those of the lab. */
const ADDRESSES = ['10.99.0.1', 'fd99::1'];

export default async function run(lab, { certificate }) {
  const origin = await lab.serve([FOLDER]);
  const daemon = await lab.daemon(
    { ADDRESS__EXTERNAL: NAME, TLS__CERTIFICATE: certificate.certificate, TLS__KEY: certificate.key, ROOMS__MAX_PARTICIPANTS: '50' },
    { udp: PORTS.join('-') },
  );
  await lab.run('big-meeting', async (enter) => {
    const person = (name, { transport, kind = 'chromium', more = '' } = {}) => (
      enter(kind, name, { url: `${origin}/#room=all-hands&name=${name}${transport ? '&relay=1' : ''}${more}`, transport, before: fakeScreen }));
    const ana = await person('Ana');
    await ana.reads('#words', '1 people');
    const people = [ana, await person('Bo'), await person('Cem', { kind: 'firefox' }), await person('Dee', { transport: 'tls' }), await person('Eli', { transport: 'tls' })];
    const crowd = await come(daemon, PEOPLE - people.length);
    for (const one of people) await one.reads('#words', `${PEOPLE} people`);
    await everyoneSees(people, people.length - 1, 90);
    for (const one of people) {
      await until(`${one.name} gets the cameras of lightweight clients`, 45, async () => (await one.asks(countCameras, PACKETS)) >= people.length - 1 + CAMERAS);
    }
    await untilFourHours(ana);
    for (const one of people.slice(3)) await one.reads('#path', 'relay over tls');
    await ana.reads('#path', 'direct over udp');
    await (await person('late')).reads('#words', 'There are 50 here already.');
    await tells(daemon, PEOPLE);
    await ana.clicks('#screen');
    for (const one of people.slice(1)) {
      await until(`${one.name} sees the screen`, 45, () => one.asks(() => document.querySelector('video.screen')?.videoWidth > 0));
    }
    await portsAreOurs(daemon, ana);
    console.log(`        the crowd: ${await go(crowd)}`);
    // They went without a word: their places are kept for half a minute.
    for (const one of people) await until(`${one.name} is told that they are gone`, 60, async () => (await one.text('#words')) === `${people.length} people`);
    const short = await enter('chromium', 'short', { url: `${origin}/#room=short&name=short&seconds=3` });
    await short.reads('#words', 'The time is up.');
  });
}

/** The lightweight clients are those of the bench. */
async function come(daemon, count) {
  const server = new URL(daemon.url).host;
  const words = ['crowd', '--server', server, '--room', 'all-hands', '--count', String(count), '--cameras', String(CAMERAS)];
  const child = spawn(bench(), words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const told = await Promise.race([once(child.stdout, 'data').then(([text]) => String(text)), once(child, 'exit').then(([code]) => `ended with ${code}`)]);
  if (!told.startsWith(`connected ${count}`)) throw new Error(`the crowd: ${told}`);
  return child;
}

/** Sends them home; what they say of it. */
async function go(child) {
  const said = once(child.stdout, 'data');
  child.stdin.end();
  const [text] = await said;
  const [, least] = /for each at least (\d+)/.exec(text) ?? [];
  // Every one of them had a picture and a sound.
  if (!(least >= PACKETS)) throw new Error(`the crowd got ${text}`);
  return String(text).trim();
}

/** The newest build of the bench. */
function bench() {
  const folder = new URL('../../../target/debug/deps/', import.meta.url).pathname;
  const found = readdirSync(folder).filter((name) => /^room-[0-9a-f]+$/.test(name)).map((name) => `${folder}${name}`);
  if (!found.length) throw new Error('the bench "room" is not built: cargo build --all-targets');
  return found.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs)[0];
}

/** Runs in the page: how many cameras so many packets came of. */
async function countCameras(packets) {
  const { participants } = await globalThis.room.stats();
  return Object.values(participants).filter(({ publications }) => publications.camera?.packets >= packets).length;
}

async function untilFourHours(person) {
  const left = await person.asks(() => globalThis.room.info.expires_at - globalThis.room.serverTime());
  if (left > FOUR_HOURS || left < FOUR_HOURS - 300_000) throw new Error(`the room goes on for ${left} ms`);
}

async function tells(daemon, participants) {
  const health = await (await fetch(`${daemon.url}/health`)).json();
  if (health.activeParticipants !== participants) throw new Error(`/health: ${JSON.stringify(health)}`);
}

/** Every UDP port that is announced is in the narrow range, all under one address of each family; relays take the rest of it. */
async function portsAreOurs(daemon, person) {
  const candidates = await person.asks(async () => {
    const stats = [...(await globalThis.connectionsForTests[0].getStats()).values()];
    return stats.filter(({ type, protocol }) => type === 'remote-candidate' && protocol === 'udp').map(({ address, port }) => ({ address, port }));
  });
  const isOurs = ({ address, port }) => ADDRESSES.includes(address) && port >= PORTS[0] && port <= PORTS[1];
  if (!candidates.length || !candidates.every(isOurs)) throw new Error(`announced: ${JSON.stringify(candidates)}`);
  const used = Object.entries(await daemon.metrics()).filter(([name]) => name.startsWith('roundturn_relay_ports_in_use')).reduce((all, [, value]) => all + value, 0);
  if (!(used >= 2 && used <= PORTS[1] - PORTS[0] + 1)) throw new Error(`${used} ports in use`);
}
