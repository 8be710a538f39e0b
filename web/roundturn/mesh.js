// Mesh rooms: one peer connection to each participant. Whoever was there first offers; what collides later is resolved by
// perfect negotiation, the later one being polite.
//
// Beside its description a client sends what its sections carry: {description, tracks: [{mid, source, name, muted}]}. A mute is
// {mute: {source, muted}}. A client that sends neither is understood by the kinds of its sections.

import { Publications } from './publications.js';
import { Watch } from './watch.js';

const KIND = { microphone: 'audio', camera: 'video', screen: 'video', screen_audio: 'audio' };
const FALLBACK_SOURCES = { audio: ['microphone', 'screen_audio'], video: ['camera', 'screen'] };
const CANDIDATES_KEPT = 64;
const DISCONNECTED_MS = 3_000;
const RESTART_EVERY_MS = 6_000;

export class Mesh {
  #context; #peers = new Map(); #watch;

  constructor(context) {
    this.#context = context;
    this.#watch = new Watch(context, () => this.connections());
  }

  start() {}
  resumed() {}

  connections() {
    return new Map([...this.#peers].map(([id, peer]) => [id, peer.connection]));
  }

  participantJoined(participant, youOffer) {
    const peer = new Peer(this.#context, participant);
    this.#peers.set(participant.id, peer);
    if (youOffer) peer.begin();
    this.#shareOut();
  }

  participantLeft(participant) {
    this.#peers.get(participant.id)?.close();
    this.#peers.delete(participant.id);
    this.#shareOut();
  }

  event(frame) {
    if (frame.type === 'signal') this.#peers.get(frame.from)?.receive(frame.data ?? {});
  }

  setIceServers(rtc) {
    for (const peer of this.#peers.values()) peer.connection.setConfiguration(rtc);
  }

  async publish(local) {
    await Promise.all([...this.#peers.values()].map((peer) => peer.publish(local)));
  }

  async unpublish(local) {
    await Promise.all([...this.#peers.values()].map((peer) => peer.unpublish(local)));
  }

  async mute(local) {
    for (const peer of this.#peers.values()) peer.signal({ mute: { source: local.source, muted: local.muted } });
  }

  async replaceTrack(local) {
    await Promise.all([...this.#peers.values()].map((peer) => peer.replaceTrack(local)));
  }

  close() {
    this.#watch.stop();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  // Each camera is sent once to everyone: the more there are, the less each gets.
  #shareOut() {
    const bitrate = Math.max(150_000, Math.min(1_800_000, Math.round(4_000_000 / Math.max(1, this.#peers.size))));
    for (const peer of this.#peers.values()) peer.cameraBitrate = bitrate;
  }
}

class Peer {
  #context; #publications; #polite; #senders = new Map();
  /** Whether this side may offer: the newcomer does once it has been offered to. */
  #begun = false;
  #offering = false; #ignoring = false;
  #candidates = []; #chain = Promise.resolve(); #restartTimer = 0; #remoteTracks = null;
  cameraBitrate = 1_800_000;

  constructor(context, participant) {
    this.#context = context;
    this.participant = participant;
    this.#polite = context.room.you.order > participant.order;
    this.#publications = new Publications(context, participant);
    const connection = new RTCPeerConnection(context.rtc);
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#begun && this.#offer();
    connection.onicecandidate = ({ candidate }) => candidate && this.signal({ candidate: candidate.toJSON() });
    connection.onconnectionstatechange = () => this.#connectionChanged();
    connection.onsignalingstatechange = () => connection.signalingState === 'stable' && this.#negotiated();
  }

  /** Offers first: sections for microphone and camera are there from the start, whether used or not. */
  begin() {
    this.#begun = true;
    for (const source of new Set(['microphone', 'camera', ...this.#context.locals.keys()])) this.#attach(source);
  }

  signal(data) {
    this.#context.request({ type: 'signal', to: this.participant.id, data }).catch(() => {
      // Whoever has left in the meantime is told of by participant_left.
    });
  }

  /** Takes what the other side signals, one after the other. */
  receive(data) {
    if (data.mute) this.#serially(() => this.#mute(data.mute));
    if (data.description) this.#serially(() => this.#describe(data));
    if (data.candidate) this.#serially(() => this.#candidate(data.candidate));
  }

  async publish(local) {
    if (this.#begun) this.#attach(local.source);
  }

  async unpublish(local) {
    const transceiver = this.#senders.get(local.source);
    if (!transceiver) return;
    transceiver.direction = receives(transceiver.direction) ? 'recvonly' : 'inactive';
    await transceiver.sender.replaceTrack(null);
  }

  async replaceTrack(local) {
    await this.#senders.get(local.source)?.sender.replaceTrack(local.track);
  }

  close() {
    clearTimeout(this.#restartTimer);
    this.connection.onnegotiationneeded = this.connection.onconnectionstatechange = null;
    this.connection.onsignalingstatechange = this.connection.onicecandidate = null;
    this.connection.close();
    this.#publications.clear();
  }

  #serially(step) {
    this.#chain = this.#chain.then(step).catch((error) => {
      if (this.connection.signalingState !== 'closed') this.#context.emit('error', { error, participant: this.participant });
    });
  }

  // Gives a local source its section towards this peer.
  #attach(source) {
    const local = this.#context.locals.get(source);
    let transceiver = this.#senders.get(source);
    if (!transceiver) {
      const shared = source === 'microphone' || source === 'camera';
      const direction = local ? (shared ? 'sendrecv' : 'sendonly') : 'recvonly';
      transceiver = this.connection.addTransceiver(local?.track ?? KIND[source] ?? local.kind, { direction });
      this.#encrypt(transceiver);
      this.#senders.set(source, transceiver);
    } else if (local) {
      transceiver.sender.replaceTrack(local.track).catch(() => {});
      transceiver.direction = receives(transceiver.direction) ? 'sendrecv' : 'sendonly';
    }
  }

  #encrypt(transceiver) {
    const { encryption } = this.#context;
    if (!encryption) return;
    encryption.send(transceiver.sender);
    encryption.receive(transceiver.receiver);
    if (transceiver.receiver.track.kind !== 'video') return;
    // Both sides send what stands first. Left out, Firefox would leave traces of the others that Chromium cannot read.
    const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? [];
    const isVp8 = ({ mimeType }) => mimeType.toLowerCase() === 'video/vp8';
    transceiver.setCodecPreferences?.(codecs.sort((one, other) => isVp8(other) - isVp8(one)));
  }

  async #offer() {
    try {
      this.#offering = true;
      await this.connection.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      if (this.connection.signalingState !== 'closed') this.#context.emit('error', { error, participant: this.participant });
    } finally {
      this.#offering = false;
    }
  }

  async #describe({ description, tracks }) {
    const { connection } = this;
    const collides = description.type === 'offer' && (this.#offering || connection.signalingState !== 'stable');
    this.#ignoring = !this.#polite && collides;
    // An answer to nothing is an echo from before a resume.
    if (this.#ignoring || (description.type === 'answer' && connection.signalingState === 'stable')) return;
    this.#remoteTracks = Array.isArray(tracks) ? tracks : null;
    await connection.setRemoteDescription(description);
    connection.getTransceivers().forEach((transceiver) => this.#encrypt(transceiver));
    for (const candidate of this.#candidates.splice(0)) await this.#addCandidate(candidate);
    if (description.type !== 'offer') return;
    this.#adopt();
    await connection.setLocalDescription();
    this.#sendDescription();
    this.#begun = true;
  }

  // Own sources go into the sections that the offer made for the same sources; what finds none asks for its own offer.
  #adopt() {
    for (const { mid, source } of this.#remoteTracks ?? []) {
      const transceiver = this.connection.getTransceivers().find((one) => one.mid === mid);
      if (transceiver && !this.#senders.has(source)) this.#senders.set(source, transceiver);
    }
    for (const source of this.#context.locals.keys()) this.#attach(source);
  }

  #sendDescription() {
    const tracks = [...this.#senders].filter(([, transceiver]) => transceiver.mid !== null).map(([source, { mid }]) => {
      const local = this.#context.locals.get(source);
      return { mid, source, name: local?.name ?? '', muted: local?.muted ?? false, sending: local !== undefined };
    });
    this.signal({ description: this.connection.localDescription, tracks });
  }

  #mute({ source, muted }) {
    const told = this.#remoteTracks?.find((one) => one.source === source);
    if (told) told.muted = muted === true;
    this.#publications.mute(source, muted === true);
  }

  async #candidate(candidate) {
    if (this.connection.remoteDescription && !this.#ignoring) return this.#addCandidate(candidate);
    if (!this.#ignoring && this.#candidates.length < CANDIDATES_KEPT) this.#candidates.push(candidate);
  }

  // A candidate of another generation, or of a kind this browser does not know, costs nothing but itself.
  async #addCandidate(candidate) {
    await this.connection.addIceCandidate(candidate).catch(() => {});
  }

  #negotiated() {
    this.#publications.replace(this.#received());
    const camera = this.#senders.get('camera');
    if (camera) limitBitrate(camera.sender, this.#context.locals.get('camera')?.maxBitrate ?? this.cameraBitrate);
    const screen = this.#senders.get('screen');
    if (screen) limitBitrate(screen.sender, this.#context.locals.get('screen')?.maxBitrate ?? 2_500_000);
  }

  #received() {
    const next = { audio: 0, video: 0 };
    return this.connection.getTransceivers().filter((one) => receives(one.currentDirection ?? '')).flatMap((transceiver) => {
      const { track } = transceiver.receiver;
      const told = this.#remoteTracks?.find((one) => one.mid === transceiver.mid);
      if (this.#remoteTracks && !told?.sending) return [];
      const source = told?.source ?? FALLBACK_SOURCES[track.kind][next[track.kind]++];
      return source ? [{ id: null, kind: track.kind, source, name: told?.name ?? '', muted: told?.muted ?? false, track }] : [];
    });
  }

  #connectionChanged() {
    const state = this.connection.connectionState;
    this.participant.connection = state;
    this.#context.emit('connection', { participant: this.participant, state });
    clearTimeout(this.#restartTimer);
    if (state === 'failed') this.#restart(this.#polite ? RESTART_EVERY_MS / 2 : 0);
    if (state === 'disconnected') this.#restart(DISCONNECTED_MS * (this.#polite ? 2 : 1));
  }

  // The earlier one restarts ICE first; both go on until it helps or somebody leaves.
  #restart(waitMs) {
    this.#restartTimer = setTimeout(() => {
      if (this.connection.connectionState === 'connected') return;
      if (this.connection.signalingState === 'stable') this.connection.restartIce();
      this.#restart(RESTART_EVERY_MS * (1 + Math.random()));
    }, waitMs);
  }
}

function receives(direction) {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function limitBitrate(sender, maxBitrate) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length || parameters.encodings[0].maxBitrate === maxBitrate) return;
  parameters.encodings[0].maxBitrate = maxBitrate;
  sender.setParameters(parameters).catch(() => {
    // A sender that is just being negotiated refuses; the next negotiation sets it again.
  });
}
