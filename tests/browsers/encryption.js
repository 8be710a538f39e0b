// End-to-end encryption as pages do it, for tests: each frame is changed between the codec and the network.

/** Runs in a page before its own scripts: everything that its peer connections send and receive goes through a cipher. */
export function encryptMedia(key) {
  // On the way packets lose and gain start codes and lengths: what is ciphered is counted from where a unit begins.
  /** H264: pieces of pictures, behind their first bytes. */
  function units(bytes) {
    const starts = [];
    for (let at = 2; at < bytes.length - 1; at += 1) if (bytes[at] === 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0) starts.push(at + 1);
    const isPicture = (start) => [1, 5].includes(bytes[start] & 0x1f);
    const end = (index) => (index + 1 < starts.length ? starts[index + 1] - 4 : bytes.length);
    return starts.flatMap((start, index) => (isPicture(start) ? [[start + 32, end(index)]] : []));
  }
  /** AV1: frames and groups of tiles, behind their first bytes. */
  function obus(bytes) {
    const parts = [];
    for (let at = 0; at < bytes.length;) {
      const head = bytes[at];
      at += head & 4 ? 2 : 1;
      let size = bytes.length - at;
      if (head & 2) {
        size = 0;
        for (let shift = 0, more = true; more; shift += 7, at += 1) {
          size |= (bytes[at] & 0x7f) << shift;
          more = bytes[at] >= 0x80;
        }
      }
      if ([4, 6].includes((head >> 3) & 15)) parts.push([at + CLEAR, at + size]);
      at += size;
    }
    return parts;
  }
  // A toy cipher: what must be seen is that the server needs no more than what is left in the clear.
  const cipher = `onrtctransform = ({ transformer }) => {
    const { side, key } = transformer.options;
    let frames = 0;
    transformer.readable.pipeThrough(new TransformStream({
      transform(frame, controller) {
        const bytes = new Uint8Array(frame.data);
        const codec = frame.type ? frame.getMetadata().mimeType?.toLowerCase() : 'audio';
        const parts = { audio: () => [[1, bytes.length]], 'video/h264': () => units(bytes), 'video/av1': () => obus(bytes) }[codec];
        // Headers stay as they are, and no start code comes up, as H264's packetizer would need it.
        for (const [from, to] of parts?.() ?? [[CLEAR, bytes.length]]) {
          for (let at = from; at < to; at += 1) if (bytes[at] >= 0x80) bytes[at] ^= (key + at - from) & 0x7f;
        }
        frame.data = bytes.buffer;
        controller.enqueue(frame);
        postMessage({ side, kind: frame.type ? 'video' : 'audio', frames: frames += 1 });
      },
    })).pipeTo(transformer.writable);
  };`;
  const source = `const CLEAR = 64; ${units} ${obus} ${cipher}`;
  globalThis.ciphered = {};
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const transform = (side) => {
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => {
      const name = `${data.side} ${data.kind}`;
      globalThis.ciphered[name] = Math.max(globalThis.ciphered[name] ?? 0, data.frames);
    };
    return new RTCRtpScriptTransform(worker, { side, key });
  };
  const addTransceiver = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function added(trackOrKind, options) {
    const transceiver = addTransceiver.call(this, trackOrKind, options);
    const sends = options?.direction === 'sendonly';
    if (sends) transceiver.sender.transform = transform('sent');
    else transceiver.receiver.transform = transform('received');
    return transceiver;
  };
}
