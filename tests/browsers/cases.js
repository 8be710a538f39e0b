// The calls that must work, each in a room of its own.

import { token } from './token.js';

/** Name and course of each; `enter(browser, name, options)` lets a participant into the room. */
export const cases = {
  'peer to peer, two': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium'], { mode: 'mesh' });
    await everyoneReceives(people);
    await nobodyIsRelayed(people);
    await people[0].leave();
    await people[1].isAlone();
  },

  'peer to peer over the relay only, two': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium'], { mode: 'mesh', relay: '1' });
    await everyoneReceives(people);
    await everyoneIsRelayed(people);
  },

  'peer to peer, Firefox and Chromium': async (enter) => {
    const people = await everyone(enter, ['firefox', 'chromium'], { mode: 'mesh' });
    await everyoneReceives(people);
  },

  'peer to peer over the relay only, by UDP, Firefox and Chromium': (enter) => relayedOver(enter, 'udp'),

  'peer to peer over the relay only, by TCP, Firefox and Chromium': (enter) => relayedOver(enter, 'tcp'),

  'peer to peer over the relay only, by TLS, Firefox and Chromium': (enter) => relayedOver(enter, 'tls'),

  'through the SFU, three': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives(people);
    await nobodyIsRelayed(people);
    await people[0].leave();
    await everyoneReceives(people.slice(1));
  },

  'through the SFU, a screen with its sound': async (enter) => {
    const [ana, bo] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu' });
    await ana.sharesScreen();
    await bo.receivesScreenOf(ana);
  },

  'through the SFU, layers by the size of the tile': async (enter) => {
    const [ana, bo, cem] = await everyone(enter, ['chromium', 'chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives([ana, bo, cem]);
    const full = await ana.cameraHeight();
    await bo.views(ana, full / 4);
    await cem.views(ana, full);
    await bo.receivesHeight(ana, full / 4);
    await cem.receivesHeight(ana, full);
    await cem.views(ana, full / 2);
    await cem.receivesHeight(ana, full / 2);
    await ana.encodes([full / 4, full / 2]);
  },

  'through the SFU, layers from Firefox': async (enter) => {
    const [ana, bo] = await everyone(enter, ['firefox', 'chromium'], { mode: 'sfu' });
    await everyoneReceives([ana, bo]);
    const full = await ana.cameraHeight();
    await bo.views(ana, full / 4);
    await bo.receivesHeight(ana, full / 4);
    await bo.views(ana, full);
    await bo.receivesHeight(ana, full);
  },

  'through the SFU, layers inside one encoding: VP9': async (enter) => scalable(enter, 'vp9'),
  'through the SFU, layers inside one encoding: AV1': async (enter) => scalable(enter, 'av1'),

  'through the SFU over the relay only, by UDP, Firefox and two Chromium': async (enter) => layersOver(enter, 'udp'),
  'through the SFU over the relay only, by TCP, Firefox and two Chromium': async (enter) => layersOver(enter, 'tcp'),
  'through the SFU over the relay only, by TLS, Firefox and two Chromium': async (enter) => layersOver(enter, 'tls'),

  'through the SFU, a link that narrows and widens': (enter) => narrows(enter, 'link'),
  'through the SFU, a link without a queue that narrows and widens': (enter) => narrows(enter, 'policed'),

  'through the SFU over TCP, Firefox and Chromium': async (enter) => {
    const people = await everyone(enter, ['firefox', 'chromium'], { mode: 'sfu', transport: 'ice-tcp' });
    await everyoneReceives(people);
    for (const person of people) {
      await person.settlesOn(({ protocol, local }) => protocol === 'tcp' && local !== 'relay', 'sends straight, over TCP');
      await person.isSaidToUse('tcp');
    }
  },

  'through the SFU, Firefox and Chromium': async (enter) => {
    const people = await everyone(enter, ['firefox', 'chromium'], { mode: 'sfu' });
    await everyoneReceives(people);
  },

  'through the SFU, messages on data channels, two Chromium and Firefox': async (enter) => {
    const people = await everyone(enter, ['chromium', 'firefox', 'chromium'], { mode: 'sfu' });
    await everyoneReceives(people);
    for (const person of people) await person.listensForData();
    for (const person of people) await person.sendsData();
    for (const person of people) await person.getsDataOf(people.filter((other) => other !== person));
    await everyoneReceives(people);
  },

  'through the SFU, encrypted end to end, two': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu', encrypt: 77 });
    await everyoneReceives(people);
    for (const person of people) await person.ciphersEverything();
  },

  'through the SFU, encrypted end to end, layers inside one encoding: VP9': async (enter) => scalable(enter, 'vp9', { encrypt: 78 }),

  'through the SFU, encrypted end to end, layers inside one encoding: AV1': async (enter) => scalable(enter, 'av1', { encrypt: 79 }),

  'through the SFU, encrypted end to end: H264': async (enter) => {
    const [ana, bo] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu', encrypt: 80 });
    await everyoneReceives([ana, bo]);
    await ana.publishesAs('h264');
    await bo.receivesCodec(ana, 'h264');
    for (const person of [ana, bo]) await person.ciphersEverything();
  },

  'by token, whoever has one and nobody else': async (enter) => {
    const room = 'by-token-whoever-has-one-and-nobody-else';
    const ana = await enter('chromium', 'Ana', { mode: 'mesh', token: token({ sub: 'ana', name: 'Ana of the token', room }) });
    const bo = await enter('chromium', 'Bo', { mode: 'mesh', token: token({ sub: 'bo', room }) });
    await everyoneReceives([ana, bo]);
    await bo.seesNames(['Ana of the token']);
    await enter('chromium', 'no-token', { token: '', end: 'auth_required' });
    await enter('chromium', 'forged', { token: token({ room }, { secret: 'another secret, not the right one' }), end: 'auth_invalid' });
    await enter('chromium', 'unsigned', { token: token({ room }, { header: { alg: 'none' } }), end: 'auth_invalid' });
    await enter('chromium', 'expired', { token: token({ room, exp: 1 }), end: 'auth_expired' });
    await enter('chromium', 'elsewhere', { token: token({ room: 'elsewhere' }), end: 'forbidden' });
    const again = await enter('chromium', 'Ana-again', { mode: 'mesh', token: token({ sub: 'ana', name: 'Ana again', room }) });
    await ana.isAtTheEnd('replaced');
    await everyoneReceives([again, bo]);
  },

  'through the SFU, the WebSocket gone for ten seconds': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives(people);
    await Promise.all(people.map((person) => person.losesSignalingFor(10)));
    await everyoneReceives(people);
  },
};

const NAMES = ['Ana', 'Bo', 'Cem'];

/** Lets them in one after the other, so that the order of joining is known. */
export async function everyone(enter, browsers, options) {
  const people = [];
  for (const [index, browser] of browsers.entries()) people.push(await enter(browser, NAMES[index], options));
  return people;
}

/** Ana's camera again, as a screen in one encoding of three sizes; Bo gets the one that he shows. */
async function scalable(enter, codec, options = {}) {
  const [ana, bo] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu', ...options });
  await everyoneReceives([ana, bo]);
  const full = await ana.cameraHeight();
  await ana.publishesAs(codec);
  await bo.receivesCodec(ana, codec);
  for (const height of [full / 4, full, full / 2]) {
    await bo.views(ana, height, 'screen');
    await bo.receivesHeight(ana, height, 'screen');
  }
}

export async function everyoneReceives(people) {
  await Promise.all(people.map((person) => person.receivesFrom(people.filter((other) => other !== person))));
}

/** Where everyone can reach everyone, nothing needs the relay. */
async function nobodyIsRelayed(people) {
  for (const person of people) await person.settlesOn(({ local }) => local !== 'relay', 'sends straight');
}

async function everyoneIsRelayed(people) {
  for (const person of people) await person.settlesOn(({ local }) => local === 'relay', 'sends through the relay');
}

/** Bo's link has 3 Mbit/s, then 600 kbit/s, then 3 Mbit/s again, and loses packets: he sees less, then all again, and always something. */
async function narrows(enter, transport) {
  const ana = await enter('chromium', 'Ana', { mode: 'sfu' });
  const bo = await enter('chromium', 'Bo', { mode: 'sfu', transport });
  const full = await ana.cameraHeight();
  bo.narrowsTo(3e6);
  await bo.receivesFrom([ana]);
  await bo.views(ana, full);
  await bo.receivesHeight(ana, full);
  await bo.watchesSmoothness();
  bo.narrowsTo(600e3);
  // Without a queue the full height may fit for a while, when little moves, and is tried again and again.
  if (transport === 'policed') await bo.settlesOnHeight(() => true, { lasting: 20, within: 40 });
  else await bo.settlesOnHeight((height) => height < full, { lasting: 10, within: 30 });
  bo.narrowsTo(3e6);
  await bo.settlesOnHeight((height) => height === full, { lasting: 2, within: 20 });
  await bo.sawAndHeardSmoothly();
}

/** Three who reach the SFU through their relays, and each gets the layer that it shows. */
async function layersOver(enter, transport) {
  const people = await relayedOver(enter, transport, { mode: 'sfu', browsers: ['firefox', 'chromium', 'chromium'] });
  const [, ana, bo] = people;
  const full = await ana.cameraHeight();
  for (const height of [full / 4, full / 2]) {
    await bo.views(ana, height);
    await bo.receivesHeight(ana, height);
  }
}

/** Browsers whose packets go through their relays, and to these over one transport. */
async function relayedOver(enter, transport, { mode = 'mesh', browsers = ['firefox', 'chromium'] } = {}) {
  const people = await everyone(enter, browsers, { mode, relay: '1', transport });
  await everyoneReceives(people);
  const isRight = ({ local, relayProtocol }) => local === 'relay' && relayProtocol === transport;
  for (const person of people) await person.settlesOn(isRight, `sends through the relay, over ${transport}`);
  return people;
}
