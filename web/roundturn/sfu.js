// SFU rooms: one peer connection to the server. The client offers, the server answers; `slots` then says whose track is in
// which receive section, and `mid` is the only link between the two.
//
// Own sources keep their section for as long as the connection lives: publishing again after an unpublish uses it anew.

import { encodings, limit, offerOnlyUsed } from './encodings.js';
import { Data } from './data.js';
import { Publications } from './publications.js';

const SLOTS_DEFAULT = { audio: 4, video: 9 };
/** Refusals of an offer that pass: of one that came too early or too late, or to a server that was too busy. */
const PASSING = ['stale_offer', 'offer_pending', 'internal'];
const RETRIES = 5;
const RETRY_MS = 300;
const DISCONNECTED_MS = 3_000;
const RESTART_EVERY_MS = 6_000;

export class Sfu {
  #context; #connection; #senders = new Map(); #slots = { audio: [], video: [] };
  /** Tracks of others by their id, as announced; the track in each slot by its mid. */
  #tracks = new Map(); #filled = new Map(); #paused = new Set(); #publications = new Map();
  #generation = 0; #running = null; #wanted = false; #restartIce = false; #restartTimer = 0; #startTimer = 0;
  #closed = false; #data = null;
  /** Own publications that were muted here, not by a moderator. */
  #mutedHere = new WeakSet();
  /** The changes of what each sender sends, one after the other. */
  #limits = new WeakMap();

  constructor(context) {
    this.#context = context;
    this.#connection = new RTCPeerConnection(context.rtc);
    this.#connection.onconnectionstatechange = () => this.#connectionChanged();
  }

  /** `tracks` is the server's whole list. */
  start(tracks, resumed) {
    this.#tracks = new Map(tracks.filter((one) => this.#context.room.participant(one.participant)).map((one) => [one.track, one]));
    this.#sync();
    if (resumed) return this.resumed();
    // What is published right after joining goes into the first offer.
    this.#startTimer = setTimeout(() => {
      for (const local of this.#context.locals.values()) this.#attach(local);
      const { audio, video } = { ...SLOTS_DEFAULT, ...this.#context.room.limits.slots };
      this.#addSlots({ audio: Math.min(audio, SLOTS_DEFAULT.audio), video: Math.min(video, SLOTS_DEFAULT.video) });
      this.#negotiate().catch((error) => this.#context.emit('error', { error }));
    }, 0);
  }

  resumed() {
    if (this.#connection.connectionState === 'failed') this.#restart(0);
  }

  connections() {
    return new Map([['', this.#connection]]);
  }

  participantJoined(participant) {
    participant.connection = this.#connection.connectionState;
    this.#publications.set(participant.id, new Publications(this.#context, participant));
    queueMicrotask(() => !this.#closed && this.#sync());
  }

  participantLeft(participant) {
    for (const [id, track] of this.#tracks) if (track.participant === participant.id) this.#tracks.delete(id);
    this.#publications.get(participant.id)?.clear();
    this.#publications.delete(participant.id);
  }

  setIceServers(rtc) {
    this.#connection.setConfiguration(rtc);
  }

  event(frame) {
    switch (frame.type) {
      case 'slots': return this.#fill(frame);
      case 'track_added':
      case 'track_changed': return this.#trackChanged(frame.track !== null && typeof frame.track === 'object' ? frame.track : frame);
      case 'track_removed':
        this.#tracks.delete(frame.track?.track ?? frame.track);
        return this.#sync();
      case 'restart_ice': return this.#restart(0);
      case 'more_slots':
        this.#addSlots(frame);
        return void this.#negotiate().catch((error) => this.#context.emit('error', { error }));
      case 'layers': return this.#limit(frame);
      default: return undefined;
    }
  }

  async publish(local) {
    if (this.#generation === 0 && !this.#running) return this.#started();
    this.#attach(local);
    try {
      await this.#negotiate();
    } catch (error) {
      await this.#detach(local);
      throw error;
    }
  }

  async unpublish(local) {
    const { id } = local;
    local.id = null;
    await this.#detach(local);
    if (id) await this.#context.request({ type: 'unpublish', track: id });
    await this.#negotiate();
  }

  async mute(local) {
    if (local.muted) this.#mutedHere.add(local);
    else this.#mutedHere.delete(local);
    if (local.id) await this.#context.request({ type: 'mute', track: local.id, muted: local.muted });
  }

  async replaceTrack(local) {
    await this.#senders.get(local.source)?.sender.replaceTrack(local.track);
  }

  /** Messages on data channels: there from the first time that someone asks. */
  get data() {
    this.#data ??= new Data(this.#context, (label, options) => {
      const channel = this.#connection.createDataChannel(label, options);
      // The first one takes an offer; before the first offer it is in that.
      if (!this.#connection.sctp && this.#generation > 0) this.#negotiate().catch((error) => this.#context.emit('error', { error }));
      return channel;
    });
    return this.#data;
  }

  close() {
    this.#closed = true;
    this.#data?.close();
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#startTimer);
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
    for (const publications of this.#publications.values()) publications.clear();
  }

  // Resolves once the first offer, which carries all that was published before it, is answered.
  async #started() {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.#running;
  }

  #attach(local) {
    const known = this.#senders.get(local.source);
    if (known) {
      known.direction = 'sendonly';
      known.sender.replaceTrack(local.track).catch(() => {});
      return;
    }
    const sendEncodings = encodings(local);
    const transceiver = this.#connection.addTransceiver(local.track ?? local.kind, { direction: 'sendonly', sendEncodings });
    this.#context.encryption?.send(transceiver.sender);
    offerOnlyUsed(transceiver, local.kind, local.codec, this.#context.encryption);
    this.#senders.set(local.source, transceiver);
  }

  // One change of a sender at a time; the last one is the truth.
  #limit({ track: id, heights }) {
    const local = [...this.#context.locals.values()].find((one) => one.id === id);
    const sender = local && this.#senders.get(local.source)?.sender;
    if (sender) {
      const before = this.#limits.get(sender) ?? Promise.resolve();
      this.#limits.set(sender, before.then(() => limit(sender, heights)).catch(() => {}));
    }
    this.#context.emit('layers', { track: id, heights });
  }

  async #detach(local) {
    const transceiver = this.#senders.get(local.source);
    if (!transceiver) return;
    transceiver.direction = 'inactive';
    await transceiver.sender.replaceTrack(null);
  }

  // Adds receive sections until there are so many of each kind.
  #addSlots(wanted) {
    for (const kind of ['audio', 'video']) {
      const most = this.#context.room.limits.slots?.[kind] ?? SLOTS_DEFAULT[kind];
      while (this.#slots[kind].length < Math.min(wanted[kind] ?? 0, most)) {
        const transceiver = this.#connection.addTransceiver(kind, { direction: 'recvonly' });
        this.#context.encryption?.receive(transceiver.receiver);
        offerOnlyUsed(transceiver, kind, 'vp8', this.#context.encryption);
        this.#slots[kind].push(transceiver);
      }
    }
  }

  // One offer is in flight at a time; what is wanted meanwhile goes into the next.
  #negotiate() {
    this.#wanted = true;
    this.#running ??= this.#negotiateAll();
    return this.#running;
  }

  async #negotiateAll() {
    try {
      for (let failures = 0; this.#wanted && !this.#closed;) {
        this.#wanted = false;
        try {
          await this.#offer();
          failures = 0;
        } catch (error) {
          if (this.#closed) return;
          if (this.#connection.signalingState !== 'stable') await this.#connection.setLocalDescription({ type: 'rollback' });
          if (!PASSING.includes(error.code) || ++failures > RETRIES) throw error;
          this.#wanted = true;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS * failures));
        }
      }
    } finally {
      // In one step with the end of the loop, so that nothing wished for in between waits for ever.
      this.#running = null;
    }
  }

  async #offer() {
    const iceRestart = this.#restartIce;
    this.#restartIce = false;
    try {
      await this.#exchange(iceRestart);
    } catch (error) {
      this.#restartIce ||= iceRestart;
      throw error;
    }
  }

  async #exchange(iceRestart) {
    const connection = this.#connection;
    const { locals } = this.#context;
    const offered = new Set([...this.#senders.keys()].filter((source) => locals.has(source)));
    await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
    // What was published meanwhile goes into the next offer, what was taken back is not named.
    const sending = [...this.#senders].filter(([source, { mid }]) => mid !== null && offered.has(source) && locals.has(source));
    const answer = await this.#context.request({
      type: 'offer',
      generation: ++this.#generation,
      sdp: connection.localDescription.sdp,
      tracks: sending.map(([source, { mid }]) => ({ mid, source, name: locals.get(source).name || undefined })),
      slots: { audio: mids(this.#slots.audio), video: mids(this.#slots.video) },
      ...(iceRestart ? { ice_restart: true } : {}),
    });
    if (this.#closed) return;
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    this.#answered(answer.tracks ?? []);
    this.#sync();
  }

  // Our tracks have their names now; a mute that was wished for earlier can be told.
  #answered(tracks) {
    for (const { mid, track } of tracks) {
      const source = [...this.#senders].find(([, transceiver]) => transceiver.mid === mid)?.[0];
      const local = this.#context.locals.get(source);
      if (!local || local.id === track) continue;
      local.id = track;
      if (local.muted) this.mute(local).catch((error) => this.#context.emit('error', { error }));
    }
  }

  #fill(frame) {
    for (const kind of ['audio', 'video']) {
      if (!frame[kind]) continue;
      for (const slot of this.#slots[kind]) {
        this.#paused.delete(this.#filled.get(slot.mid));
        this.#filled.delete(slot.mid);
      }
      for (const { mid, track, paused } of frame[kind]) {
        if (track) this.#filled.set(mid, track);
        if (track && paused) this.#paused.add(track);
      }
    }
    this.#sync();
  }

  #trackChanged(track) {
    if (track.participant === this.#context.room.you.id) return this.#ownTrackChanged(track);
    this.#tracks.set(track.track, { ...this.#tracks.get(track.track), ...track });
    this.#sync();
  }

  // A moderator muted us: the server forwards nothing, and the page should say so.
  #ownTrackChanged({ track: id, muted }) {
    const local = [...this.#context.locals.values()].find((one) => one.id === id);
    if (!local || muted === undefined || local.muted === muted) return;
    // The echo of an unmute that was taken back since must not open the microphone again.
    if (!muted && this.#mutedHere.has(local)) return;
    local.muted = muted;
    if (local.track) local.track.enabled = !muted;
    this.#context.emit('track-muted', { participant: local.participant, publication: local, source: local.source, muted });
  }

  // Announced tracks and filled slots together make the publications.
  #sync() {
    const media = new Map();
    for (const transceiver of [...this.#slots.audio, ...this.#slots.video]) {
      const track = this.#filled.get(transceiver.mid);
      if (track && transceiver.currentDirection) media.set(track, transceiver.receiver.track);
    }
    const lists = new Map([...this.#publications.keys()].map((id) => [id, []]));
    for (const { track: id, participant, kind, source, name = '', muted = false } of this.#tracks.values()) {
      lists.get(participant)?.push({ id, kind, source, name, muted, track: media.get(id) ?? null, paused: this.#paused.has(id) });
    }
    // Two passes: a receiver that changes hands leaves the old ones before it comes to the new one.
    for (const pass of [true, false]) {
      for (const [participant, list] of lists) {
        const known = this.#context.room.participant(participant)?.publications;
        const moved = list.map((one) => (pass && known?.get(one.source)?.track !== one.track ? { ...one, track: null } : one));
        this.#publications.get(participant).replace(moved);
      }
    }
  }

  #connectionChanged() {
    const state = this.#connection.connectionState;
    for (const participant of [this.#context.room.you, ...this.#context.room.participants]) participant.connection = state;
    this.#context.emit('connection', { participant: null, state });
    clearTimeout(this.#restartTimer);
    if (state === 'failed') this.#restart(0);
    if (state === 'disconnected') this.#restart(DISCONNECTED_MS);
  }

  #restart(waitMs) {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      this.#restartIce = true;
      this.#negotiate().catch((error) => this.#context.emit('error', { error })).finally(() => this.#restartAgain());
    }, waitMs);
  }

  #restartAgain() {
    if (this.#closed || this.#connection.connectionState === 'connected') return;
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      if (['failed', 'disconnected'].includes(this.#connection.connectionState)) this.#restart(0);
    }, RESTART_EVERY_MS * (1 + Math.random()));
  }
}

// Sections that no description has named yet have no mid.
function mids(transceivers) {
  return transceivers.map((one) => one.mid).filter((mid) => mid !== null);
}
