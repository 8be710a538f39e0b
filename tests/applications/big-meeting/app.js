// A meeting of up to 50 for four hours: nine pictures of those who spoke last, a shared screen in front.
// Address: #room=NAME&name=NAME, with &hours=N for another length and &relay=1 for networks that let nothing out but TLS

import { join } from '/lib/roundturn.js';

const wish = new URLSearchParams(location.hash.slice(1));
const byId = (id) => document.getElementById(id);
const ENDS = { room_full: 'There are 50 here already.', room_expired: 'The time is up.', left: 'You left.' };
const PATH_MS = 1_000;
const say = (words) => { byId('words').textContent = words; };

try {
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180, frameRate: 15 } });
  const room = await join({
    url: `ws://${location.hostname}:${wish.get('port') ?? 8080}/ws`,
    room: wish.get('room'),
    name: wish.get('name'),
    create: { mode: 'sfu', max_participants: 50, ttl_seconds: Number(wish.get('seconds') ?? 4 * 3600) },
    tracks: camera.getTracks().map((track) => ({ track, simulcast: false })),
    iceTransportPolicy: wish.get('relay') ? 'relay' : 'all',
  });
  globalThis.room = room;
  byId('until').textContent = new Date(room.info.expires_at).toLocaleTimeString();
  show(room);
  room.addEventListener('state', ({ state, error }) => state === 'closed' && say(ENDS[error.code] ?? error.message));
  byId('screen').onclick = () => share(room);
} catch (error) {
  say(ENDS[error.code] ?? error.message);
}

function show(room) {
  const elements = new Map();
  const count = () => say(`${room.participants.length + 1} people`);
  for (const type of ['participant-joined', 'participant-left']) room.addEventListener(type, count);
  count();
  room.addEventListener('track-added', ({ publication, participant, source, track }) => {
    const element = Object.assign(document.createElement(publication.kind), { autoplay: true, playsInline: true, srcObject: publication.stream, title: participant.name, className: source });
    elements.set(track, { element, participant });
    byId(publication.kind === 'audio' ? 'sounds' : 'pictures').append(element);
  });
  room.addEventListener('track-removed', ({ track }) => {
    elements.get(track)?.element.remove();
    elements.delete(track);
  });
  room.addEventListener('speakers', () => {
    for (const { element, participant } of elements.values()) element.classList.toggle('speaking', participant.speaking);
  });
  setInterval(async () => {
    const path = (await room.stats()).connections[0]?.path;
    byId('path').textContent = path ? `${path.relayed ? 'relay' : 'direct'} over ${path.protocol}` : 'connecting';
  }, PATH_MS);
}

async function share(room) {
  const [picture] = (await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 10 } })).getVideoTracks();
  picture.contentHint = 'detail';
  picture.onended = () => room.unpublish('screen');
  await room.publish(picture, { source: 'screen' });
}
