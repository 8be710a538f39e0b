// The calls that must work, each in a room of its own.

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

  'through the SFU over the relay only, two': async (enter) => {
    const people = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu', relay: '1' });
    await everyoneReceives(people);
    await everyoneIsRelayed(people);
  },

  'through the SFU, Firefox and Chromium': async (enter) => {
    const people = await everyone(enter, ['firefox', 'chromium'], { mode: 'sfu' });
    await everyoneReceives(people);
  },
};

const NAMES = ['Ana', 'Bo', 'Cem'];

/** Lets them in one after the other, so that the order of joining is known. */
async function everyone(enter, browsers, options) {
  const people = [];
  for (const [index, browser] of browsers.entries()) people.push(await enter(browser, NAMES[index], options));
  return people;
}

async function everyoneReceives(people) {
  await Promise.all(people.map((person) => person.receivesFrom(people.filter((other) => other !== person))));
}

/** Where everyone can reach everyone, nothing needs the relay. */
async function nobodyIsRelayed(people) {
  for (const person of people) await person.settlesOn(({ local }) => local !== 'relay', 'sends straight');
}

async function everyoneIsRelayed(people) {
  for (const person of people) await person.settlesOn(({ local }) => local === 'relay', 'sends through the relay');
}

/** Two browsers that reach each other through their relays, and these over one transport. */
async function relayedOver(enter, transport) {
  const people = await everyone(enter, ['firefox', 'chromium'], { mode: 'mesh', relay: '1', transport });
  await everyoneReceives(people);
  const isRight = ({ local, relayProtocol }) => local === 'relay' && relayProtocol === transport;
  for (const person of people) await person.settlesOn(isRight, `sends through the relay, over ${transport}`);
}
