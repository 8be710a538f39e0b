// What tests do and ask inside the page: each of these runs there.

/** Errors given to the console come out as words, not as objects. */
export function spellErrors() {
  const { error } = console;
  console.error = (...values) => error(...values.map((value) => (value?.stack ? `${value}\n${value.stack}` : String(value))));
}

export function cutSockets() {
  const { room } = globalThis.roundturn;
  globalThis.isCut = true;
  for (const socket of globalThis.socketsForTests) socket.close();
  return { you: room.you.id, connections: globalThis.connectionsForTests.length };
}

export function readSession() {
  const { room } = globalThis.roundturn;
  return { state: room.state, you: room.you.id, connections: globalThis.connectionsForTests.length };
}

/** Others' tiles whose video element has a picture. */
export function countPictures() {
  const tiles = [...document.querySelectorAll('[data-participant]:not([data-you="true"])')];
  return tiles.filter((tile) => [...tile.querySelectorAll('video')].some((video) => video.videoWidth > 0)).length;
}

export async function publishScreen() {
  const canvas = document.createElement('canvas');
  const drawing = canvas.getContext('2d');
  let hue = 0;
  setInterval(() => {
    drawing.fillStyle = `hsl(${hue += 10} 80% 50%)`;
    drawing.fillRect(0, 0, canvas.width, canvas.height);
  }, 50);
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio);
  const sound = new MediaStreamAudioDestinationNode(audio);
  tone.connect(sound);
  tone.start();
  const { room } = globalThis.roundturn;
  await Promise.all([
    room.publish(canvas.captureStream().getVideoTracks()[0], { source: 'screen' }),
    room.publish(sound.stream.getAudioTracks()[0], { source: 'screen_audio' }),
  ]);
}

/** What comes in from the participant of this name, by source. */
export async function readPublications(name) {
  const { room } = globalThis.roundturn;
  const { id } = room.participants.find((one) => one.name === name);
  return (await room.stats()).participants[id].publications;
}

/** The page's own wishes are silenced first. */
export async function viewOnly(name, height, source) {
  const { room } = globalThis.roundturn;
  globalThis.sayView ??= room.view.bind(room);
  room.view = async () => {};
  const other = room.participants.find((one) => one.name === name);
  await globalThis.sayView([{ publication: other.publications.get(source), height }]);
}

export async function readActiveHeights() {
  const heights = [];
  for (const connection of globalThis.connectionsForTests) {
    for (const sender of connection.getSenders()) {
      if (sender.track?.kind !== 'video') continue;
      const full = sender.track.getSettings().height;
      for (const layer of sender.getParameters().encodings) if (layer.active) heights.push(full / (layer.scaleResolutionDownBy ?? 1));
    }
  }
  return heights.sort((one, other) => one - other);
}

export async function publishScalable(codec) {
  const { room } = globalThis.roundturn;
  const { track } = room.you.publications.get('camera');
  await room.publish(track.clone(), { source: 'screen', codec, scalabilityMode: 'L3T3_KEY' });
}

/** Whether frames of this codec are decoded. */
export async function receivesCodec(codec) {
  for (const connection of globalThis.connectionsForTests) {
    const stats = [...(await connection.getStats()).values()];
    const isIt = (id) => stats.find((entry) => entry.id === id)?.mimeType.toLowerCase() === `video/${codec}`;
    if (stats.some((entry) => entry.type === 'inbound-rtp' && entry.framesDecoded > 20 && isIt(entry.codecId))) return true;
  }
  return false;
}

/** What comes in on all live connections, and over which candidates. */
export async function readMedia() {
  const found = { video: [], audio: [], pairs: [], states: [] };
  for (const [index, connection] of globalThis.connectionsForTests.entries()) {
    if (connection.connectionState === 'closed') continue;
    found.states.push(`${connection.iceConnectionState}/${connection.connectionState}`);
    const stats = [...(await connection.getStats()).values()];
    const byId = (id) => stats.find((entry) => entry.id === id);
    for (const entry of stats) {
      if (entry.type !== 'inbound-rtp') continue;
      const id = `${index} ${entry.id}`;
      if (entry.kind === 'video' && entry.framesDecoded > 0) found.video.push({ id, amount: entry.framesDecoded });
      if (entry.kind === 'audio' && entry.totalAudioEnergy > 0) found.audio.push({ id, amount: entry.totalAudioEnergy });
    }
    const transport = stats.find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId);
    const isSelected = (entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded';
    const pair = transport ? byId(transport.selectedCandidatePairId) : stats.find(isSelected);
    if (pair) {
      const [local, remote] = [byId(pair.localCandidateId), byId(pair.remoteCandidateId)];
      found.pairs.push({
        local: local?.candidateType, protocol: local?.protocol, relayProtocol: local?.relayProtocol, remote: remote?.candidateType,
      });
    }
  }
  return found;
}
