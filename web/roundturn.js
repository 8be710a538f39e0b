// roundturn.js: calls through a roundturn server, peer to peer or through its SFU, behind one interface.
//
//   import { join } from './roundturn.js';
//   const room = await join({ room: 'standup', name: 'Ana' });
//   room.addEventListener('track-added', ({ publication }) => show(publication));
//   await room.publish(microphoneTrack);
//
// Events and their fields are listed in roundturn.d.ts. No dependencies, no build step.

import { devices, openDevice } from './roundturn/devices.js';
import { Encryption } from './roundturn/encryption.js';
import { RoundturnError } from './roundturn/error.js';
import { Mesh } from './roundturn/mesh.js';
import { Sfu } from './roundturn/sfu.js';
import { Signaling } from './roundturn/signaling.js';
import { Statistics } from './roundturn/stats.js';

export { RoundturnError, devices, openDevice };

/** Joins a room; resolves once the server has let us in. Options: see `JoinOptions` in roundturn.d.ts. */
export async function join(options) {
  if (!globalThis.RTCPeerConnection) throw new RoundturnError('unsupported_browser', 'this browser has no WebRTC');
  const room = new Room(options);
  await room.opened;
  return room;
}

export const Roundturn = { join, devices, openDevice, RoundturnError };

const KIND_SOURCE = { audio: 'microphone', video: 'camera' };

class RoomEvent extends Event {
  constructor(type, fields) {
    super(type);
    Object.assign(this, fields);
  }
}

class Participant {
  constructor({ participant, order, name, meta }, isYou = false) {
    Object.assign(this, { id: participant, order, name: name ?? '', meta: meta ?? {}, isYou });
    /** What it publishes, by source. */
    this.publications = new Map();
    this.quality = null;
    this.speaking = false;
    /** Peer to peer: how the connection to this participant stands; through the server: how the server's does. */
    this.connection = 'connecting';
  }
}

/** A room that was joined. Made by `join`. */
class Room extends EventTarget {
  #signaling; #engine = null; #statistics; #rtc; #url; #encryption = null;
  #participants = new Map();
  #locals = new Map();
  state = 'connecting';
  you = null; mode = null; info = null; limits = {};
  /** Kept messages of the room, by topic. */
  kept = new Map();

  constructor({ url = defaultUrl(), room, name, meta, token, create, tracks = [], iceTransportPolicy = 'all', encryption }) {
    super();
    this.#url = url;
    if (encryption) this.#encryption = new Encryption({ key: encryption.key, room, onfailure: (id) => this.#undecipherable(id) });
    this.#rtc = { iceServers: [], iceTransportPolicy, bundlePolicy: 'max-bundle' };
    for (const { track, ...how } of tracks) this.#addLocal(track, how);
    this.#statistics = new Statistics(this);
    this.#signaling = new Signaling({
      url,
      token,
      join: { room, name, meta, create },
      handlers: {
        joined: (frame) => this.#joined(frame),
        event: (frame) => this.#event(frame),
        state: (state, error) => this.#setState(state, error),
      },
    });
    /** Settles with the first `joined` or with what refused it. */
    this.opened = this.#signaling.open();
  }

  /** The others, in the order in which they joined. */
  get participants() {
    return [...this.#participants.values()].sort((a, b) => a.order - b.order);
  }

  participant(id) {
    return id === this.you?.id ? this.you : this.#participants.get(id);
  }

  /** Sends a track to everyone. Resolves when it is on its way. */
  async publish(track, how = {}) {
    const local = this.#addLocal(track, how);
    this.you?.publications.set(local.source, local);
    try {
      await this.#engine?.publish(local);
    } catch (error) {
      this.#locals.delete(local.source);
      this.you?.publications.delete(local.source);
      throw error;
    }
    return local;
  }

  /** Ends what is published from this source. The track itself is the caller's to stop. */
  async unpublish(sourceOrTrack) {
    const local = this.#local(sourceOrTrack);
    this.#locals.delete(local.source);
    this.you?.publications.delete(local.source);
    await this.#engine?.unpublish(local);
  }

  /** Mutes or unmutes for everyone. Nothing is sent while muted. */
  async mute(source, muted) {
    const local = this.#local(source);
    local.muted = muted;
    if (local.track) local.track.enabled = !muted;
    await this.#engine?.mute(local);
  }

  /** Puts another track, or none, in the place of a published one; nobody needs to negotiate. */
  async replaceTrack(source, track) {
    const local = this.#local(source);
    local.track = track;
    if (track) track.enabled = !local.muted;
    await this.#engine?.replaceTrack(local);
  }

  /** Opens another device for a published source and puts it in the place of the one before; '' is the system's choice. */
  async useDevice(source, deviceId, constraints = {}) {
    const local = this.#local(source);
    const track = await openDevice(local.kind, deviceId, constraints, local.track);
    await this.replaceTrack(local.source, track);
    return track;
  }

  /** Sends an application message; `to` is "*" or a list of participants, `keep` makes it the topic's current value. */
  async send(topic, data, { to = '*', keep, echo } = {}) {
    const list = to === '*' ? to : to.map((one) => one.id ?? one);
    const { at, room_seq: roomSeq } = await this.#signaling.request({ type: 'message', to: list, topic, data, keep, echo });
    if (keep) this.#keep({ from: this.you.id, topic, data, at, room_seq: roomSeq });
  }

  /** Messages of any bytes to everyone, on data channels: `data.send(bytes, { lossy })` and `data.on(listener)`. SFU rooms only. */
  get data() {
    if (this.mode !== 'sfu') throw new RoundturnError('unsupported', 'data channels are for SFU rooms');
    return this.#engine.data;
  }

  /** Changes the own name or meta for everyone. */
  async update(fields) {
    await this.#signaling.request({ type: 'update', ...fields });
    Object.assign(this.you, fields);
  }

  /** Tells the server how large tracks are shown: `[{publication, height, priority}]`. Peer to peer it does nothing. */
  async view(wishes) {
    if (this.mode !== 'sfu') return;
    const tracks = wishes.map(({ publication, height, priority }) => ({ track: publication.id, height, priority }));
    await this.#signaling.request({ type: 'view', tracks });
  }

  async moderate(action, fields = {}) {
    await this.#signaling.request({ type: 'moderate', action, ...fields });
  }

  /** The server's clock, in milliseconds since 1970. */
  serverTime() {
    return this.#signaling.serverTime();
  }

  /** Paths, round trips, bit rates and frames of each participant; see `RoomStats` in roundturn.d.ts. */
  stats() {
    return this.#statistics.read(this.#engine?.connections() ?? new Map(), this.#signaling.rtt);
  }

  /** What the server noted of this session: how far the call came, and why no further. Also for an hour after its end. */
  async record() {
    const { session, resume_key: key } = this.#signaling.session ?? {};
    const url = new URL(`api/sessions/${session}`, this.#url.replace(/^ws/, 'http'));
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } }).catch(() => null);
    const body = await response?.json().catch(() => null);
    if (!response?.ok) throw new RoundturnError(body?.error?.code ?? 'unreachable', body?.error?.message);
    return body;
  }

  /** Leaves at once. */
  leave() {
    this.#signaling.leave();
  }

  #addLocal(track, { source = KIND_SOURCE[track.kind], name = '', muted = false, ...how } = {}) {
    if (this.#encryption && (how.codec ?? 'vp8') !== 'vp8') {
      throw new RoundturnError('no_common_codec', 'with end-to-end encryption the codec is vp8');
    }
    if (this.#locals.has(source)) throw new RoundturnError('already_published', `${source} is already published`);
    const local = {
      id: null, participant: this.you, kind: track.kind, source, name, muted, track, ...how,
      get stream() { return this.track && new MediaStream([this.track]); },
    };
    track.enabled = !muted;
    this.#locals.set(source, local);
    return local;
  }

  #local(sourceOrTrack) {
    const local = this.#locals.get(sourceOrTrack) ?? [...this.#locals.values()].find((one) => one.track === sourceOrTrack);
    if (!local) throw new RoundturnError('not_published', 'this source is not published');
    return local;
  }

  #emit(type, fields = {}) {
    this.dispatchEvent(new RoomEvent(type, fields));
  }

  #setState(state, error) {
    if (state === 'closed') {
      this.#engine?.close();
      this.#encryption?.close();
      this.#statistics.stop();
    }
    this.state = state;
    this.#emit('state', { state, error });
  }

  #joined(frame) {
    this.info = frame.room;
    this.limits = frame.limits ?? {};
    this.#rtc.iceServers = frame.ice_servers ?? [];
    if (frame.resumed && !frame.snapshot) {
      this.#engine?.setIceServers(this.#rtc);
      return this.#engine?.resumed();
    }
    if (!frame.resumed) this.#startOver(frame);
    this.#takeSnapshot(frame);
  }

  // A new session: what belonged to the old one, if there was one, is gone on the server.
  #startOver(frame) {
    this.#engine?.close();
    for (const participant of this.participants) this.#removeParticipant(participant.id, 'timeout');
    this.mode = frame.room.mode;
    this.you = new Participant(frame.you, true);
    this.you.grants = frame.you.grants ?? [];
    for (const local of this.#locals.values()) {
      local.id = null;
      local.participant = this.you;
      this.you.publications.set(local.source, local);
    }
    this.#engine = new (this.mode === 'mesh' ? Mesh : Sfu)(this.#context());
  }

  // The lists of `joined` are the truth; differences to what we knew become events.
  #takeSnapshot(frame) {
    this.kept = new Map(Object.entries(frame.state ?? {}).map(([topic, value]) => [topic, { ...value, topic }]));
    const present = new Set((frame.participants ?? []).map((one) => one.participant));
    for (const { id } of this.participants) if (!present.has(id)) this.#removeParticipant(id, 'left');
    this.#engine.setIceServers(this.#rtc);
    for (const one of frame.participants ?? []) {
      // Who came while we were away did not hear from us yet: the earlier one offers.
      if (this.#participants.has(one.participant)) this.#updateParticipant(one);
      else this.#addParticipant(one, frame.resumed && one.order > this.you.order);
    }
    this.#engine.start(frame.tracks ?? [], frame.resumed);
  }

  // What an engine may see and do of the room.
  #context() {
    return {
      room: this,
      rtc: this.#rtc,
      locals: this.#locals,
      encryption: this.#encryption,
      request: (frame) => this.#signaling.request(frame),
      emit: (type, fields) => this.#emit(type, fields),
    };
  }

  #addParticipant(one, youOffer) {
    const participant = new Participant(one);
    this.#participants.set(participant.id, participant);
    this.#engine.participantJoined(participant, youOffer);
    this.#emit('participant-joined', { participant });
  }

  #removeParticipant(id, reason) {
    const participant = this.#participants.get(id);
    if (!participant) return;
    this.#engine?.participantLeft(participant);
    this.#participants.delete(id);
    this.#emit('participant-left', { participant, reason });
  }

  #event(frame) {
    switch (frame.type) {
      case 'participant_joined': return this.#addParticipant(frame.participant, frame.you_offer === true);
      case 'participant_left': return this.#removeParticipant(frame.participant, frame.reason);
      case 'participant_updated': return this.#updateParticipant(frame.participant);
      case 'ice_servers':
        this.#rtc.iceServers = frame.ice_servers;
        return this.#engine.setIceServers(this.#rtc);
      case 'room_changed':
        this.info = { ...this.info, ...(frame.room ?? frame) };
        return this.#emit('room-changed', { info: this.info });
      case 'message': return this.#message(frame);
      case 'speakers': return this.#speakers(frame.participants);
      case 'quality': return this.#quality(frame);
      default: return this.#engine.event(frame);
    }
  }

  #undecipherable(track) {
    const all = this.participants.flatMap((one) => [...one.publications.values()]);
    const publication = all.find((one) => one.track?.id === track);
    if (publication) this.#emit('undecipherable', { participant: publication.participant, publication });
  }

  #updateParticipant({ participant: id, name, meta }) {
    const participant = this.participant(id);
    if (!participant) return;
    if (name !== undefined) participant.name = name;
    if (meta !== undefined) participant.meta = meta;
    this.#emit('participant-updated', { participant });
  }

  #message({ from, topic, data, at, room_seq: roomSeq, keep }) {
    if (keep) this.#keep({ from, topic, data, at, room_seq: roomSeq });
    this.#emit('message', { from: this.participant(from) ?? from, topic, data, at, roomSeq });
  }

  // The answer to an own message may come after a later message of someone else.
  #keep(message) {
    if (message.room_seq > (this.kept.get(message.topic)?.room_seq ?? -1)) this.kept.set(message.topic, message);
  }

  #speakers(list) {
    const speaking = new Set(list.map((one) => one.participant));
    for (const participant of [this.you, ...this.participants]) participant.speaking = speaking.has(participant.id);
    const speakers = list.map((one) => ({ participant: this.participant(one.participant), levelDb: one.level_db }));
    this.#emit('speakers', { speakers: speakers.filter((one) => one.participant) });
  }

  #quality({ participant: id, up, down, path }) {
    const participant = this.participant(id);
    if (!participant) return;
    participant.quality = { up, down, path };
    this.#emit('quality', { participant, up, down, path });
  }
}

function defaultUrl() {
  const { protocol, host } = globalThis.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/ws`;
}
