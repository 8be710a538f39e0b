// A verse and a timer that are the same for everyone, and what whoever runs the server can see of the sessions.

import { until } from '../../browsers/until.js';

const FOLDER = new URL('.', import.meta.url).pathname;
/** How far the timers of two may be apart, in milliseconds. */
const APART = 50;

export default async function run(lab) {
  const origin = await lab.serve([FOLDER]);
  const daemon = await lab.daemon({ ROOMS__EMPTY_TIMEOUT: '1s' });
  await tells(daemon, { activeSessions: 0, activeParticipants: 0 });
  await lab.run('reading-session', async (enter) => {
    const reader = (name, session = 'evening') => enter('chromium', name, { url: `${origin}/#session=${session}&name=${name}` });
    const [ana, bo] = [await reader('Ana'), await reader('Bo')];
    for (const person of [ana, bo]) await person.reads('#sound', '1 heard');
    await ana.clicks('#next');
    for (const person of [ana, bo]) await person.reads('#verse', '2. A time to be born');
    await bo.clicks('#next');
    for (const person of [ana, bo]) await person.reads('#verse', '3. A time to kill');
    await ana.clicks('#start');
    for (const person of [ana, bo]) await person.reads('#timer', '4:5');
    const late = await reader('late');
    await until('who came late has read something', 10, () => late.asks(() => Boolean(globalThis.reading)));
    const first = await late.asks(() => globalThis.reading.firstVerse);
    if (first !== 2) throw new Error(`who came late saw verse ${first + 1} first`);
    await timersAgree([ana, bo, late]);
    const other = await reader('Other', 'morning');
    await other.reads('#verse', '1. To everything');
    await tells(daemon, { activeSessions: 2, activeParticipants: 4 });
    await counts(daemon);
    // Who loses the connection for a moment has the verse that was turned to meanwhile.
    await bo.asks(() => { globalThis.isCut = true; globalThis.socketsForTests.forEach((socket) => socket.close()); });
    await ana.clicks('#back');
    await bo.asks(() => { globalThis.isCut = false; });
    for (const person of [ana, bo, late]) await person.reads('#verse', '2. A time to be born');
    for (const person of [ana, bo, late, other]) await person.asks(() => globalThis.room.leave());
    await tells(daemon, { activeSessions: 0, activeParticipants: 0 });
    await until('four sessions are counted that ended', 10, async () => {
      const ended = Object.entries(await daemon.metrics()).filter(([name]) => name.startsWith('roundturn_sessions_ended_total{') && name.includes('"mesh"'));
      return ended.reduce((all, [, value]) => all + value, 0) === 4;
    });
  });
}

async function timersAgree(people) {
  await until('all timers say the same', 20, async () => {
    const ends = await Promise.all(people.map((person) => person.asks(() => globalThis.reading.remaining() + performance.timeOrigin + performance.now())));
    return Math.max(...ends) - Math.min(...ends) < APART;
  });
}

/** `/health` is for whoever watches from outside. */
async function tells(daemon, wanted) {
  await until(`/health tells ${JSON.stringify(wanted)}`, 20, async () => {
    const { status, timestamp, ...counts } = await (await fetch(`${daemon.url}/health`)).json();
    return status === 'ok' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(timestamp) && JSON.stringify(counts) === JSON.stringify(wanted);
  });
}

/** The metrics, which are a second behind, know people, ports and states. */
async function counts(daemon) {
  for (const [part, holds] of [
    ['roundturn_signal_messages_total', (values) => values.some((value) => value > 0)],
    ['roundturn_sfu_joins_total{result="ok"}', ([value]) => value === 4],
    ['roundturn_relay_ports', (values) => values.some((value) => value > 0)],
    ['roundturn_turn_allocations', (values) => values.every((value) => value >= 0)],
    ['roundturn_sfu_participants', (values) => values.every((value) => value === 0)],
    ['roundturn_selftest_success', ([value]) => value === 1],
  ]) {
    await until(`the metrics tell of ${part}`, 10, async () => {
      const found = Object.entries(await daemon.metrics()).filter(([name]) => name.startsWith(part));
      return found.length && holds(found.map(([, value]) => value));
    });
  }
}
