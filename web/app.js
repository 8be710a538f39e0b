// The meeting page: from the door through the call to its end.
//
// The room stands in the fragment of the address, which never leaves the browser: `/#k3v9-q2xd`. More can be said there, for
// tests and for people who like to skip the form:
//
//   #room=NAME      the room; the short form #NAME is what links look like
//   &mode=mesh|sfu  what the room becomes if it does not exist yet
//   &name=Ana       how one is called
//   &token=eyJ…     the token, where the server asks for one; it is not passed on with the link for others
//   &key=…          the key of end-to-end encryption; it goes on with the link for others
//   &lang=de        the language, where none was chosen
//   &autojoin=1     joins at once
//   &relay=1        sends all media through TURN
//   &audio=0        without microphone    &video=0  without camera
//
// The elements have stable ids (#name #join #mic #camera #screen #hand #chat-open #copy #leave #path #count #layout); every tile
// has data-participant, data-source, data-you, data-muted, data-speaking, data-picture, data-connection, data-path and data-quality, every sound data-participant and
// data-source. `document.body.dataset.view` is door, call or end. While a call goes on, `window.roundturn.room` is the Room of roundturn.js.

import { RoundturnError, join } from './roundturn.js';
import { Call } from './page/call.js';
import { Door, isRoomName } from './page/door.js';
import { Devices } from './page/devices.js';
import { byId, element, showView } from './page/dom.js';
import { Media } from './page/media.js';
import { WORDS, endWords, fillTexts } from './page/words.js';

fillTexts();
const media = new Media();
const door = new Door(media, { start, join: enter, go: (fragment) => { location.hash = fragment; }, home, link });
new Devices(media);
let options = readFragment();
let call = null;
/** Counts the tries to get into a room: whoever goes elsewhere, or tries again, gives up the one before. */
let attempt = 0;

window.roundturn = { room: null, media };
addEventListener('hashchange', route);
addEventListener('pagehide', () => window.roundturn.room?.leave());
byId('again').addEventListener('click', () => (options.room ? enter(byId('name').value.trim()) : route()));
byId('new').addEventListener('click', home);
route();

function readFragment() {
  const fragment = location.hash.slice(1);
  const [first] = fragment.split('&');
  const values = new URLSearchParams(first.includes('=') ? fragment : `room=${fragment}`);
  const room = values.get('room') ?? '';
  return {
    room: isRoomName(room) ? room : null,
    invalid: room !== '' && !isRoomName(room),
    mode: ['mesh', 'sfu'].includes(values.get('mode')) ? values.get('mode') : undefined,
    name: values.get('name') ?? '',
    token: values.get('token') ?? undefined,
    key: values.get('key') || undefined,
    autojoin: values.get('autojoin') === '1',
    relay: values.get('relay') === '1',
    audio: values.get('audio') !== '0',
    video: values.get('video') !== '0',
  };
}

// The address changed: another room, or none.
function route() {
  attempt += 1;
  options = readFragment();
  window.roundturn.room?.leave();
  media.wantAudio = options.audio;
  media.wantVideo = options.video;
  document.title = options.room ? `${options.room} · roundturn` : 'roundturn';
  if (options.autojoin && options.room) return void enter(options.name);
  if (!options.room) media.closeAll();
  showView('door');
  door.show(options.room, options.name);
  if (options.invalid) door.problem(WORDS.invalidRoom);
}

/** The link that others join by. */
function link() {
  return `${location.origin}${location.pathname}#${options.room}${options.key ? `&key=${encodeURIComponent(options.key)}` : ''}`;
}

function home() {
  if (!location.hash) return route();
  location.hash = '';
}

// Makes a room and goes to its lobby. Where the API makes none, the name does as soon as somebody joins.
async function start(mode, encrypts) {
  door.busy(true);
  const wish = { mode, ...(mode === 'mesh' ? { max_participants: 2 } : {}) };
  let room = randomName();
  try {
    const response = await fetch('/api/rooms', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
    if (response.ok) room = (await response.json()).room;
  } catch {
    // Without the server joining fails as well, and says so.
  }
  location.hash = [room, mode === 'mesh' && 'mode=mesh', encrypts && `key=${randomKey()}`].filter(Boolean).join('&');
}

// 128 bits, in letters that links may hold.
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Letters and digits that nobody mistakes for one another.
function randomName() {
  const letters = 'abcdefghjkmnpqrstvwxyz23456789';
  const part = () => [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => letters[byte % letters.length]).join('');
  return `${part()}-${part()}`;
}

async function enter(name) {
  const mine = ++attempt;
  door.busy(true);
  byId('again').disabled = true;
  await media.open();
  if (mine !== attempt) return;
  const tracks = [];
  if (media.audio) tracks.push({ track: media.audio, source: 'microphone' });
  if (media.video) tracks.push({ track: media.video, source: 'camera' });
  try {
    const room = await join({
      room: options.room,
      name,
      token: options.token,
      tracks,
      create: { mode: options.mode, ...(options.mode === 'mesh' && !options.autojoin ? { max_participants: 2 } : {}) },
      iceTransportPolicy: options.relay ? 'relay' : 'all',
      ...(options.key ? { encryption: { key: options.key } } : {}),
    });
    if (mine !== attempt) return room.leave();
    begin(room);
  } catch (error) {
    if (mine === attempt) finish(error);
  }
}

function begin(room) {
  door.hide();
  showView('call');
  window.roundturn.room = room;
  call = new Call(room, media, link(), Boolean(options.key));
  room.addEventListener('state', ({ state, error }) => {
    if (state === 'closed') finish(error);
  });
}

function finish(error) {
  call?.close();
  call = null;
  window.roundturn.room = null;
  media.closeAll();
  door.hide();
  const code = error instanceof RoundturnError ? error.code : 'internal';
  if (code === 'internal') console.error(error);
  const { title, words, tips } = endWords(code);
  byId('end').dataset.reason = code;
  byId('end-title').textContent = title;
  byId('end-words').textContent = words;
  byId('end-tips').hidden = tips.length === 0;
  byId('end-tips').replaceChildren(...tips.map((textContent) => element('li', { textContent })));
  showView('end');
  byId('again').disabled = false;
  byId('again').focus();
}
