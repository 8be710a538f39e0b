// Types of roundturn.js.

export type Source = 'microphone' | 'camera' | 'screen' | 'screen_audio';
export type Grade = 'good' | 'poor' | 'lost';
export type State = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface JoinOptions {
  /** The server's WebSocket; by default `/ws` on the host that the page came from. */
  url?: string;
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ -`. */
  room: string;
  name?: string;
  meta?: unknown;
  /** A JWT, or a function that gives a fresh one whenever the client connects. */
  token?: string | (() => string | Promise<string>);
  /** Makes the room if it does not exist and the server allows it. */
  create?: { mode?: 'mesh' | 'sfu'; max_participants?: number; ttl_seconds?: number };
  /** Published with the first offer. */
  tracks?: (PublishOptions & { track: MediaStreamTrack })[];
  /** `relay` sends all media through TURN. */
  iceTransportPolicy?: RTCIceTransportPolicy;
  /**
   * Encrypts sound and picture from end to end, by a text that everyone in the room knows and the server never sees. Codecs are
   * then Opus and VP8. Messages are not encrypted. Rejects with `unsupported_browser` where the browser cannot.
   */
  encryption?: { key: string };
}

export interface PublishOptions {
  /** By default `microphone` for audio, `camera` for video. One track for each source. */
  source?: Source;
  name?: string;
  muted?: boolean;
  /** Bits per second. */
  maxBitrate?: number;
  /** SFU: whether a picture is sent in up to three sizes; by default a camera's is. */
  simulcast?: boolean;
  /** SFU: what is sent first of all; by default `vp8`. `vp9` and `av1` send all sizes in one encoding. */
  codec?: 'vp8' | 'h264' | 'vp9' | 'av1';
  /** SFU, with `vp9` and `av1`: by default `L3T3_KEY`, and `L1T3` for a screen. */
  scalabilityMode?: string;
}

export interface Publication {
  /** The server's name for the track; null in mesh rooms and before the server has answered. */
  readonly id: string | null;
  readonly participant: Participant;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly name: string;
  readonly muted: boolean;
  /** SFU: held back by the server, since the link does not carry it. */
  readonly paused?: boolean;
  /** null while no media of it comes, for example because no slot is free. */
  readonly track: MediaStreamTrack | null;
  /** A stream of this one track, for `srcObject`. */
  readonly stream: MediaStream | null;
}

export interface Participant {
  readonly id: string;
  /** Later joins have larger numbers. */
  readonly order: number;
  readonly name: string;
  readonly meta: unknown;
  readonly isYou: boolean;
  /** What you are allowed to do; only on `you`. */
  readonly grants?: string[];
  readonly publications: ReadonlyMap<Source, Publication>;
  readonly quality: Quality | null;
  readonly speaking: boolean;
  /** Mesh: the connection to this participant. SFU: the one to the server. */
  readonly connection: RTCPeerConnectionState;
}

export interface Quality { up: Grade; down: Grade; path: 'udp' | 'tcp' | 'relay' }

export interface RoomInfo { room: string; mode: 'mesh' | 'sfu'; max_participants: number; locked: boolean; expires_at: number }

export interface KeptMessage { from: string; topic: string; data: unknown; at: number; room_seq: number }

export interface Path {
  /** From one to the other, through a TURN server, or through the SFU. */
  via: 'direct' | 'relay' | 'server';
  /** Whether a TURN server is on the way, to the SFU too. */
  relayed: boolean;
  protocol: 'udp' | 'tcp' | 'tls';
  localType?: RTCIceCandidateType;
  remoteType?: RTCIceCandidateType;
}

export interface ReceivedStats {
  kind: 'audio' | 'video'; bitsPerSecond: number; packets: number; packetsLost: number;
  /** Share of packets lost since the last reading, 0 to 1. */
  loss: number;
  jitterMs: number; framesDecoded?: number; framesPerSecond?: number; width?: number; height?: number;
  samples?: number; audioEnergy?: number; audioLevel?: number;
}

export interface SentStats {
  kind: 'audio' | 'video'; bitsPerSecond: number; packets: number; framesEncoded: number; width?: number; height?: number;
  /** Why a picture is smaller or slower than it could be, where the browser tells. */
  limitedBy: 'none' | 'cpu' | 'bandwidth' | 'other';
}

export interface RoomStats {
  at: number;
  signalingRttMs?: number;
  /** Mesh: one for each participant. SFU: one, whose participant is null. */
  connections: {
    participant: string | null; state: RTCPeerConnectionState; path: Path | null; rttMs?: number;
    bitsIn?: number; bitsOut?: number; availableOut?: number; lossOut: number;
  }[];
  participants: Record<string, {
    path: Path | null; rttMs?: number; lossIn?: number; lossOut?: number; bitsPerSecond?: number;
    publications: Partial<Record<Source, ReceivedStats>>;
  }>;
  sent: Partial<Record<Source, SentStats>>;
}

interface TrackFields { participant: Participant; publication: Publication; source: Source }

export interface DataMessage { participant: Participant; data: string | ArrayBuffer; lossy: boolean }

export interface Data {
  /**
   * To everyone who listens, at most 16 KiB. Reliable messages arrive all, in order; they wait here while more is sent
   * than the server takes. Lossy ones arrive at once or not at all: false if one did not even leave.
   */
  send(data: string | ArrayBuffer | ArrayBufferView, options?: { lossy?: boolean }): Promise<boolean>;
  /** Returns what ends it. */
  on(listener: (message: DataMessage) => void): () => void;
}

export interface RoomEvents {
  'participant-joined': { participant: Participant };
  'participant-left': { participant: Participant; reason: 'left' | 'timeout' | 'removed' | 'replaced' };
  /** Name, meta, or what it publishes. */
  'participant-updated': { participant: Participant };
  /** Media comes in: attach `publication.stream`. */
  'track-added': TrackFields & { track: MediaStreamTrack };
  /** No media any more: unpublished, or its slot went to someone else. */
  'track-removed': TrackFields & { track: MediaStreamTrack };
  /** Muted or unmuted, also your own by a moderator. */
  'track-muted': TrackFields & { muted: boolean };
  /** Who speaks, loudest first. */
  speakers: { speakers: { participant: Participant; levelDb: number }[] };
  quality: Quality & { participant: Participant };
  /** Media connection to a participant, or to the server (null). */
  connection: { participant: Participant | null; state: RTCPeerConnectionState };
  message: { from: Participant | string; topic: string; data: unknown; at: number; roomSeq: number };
  /** A data channel was closed, messages on it were lost, and it is opened again. */
  'data-interrupted': { lossy: boolean };
  /** Which heights of one of your tracks anyone watches; the others are not sent any more. */
  layers: { track: string; heights: number[] };
  'room-changed': { info: RoomInfo };
  /** Frames that another key made, or none: not shown. At most once in two seconds for each. */
  undecipherable: { participant: Participant; publication: Publication };
  /** Of the session. `error` says why it is reconnecting or closed. */
  state: { state: State; error?: RoundturnError };
  /** Something went wrong that no call of yours reports. */
  error: { error: Error; participant?: Participant };
}

export type Stage = 'join' | 'offer' | 'stun' | 'nominated' | 'dtls' | 'packet' | 'keyframe' | 'report';

/** How far a session came and why no further; times in milliseconds. */
export interface SessionRecord {
  session: string; room: string; mode: 'mesh' | 'sfu'; participant: string;
  joined_at: number; ended_at: number | null; ended: string | null; path: 'udp' | 'tcp' | 'relay' | null;
  last_stage: Stage; stages: { stage: Stage; after_ms: number }[];
  reason: 'ok' | 'in_progress' | 'peer_to_peer' | 'no_offer' | 'offer_rejected' | 'no_stun' | 'not_nominated' | 'no_dtls' | 'no_media' | 'no_report';
  /** With `offer_rejected`. */
  error?: string;
  message: string;
}

export declare class Room extends EventTarget {
  readonly state: State;
  readonly you: Participant;
  readonly participants: Participant[];
  readonly mode: 'mesh' | 'sfu';
  readonly info: RoomInfo;
  readonly limits: { frame_bytes?: number; frames_per_second?: number; slots?: { audio: number; video: number } };
  /** Messages sent with `keep`, by topic. */
  readonly kept: ReadonlyMap<string, KeptMessage>;
  participant(id: string): Participant | undefined;
  publish(track: MediaStreamTrack, options?: PublishOptions): Promise<Publication>;
  unpublish(source: Source | MediaStreamTrack): Promise<void>;
  mute(source: Source | MediaStreamTrack, muted: boolean): Promise<void>;
  replaceTrack(source: Source | MediaStreamTrack, track: MediaStreamTrack | null): Promise<void>;
  /** Opens another device for a published source; '' is the system's choice. Resolves with its track; the one before is stopped. */
  useDevice(source: Source | MediaStreamTrack, deviceId: string, constraints?: MediaTrackConstraints): Promise<MediaStreamTrack>;
  send(topic: string, data: unknown, options?: { to?: '*' | (string | Participant)[]; keep?: boolean; echo?: boolean }): Promise<void>;
  /** Data channels; throws in a mesh room. */
  readonly data: Data;
  update(fields: { name?: string; meta?: unknown }): Promise<void>;
  /** SFU: how large you show what. Replaces what you said before; a height of 0 is not received at all. */
  view(wishes: { publication: Publication; height: number; priority?: number }[]): Promise<void>;
  moderate(action: 'remove' | 'mute' | 'lock' | 'unlock' | 'end', fields?: { participant?: string; track?: string; reason?: string }): Promise<void>;
  serverTime(): number;
  stats(): Promise<RoomStats>;
  /** What the server noted of this session, also for an hour after its end. */
  record(): Promise<SessionRecord>;
  leave(): void;
  addEventListener<T extends keyof RoomEvents>(type: T, listener: (event: Event & RoomEvents[T]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

export declare class RoundturnError extends Error {
  /** One of the protocol's codes, or `unreachable`, `connection_lost`, `left`, `not_published`, `already_published`, `unsupported_browser`. */
  readonly code: string;
  readonly retryMs?: number;
}

/** Joins a room. Rejects with a RoundturnError. */
export declare function join(options: JoinOptions): Promise<Room>;

/** The devices that can be chosen. Their names are empty until one of them was allowed. */
export declare function devices(): Promise<{ audio: MediaDeviceInfo[]; video: MediaDeviceInfo[]; output: MediaDeviceInfo[] }>;

/** Opens a device in the place of `old`, which is stopped; '' is the system's choice. Rejects as `getUserMedia` does. */
export declare function openDevice(kind: 'audio' | 'video', deviceId: string, constraints?: MediaTrackConstraints, old?: MediaStreamTrack | null): Promise<MediaStreamTrack>;

export declare const Roundturn: { join: typeof join; devices: typeof devices; openDevice: typeof openDevice; RoundturnError: typeof RoundturnError };
