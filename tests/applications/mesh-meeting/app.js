// A meeting of up to six, each connected to each, written by hand against the protocol: one WebSocket, a token of our own
// issuer in the first message, and a connection for each of the others. Address: #room=NAME&name=NAME

import { Peer } from './peer.js';

const wish = new URLSearchParams(location.hash.slice(1));
const byId = (id) => document.getElementById(id);
const say = (words) => { byId('words').textContent = words; };
const RETRY_MS = 500;
const ENDS = {
  auth_required: 'You need an invitation.', auth_invalid: 'Your invitation is not valid.', auth_expired: 'Your invitation has expired.',
  room_full: 'There are six here already.',
};

const peers = new Map();
let socket = null;
let session = null;
let seq = 0;
let nextId = 1;
let token = await invitation();
const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 160, height: 120, frameRate: 10 } });

globalThis.meeting = { peers, get token() { return token; }, set token(other) { token = other; }, connect, leave };
if (wish.get('join') !== '0') connect();

/** Our issuer says who somebody is, and for how long. */
async function invitation() {
  const answer = await fetch('/invitation', { method: 'POST', body: JSON.stringify({ name: wish.get('name'), room: wish.get('room'), seconds: Number(wish.get('seconds') ?? 3600) }) });
  return (await answer.json()).token;
}

function connect() {
  socket = new WebSocket(`ws://${location.hostname}:8080/ws`, 'roundturn.v1');
  socket.onopen = () => send(session
    ? { type: 'resume', ...session, seq }
    : { type: 'join', token, room: wish.get('room'), name: wish.get('name'), create: { mode: 'mesh', max_participants: 6 } });
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = () => session && setTimeout(connect, RETRY_MS);
}

function leave() {
  send({ type: 'leave' });
  session = null;
  for (const id of [...peers.keys()]) drop(id);
}

function send(frame) {
  socket.send(JSON.stringify({ id: nextId++, ...frame }));
}

function receive(frame) {
  seq = frame.seq ?? seq;
  switch (frame.type) {
    case 'joined': return joined(frame);
    case 'participant_joined': return add(frame.participant, frame.you_offer);
    case 'participant_left': return drop(frame.participant);
    case 'signal': return peers.get(frame.from)?.receive(frame.data);
    case 'ice_servers': return peers.forEach((peer) => peer.setServers(frame.ice_servers));
    case 'error': return frame.code === 'participant_not_found' && rejoin();
    case 'bye': return ended(frame);
    default: return undefined;
  }
}

let me = null;
let servers = [];

function joined(frame) {
  servers = frame.ice_servers;
  me = frame.you;
  session = { session: frame.session, resume_key: frame.resume_key };
  if (!frame.resumed) {
    seq = 0;
    // Who was here first offers: we wait for them.
    for (const one of frame.participants) add(one, false);
  }
  say(frame.resumed ? `${me.name}, back again` : `${me.name}, number ${me.order}`);
}

// The session is gone: everything from the start.
function rejoin() {
  session = null;
  for (const id of [...peers.keys()]) drop(id);
  socket.close();
  connect();
}

function ended({ reason }) {
  if (!['draining', 'restarting'].includes(reason)) session = null;
  say(ENDS[reason] ?? reason);
}

function add(participant, offers) {
  const video = Object.assign(document.createElement('video'), { autoplay: true, playsInline: true, title: participant.name });
  byId('people').append(video);
  const signal = (data) => send({ type: 'signal', to: participant.participant, data });
  peers.set(participant.participant, new Peer({ servers, camera, video, signal, polite: me.order > participant.order }));
  if (offers) peers.get(participant.participant).offer();
}

function drop(id) {
  peers.get(id)?.close();
  peers.delete(id);
}
