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
        const clear = frame.type === 'key' ? 10 : frame.type === 'delta' ? 3 : 1;
        for (let at = clear; at < bytes.length; at += 1) bytes[at] ^= (key + at) & 0xff;
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
