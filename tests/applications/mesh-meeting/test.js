// Five people by RS256 tokens of their application's issuer.

import { everyoneSees } from '../lab.js';
import { until } from '../../browsers/until.js';
import { Issuer } from './issuer.js';

const FOLDER = new URL('.', import.meta.url).pathname;
const NAMES = ['Ana', 'Bo', 'Cem', 'Dee', 'Eli'];
/** How long the token is good that expires during the call; and the leeway of the server's clock. */
const SHORT_SECONDS = 4;
const LEEWAY_SECONDS = 5;

export default async function run(lab) {
  const issuer = new Issuer();
  const origin = await lab.serve([FOLDER], issuer.routes());
  await lab.daemon({ TOKENS__JWKS: `${origin}/keys.json`, TOKENS__ISSUER: 'mesh-meeting', TOKENS__AUDIENCE: 'calls', ROOMS__OPEN: 'false' });
  await lab.run('mesh-meeting', async (enter) => {
    const url = (name, more = '') => ({ url: `${origin}/#room=weekly&name=${name}${more}` });
    const people = [];
    for (const name of NAMES) {
      // Cem's descriptions come late, after his candidates; Dee's token is good for seconds.
      const more = name === 'Dee' ? `&seconds=${SHORT_SECONDS}` : '';
      people.push(await enter('chromium', name, { ...url(name, more), before: name === 'Cem' ? holdDescriptions : undefined }));
      await people.at(-1).reads('#words', `${name}, number ${people.length}`);
    }
    const expires = performance.now() + (SHORT_SECONDS + LEEWAY_SECONDS) * 1000;
    await everyoneSees(people, 4);
    await candidatesCameEarly(people);
    await outlivesItsToken(people, expires);
    await refused(enter, url, issuer);
    const again = await enter('chromium', 'Ana-again', url('Ana'));
    await again.reads('#words', 'Ana, number');
    await people[0].reads('#words', 'replaced');
    await everyoneSees([again, ...people.slice(1)], 4);
  });
}

/** Runs in the page: every description leaves half a second after the candidates that belong to it. */
function holdDescriptions() {
  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class extends Native {
    send(text) {
      if (text.includes('"description"')) setTimeout(() => super.send(text), 500);
      else super.send(text);
    }
  };
}

/** Whoever got something of Cem's got candidates first, and is connected all the same. */
async function candidatesCameEarly(people) {
  const early = await Promise.all(people.map((person) => person.asks(() => [...globalThis.meeting.peers.values()].reduce((sum, peer) => sum + peer.earlyCandidates, 0))));
  if (!early.some((count) => count > 0)) throw new Error(`no candidate came before its description: ${early}`);
}

/** Dee's token expires; the call goes on, also over a new WebSocket, and only a new join needs another token. */
async function outlivesItsToken(people, expires) {
  const dee = people[NAMES.indexOf('Dee')];
  await until('the token has expired', 30, () => performance.now() > expires);
  await everyoneSees(people, 4);
  await dee.asks(() => globalThis.socketsForTests.at(-1).close());
  await dee.reads('#words', 'Dee, back again');
  await everyoneSees(people, 4);
  await dee.asks(() => { globalThis.meeting.leave(); });
  await dee.reads('#words', 'left');
  await dee.asks(() => globalThis.meeting.connect());
  await dee.reads('#words', 'Your invitation has expired.');
  const token = await dee.asks(async () => (await (await fetch('/invitation', { method: 'POST', body: '{"name":"Dee","room":"weekly","seconds":600}' })).json()).token);
  await dee.asks((token) => { globalThis.meeting.token = token; globalThis.meeting.connect(); }, token);
  await dee.reads('#words', 'Dee, number');
  await everyoneSees(people, 4);
}

/** Tokens that somebody else signed, or nobody, or that are for something else. */
async function refused(enter, url, issuer) {
  const mallory = await enter('chromium', 'Mallory', url('Mallory', '&join=0'));
  await until('the page is ready', 10, () => mallory.asks(() => Boolean(globalThis.meeting)));
  const good = { sub: 'Mallory', room: 'weekly', exp: Math.floor(Date.now() / 1000) + 60, iss: 'mesh-meeting', aud: 'calls' };
  const [head, , signature] = issuer.sign(good).split('.');
  const body = Buffer.from(JSON.stringify({ ...good, sub: 'Ana' })).toString('base64url');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const [token, words] of [
    [new Issuer().sign(good), 'Your invitation is not valid.'],
    [`${head}.${body}.${signature}`, 'Your invitation is not valid.'],
    [`${unsigned}.${body}.`, 'Your invitation is not valid.'],
    [issuer.sign({ ...good, aud: 'mail' }), 'Your invitation is not valid.'],
    [issuer.sign({ ...good, room: 'board' }), 'forbidden'],
    [undefined, 'You need an invitation.'],
  ]) {
    await mallory.asks((token) => {
      document.getElementById('words').textContent = '';
      globalThis.meeting.token = token;
      globalThis.meeting.connect();
    }, token);
    await mallory.reads('#words', words);
  }
}
