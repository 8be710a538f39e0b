// End-to-end encryption as pages do it, for tests: each frame is changed between the codec and the network.

/** Runs in a page before its own scripts: everything that its peer connections send and receive goes through a cipher. */
export function encryptMedia(key) {
  // A toy cipher: what must be seen is that the server needs no more than what is left in the clear.
  const cipher = `onrtctransform = ({ transformer }) => {
    const { side, key } = transformer.options;
    let frames = 0;
    transformer.readable.pipeThrough(new TransformStream({
      transform(frame, controller) {
        const bytes = new Uint8Array(frame.data);
        // Headers stay as they are, and no start code comes up, as H264's packetizer would need it.
        const clear = frame.type ? 64 : 1;
        for (let at = clear; at < bytes.length; at += 1) if (bytes[at] >= 0x80) bytes[at] ^= (key + at) & 0x7f;
        frame.data = bytes.buffer;
        controller.enqueue(frame);
        postMessage({ side, kind: frame.type ? 'video' : 'audio', frames: frames += 1 });
      },
    })).pipeTo(transformer.writable);
  };`;
  globalThis.ciphered = {};
  const url = URL.createObjectURL(new Blob([cipher], { type: 'text/javascript' }));
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
