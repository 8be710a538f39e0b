// A call of two with music that both hear at the same moment. The room is eight characters in the address.

import { join } from '/lib/roundturn.js';
import { Music } from './music.js';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const ENDS = { room_full: 'There are two in this room already.', left: 'You hung up.', unreachable: 'The server cannot be reached.' };
const byId = (id) => document.getElementById(id);
const say = (words) => { byId('words').textContent = words; };

if (!location.hash) location.hash = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => LETTERS[byte % 32]).join('');
byId('room').textContent = location.hash.slice(1);

try {
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
  byId('me').srcObject = camera;
  const room = await join({
    url: `ws://${location.hostname}:8080/ws`,
    room: location.hash.slice(1),
    create: { mode: 'mesh', max_participants: 2 },
    tracks: camera.getTracks().map((track) => ({ track })),
  });
  globalThis.room = room;
  say('Waiting for the other one …');
  byId('them').srcObject = new MediaStream();
  room.addEventListener('track-added', ({ track }) => byId('them').srcObject.addTrack(track));
  room.addEventListener('track-removed', ({ track }) => byId('them').srcObject.removeTrack(track));
  room.addEventListener('participant-left', () => say('The other one has left.'));
  room.addEventListener('connection', ({ state }) => state !== 'connected' && say(`${state} …`));
  // Which way it goes is known a moment after the connection, and may change.
  setInterval(async () => {
    const other = room.participants.find(({ connection }) => connection === 'connected');
    const path = other && (await room.stats()).participants[other.id]?.path;
    if (path) say(`Connected, ${path.via === 'relay' ? 'through the relay' : 'directly'}.`);
  }, 1000);
  room.addEventListener('state', ({ state, error }) => state === 'closed' && say(ENDS[error?.code] ?? error?.message));

  const music = new Music(room, byId('music'));
  await music.load('/music.wav');
  byId('play').onclick = () => music.play();
  byId('pause').onclick = () => music.pause();
  byId('hang-up').onclick = () => room.leave();
} catch (error) {
  say(ENDS[error.code] ?? error.message);
}
