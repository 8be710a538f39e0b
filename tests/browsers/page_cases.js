// What people do on the page beside seeing and hearing each other.

import jsqr from 'jsqr';
import { cases as calls, everyone, everyoneReceives } from './cases.js';
import { until } from './until.js';

const LANGUAGES = { en: 'Start a call', de: 'Gespräch beginnen', zh: '开始通话', ru: 'Начать звонок' };
const PHONE = { width: 360, height: 740 };

const pageCases = {
  'the page in four languages, at a phone’s width': async (enter) => {
    for (const [lang, words] of Object.entries(LANGUAGES)) {
      const reader = await enter('chromium', `reader-${lang}`, { lang, autojoin: '0', room: '', name: '', view: 'door', screen: PHONE });
      await reader.reads('#join', words);
      await reader.hasNoEmptyWords();
      await reader.fitsItsScreen();
      if (await reader.asks(() => document.documentElement.lang) !== lang) throw new Error(`the page does not say that it is ${lang}`);
    }
    const [phone] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu', lang: 'ru', screen: PHONE });
    for (const opened of ['', '#chat-open', '#count', '#path', '#devices-open']) {
      if (opened) await phone.clicks(opened);
      await phone.hasNoEmptyWords();
      await phone.fitsItsScreen();
      await phone.presses('Escape');
    }
  },

  'chat and names are shown as text, whatever they hold': async (enter) => {
    const [ana, bo] = await everyone(enter, ['chromium', 'firefox'], { mode: 'sfu' });
    const script = '<img src=x onerror="document.body.dataset.hacked=1"><script>document.body.dataset.hacked=1</script>';
    await bo.asks((name) => globalThis.roundturn.room.update({ name, meta: { avatar: name } }), `${script}\u202e\u0000שלום`);
    await bo.chats(script);
    await until('Ana is told of the message', 10, async () => (await ana.text('#unread')) === '1');
    await ana.clicks('#chat-open');
    await ana.reads('#messages .message-text', script);
    await ana.reads('#messages strong', script);
    await ana.clicks('#tab-people');
    await ana.reads('#people-list', script);
    await ana.chats('שלום ‮');
    await bo.reads('#messages', 'שלום');
    for (const person of [ana, bo]) {
      if (await person.asks(() => document.body.dataset.hacked ?? document.querySelector('#call img, #call script'))) throw new Error('it was read as HTML');
    }
  },

  'raised hands are seen by whoever comes later, and lowered by a moderator': async (enter) => {
    const [ana, bo] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu' });
    // At once: both stand in the list all the same.
    await Promise.all([ana.clicks('#hand'), bo.clicks('#hand')]);
    const cem = await enter('chromium', 'Cem', { mode: 'sfu' });
    for (const person of [ana, bo, cem]) await person.seesHandsOf(['Ana', 'Bo']);
    await ana.clicks('#count');
    await ana.clicks('#people-list [data-action^="lower"]');
    for (const person of [ana, bo, cem]) await person.seesHandsOf(['Ana']);
    await ana.clicks('#hand');
    for (const person of [ana, bo, cem]) await person.seesHandsOf([]);
  },

  'a moderator mutes, locks, removes and ends': async (enter) => {
    const [ana, bo, cem] = await everyone(enter, ['chromium', 'chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives([ana, bo, cem]);
    await ana.acceptsQuestions();
    await ana.clicks('#count');
    await ana.clicks('#people-list [data-action^="mute"]');
    await until('Bo’s microphone is muted', 10, () => bo.asks(() => document.querySelector('#mic').getAttribute('aria-pressed') === 'false'));
    await ana.clicks('#lock');
    await enter('chromium', 'late', { end: 'room_locked' });
    await ana.clicks('#lock');
    await ana.clicks('#people-list li:last-child [data-action^="remove"]');
    await cem.isAtTheEnd('removed');
    if (await bo.asks(() => !document.querySelector('#room-actions').hidden)) throw new Error('Bo is offered what only moderators may do');
    await ana.clicks('#end-all');
    await ana.isAtTheEnd('room_ended');
    await bo.isAtTheEnd('room_ended');
  },

  'who speaks is large, and whom somebody pins': async (enter) => {
    const [ana, bo, cem] = await everyone(enter, ['chromium', 'chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives([ana, bo, cem]);
    await ana.presses('l');
    const large = () => ana.asks(() => {
      const tile = document.querySelector('[data-focused="true"]');
      const widths = [...document.querySelectorAll('#grid .tile')].map((one) => one.clientWidth);
      return tile && tile.clientWidth > 2 * Math.min(...widths) && tile.querySelector('.tile-name').textContent;
    });
    await until('somebody is large', 10, large);
    for (const name of ['Bo', 'Cem']) {
      await ana.asks((who) => [...document.querySelectorAll('#grid .tile')].find((one) => one.textContent.includes(who)).querySelector('.tile-pin').click(), name);
      await until(`${name} is large`, 10, async () => (await large()) === name);
    }
    const full = await cem.cameraHeight();
    await ana.receivesHeight(cem, full);
    await ana.receivesHeight(bo, full / 4);
    await ana.presses('l');
    await until('all are alike', 10, () => ana.asks(() => new Set([...document.querySelectorAll('#grid .tile')].map((one) => one.clientWidth)).size === 1));
  },

  'another camera and microphone during the call': async (enter) => {
    const [ana, bo] = await everyone(enter, ['chromium', 'chromium'], { mode: 'sfu' });
    await everyoneReceives([ana, bo]);
    for (const [kind, source] of [['video', 'camera'], ['audio', 'microphone']]) {
      await ana.clicks('#devices-open');
      const wanted = await until(`there is another ${source}`, 10, () => ana.asks((kind) => document.querySelector(`#device-${kind}`).options[kind === 'video' ? 3 : 2]?.value, kind));
      await ana.chooses(`#device-${kind}`, wanted);
      await until(`the other ${source} is sent`, 10, () => ana.asks((source, wanted) => (
        globalThis.roundturn.room.you.publications.get(source).track.getSettings().deviceId === wanted), source, wanted));
      await ana.presses('Escape');
      await everyoneReceives([ana, bo]);
    }
  },

  'an invitation to scan': async (enter) => {
    const ana = await enter('chromium', 'Ana', { mode: 'mesh', key: 'a-key-of-ours' });
    await ana.clicks('#invite-show');
    const { data, info } = await ana.pixels('#invitation-code');
    const link = await ana.text('#invitation-link');
    if (!link.endsWith('&key=a-key-of-ours')) throw new Error(`the link has no key: ${link}`);
    const scanned = jsqr(data, info.width, info.height)?.data;
    if (scanned !== link) throw new Error(`scanned ${scanned} instead of ${link}`);
  },

  'encrypted by the link’s key, through the SFU': (enter) => encrypted(enter, 'sfu'),
  'encrypted by the link’s key, peer to peer': (enter) => encrypted(enter, 'mesh'),

  'a call that no packet reaches says why': async (enter) => {
    const ana = await enter('chromium', 'Ana', { mode: 'sfu', transport: 'nowhere' });
    await until('the page says that no packet reached the server', 40, async () => (await ana.text('#banner-words'))?.includes('No packet from here reached the server'));
    const record = await ana.asks(() => globalThis.roundturn.room.record());
    if (record.last_stage !== 'offer' || record.reason !== 'no_stun') throw new Error(JSON.stringify(record));
    const bo = await enter('chromium', 'Bo', { mode: 'sfu' });
    const cem = await enter('chromium', 'Cem', { mode: 'sfu' });
    await everyoneReceives([bo, cem]);
    await until('Bo’s call went all the way', 45, async () => {
      const whole = await bo.asks(() => globalThis.roundturn.room.record());
      if (whole.reason === 'ok' && whole.stages.length === 8 && whole.path === 'udp') return true;
      // What it lacks is told if it comes to that.
      throw new Error(JSON.stringify(whole));
    });
    await bo.asks(() => { globalThis.lastRoom = globalThis.roundturn.room; });
    await bo.leave();
    await until('the record says that Bo left', 10, async () => (await bo.asks(() => globalThis.lastRoom.record())).ended === 'left');
  },
};

/** Two with one key see and hear each other; who has another one sees nobody, and is told why. */
async function encrypted(enter, mode) {
  const people = await everyone(enter, ['firefox', 'chromium'], { mode, key: 'only-we-know-this' });
  await everyoneReceives(people);
  const eve = await enter('chromium', 'Eve', { mode, key: 'something-else' });
  await until('Eve is told that she has another key', 30, async () => (await eve.text('#toast'))?.includes('another key'));
  await everyoneReceives(people);
  const frames = await eve.framesDecoded();
  if (frames > 0) throw new Error(`Eve decoded ${frames} frames`);
}

export const cases = { ...calls, ...pageCases };
