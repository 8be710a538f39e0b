// A chat whose people can also call each other: who is in the room chats, who presses Call is seen and heard by those who did
// too. Sources come and go one by one. Address: #room=NAME&name=NAME

import { join } from '/lib/roundturn.js';

const wish = new URLSearchParams(location.hash.slice(1));
const byId = (id) => document.getElementById(id);
const CAMERA = { width: 640, height: 360 };
const room = await join({ url: `ws://${location.hostname}:8080/ws`, room: wish.get('room'), name: wish.get('name'), create: { mode: 'sfu' } });
globalThis.room = room;
byId('words').textContent = `${room.participants.length + 1} here`;

function write(name, text) {
  const line = document.createElement('li');
  line.textContent = `${name}: ${text}`;
  byId('log').append(line);
}

room.addEventListener('message', ({ from, topic, data }) => topic === 'chat' && write(from.name, data.text));
for (const type of ['participant-joined', 'participant-left']) {
  room.addEventListener(type, ({ participant }) => {
    write(participant.name, type.split('-')[1]);
    byId('words').textContent = `${room.participants.length + 1} here`;
  });
}

byId('form').onsubmit = (event) => {
  event.preventDefault();
  room.send('chat', { text: byId('text').value }, { echo: true });
  byId('text').value = '';
};

// What others send.
const elements = new Map();
room.addEventListener('track-added', ({ publication, source, track }) => {
  const element = Object.assign(document.createElement(publication.kind), { autoplay: true, playsInline: true, srcObject: publication.stream, title: source });
  elements.set(track, element);
  byId(publication.kind === 'video' ? 'pictures' : 'sounds').append(element);
});
room.addEventListener('track-removed', ({ track }) => {
  elements.get(track)?.remove();
  elements.delete(track);
});

// What we send: each source has a button that opens and closes it.
const open = {
  microphone: async () => (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()[0],
  camera: async () => (await navigator.mediaDevices.getUserMedia({ video: CAMERA })).getTracks()[0],
  screen: async () => (await navigator.mediaDevices.getDisplayMedia({ video: true })).getTracks()[0],
};

async function toggle(source) {
  const publication = room.you.publications.get(source);
  if (!publication) return room.publish(await open[source](), { source });
  publication.track.stop();
  return room.unpublish(source);
}

byId('sound').onclick = () => toggle('microphone');
byId('camera').onclick = () => toggle('camera');
byId('screen').onclick = () => toggle('screen');
byId('call').onclick = async () => {
  const inCall = room.you.publications.size > 0;
  for (const source of inCall ? [...room.you.publications.keys()] : ['microphone', 'camera']) await toggle(source);
  byId('call').textContent = inCall ? 'Call' : 'Hang up';
};
addEventListener('pagehide', () => room.leave());
