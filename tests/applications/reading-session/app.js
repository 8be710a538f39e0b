// People read a text together and talk about it: the verse and the timer are kept by the room, so that everyone sees the same,
// also who comes later. Address: #session=NAME&name=NAME

import { join } from '/lib/roundturn.js';

const VERSES = [
  'To everything there is a season, and a time to every purpose under the heaven.',
  'A time to be born, and a time to die; a time to plant, and a time to pluck up that which is planted.',
  'A time to kill, and a time to heal; a time to break down, and a time to build up.',
  'A time to weep, and a time to laugh; a time to mourn, and a time to dance.',
];
const FIVE_MINUTES = 300_000;
const wish = new URLSearchParams(location.hash.slice(1));
const byId = (id) => document.getElementById(id);

const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
const room = await join({
  url: `ws://${location.hostname}:8080/ws`,
  room: wish.get('session'),
  name: wish.get('name'),
  create: { mode: 'mesh', max_participants: 8 },
  tracks: microphone.getTracks().map((track) => ({ track })),
});
globalThis.room = room;

const verse = () => room.kept.get('verse')?.data.number ?? 0;
const remaining = () => Math.max(0, (room.kept.get('timer')?.data.ends ?? 0) - room.serverTime());
globalThis.reading = { verse, remaining, firstVerse: verse() };

function show() {
  byId('verse').textContent = `${verse() + 1}. ${VERSES[verse()]}`;
  byId('people').textContent = [room.you, ...room.participants].map(({ name }) => name).join(', ');
}

function tick() {
  const seconds = Math.ceil(remaining() / 1000);
  byId('timer').textContent = seconds ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}` : 'no timer';
}

function turn(by) {
  const number = Math.min(VERSES.length - 1, Math.max(0, verse() + by));
  room.send('verse', { number }, { keep: true }).then(show);
}

for (const type of ['message', 'participant-joined', 'participant-left', 'participant-updated']) room.addEventListener(type, show);
room.addEventListener('track-added', ({ publication, track }) => {
  byId('sounds').append(Object.assign(document.createElement('audio'), { autoplay: true, srcObject: publication.stream, id: track.id }));
  byId('sound').textContent = `${byId('sounds').childElementCount} heard`;
});
room.addEventListener('track-removed', ({ track }) => {
  document.getElementById(track.id)?.remove();
  byId('sound').textContent = `${byId('sounds').childElementCount} heard`;
});
byId('next').onclick = () => turn(1);
byId('back').onclick = () => turn(-1);
byId('start').onclick = () => room.send('timer', { ends: room.serverTime() + FIVE_MINUTES }, { keep: true });
setInterval(tick, 200);
show();
tick();
