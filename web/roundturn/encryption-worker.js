// The cipher of end-to-end encryption: AES-GCM over each frame, by a key made of the room's name and a text that all know.
//
//   sent:  │ head, in the clear │ ciphertext and tag │ counter, 4 bytes │ salt of the sender, 8 bytes │
//
// The head is what the packets' way needs to see: VP8 says there whether a frame is a key frame. It is authenticated. The
// salt is random for each sender, and salt and counter together are never used twice with a key.

const HEAD_BYTES = { key: 10, delta: 3, audio: 1 };
const SALT_BYTES = 8;
const TAIL_BYTES = SALT_BYTES + 4;
const TAG_BYTES = 16;
const ITERATIONS = 200_000;
/** A stream that fails is told of once in so many milliseconds. */
const TOLD_EVERY_MS = 2_000;

let setKey;
const key = new Promise((resolve) => { setKey = resolve; });

onmessage = async ({ data }) => {
  const bytes = (text) => new TextEncoder().encode(text);
  const secret = await crypto.subtle.importKey('raw', bytes(data.key), 'PBKDF2', false, ['deriveKey']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(`roundturn ${data.room}`), iterations: ITERATIONS };
  setKey(crypto.subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt']));
};

onrtctransform = ({ transformer }) => {
  const { side, track } = transformer.options;
  const transform = side === 'send' ? encrypter() : decrypter(track);
  transformer.readable.pipeThrough(new TransformStream({ transform })).pipeTo(transformer.writable).catch(() => {});
};

function encrypter() {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  let counter = 0;
  return async (frame, controller) => {
    const plain = new Uint8Array(frame.data);
    // Silence has no bytes, and what has none needs none.
    if (plain.length > 0) {
      const head = plain.subarray(0, headOf(frame));
      const tail = new Uint8Array(TAIL_BYTES);
      new DataView(tail.buffer).setUint32(0, counter);
      tail.set(salt, 4);
      counter += 1;
      const how = { name: 'AES-GCM', iv: tail, additionalData: head };
      const cipher = new Uint8Array(await crypto.subtle.encrypt(how, await key, plain.subarray(head.length)));
      frame.data = joined(head, cipher, tail).buffer;
    }
    controller.enqueue(frame);
  };
}

function decrypter(track) {
  let toldAt = -Infinity;
  return async (frame, controller) => {
    const bytes = new Uint8Array(frame.data);
    const end = bytes.length - TAIL_BYTES;
    const head = bytes.subarray(0, headOf(frame));
    if (bytes.length === 0) return controller.enqueue(frame);
    try {
      if (end - head.length < TAG_BYTES) throw new RangeError('too short for a cipher');
      const how = { name: 'AES-GCM', iv: bytes.subarray(end), additionalData: head };
      const plain = new Uint8Array(await crypto.subtle.decrypt(how, await key, bytes.subarray(head.length, end)));
      frame.data = joined(head, plain).buffer;
      controller.enqueue(frame);
    } catch {
      // Not of this key: a frame that cannot be read is not shown.
      if (performance.now() - toldAt < TOLD_EVERY_MS) return;
      toldAt = performance.now();
      postMessage(track);
    }
  };
}

function headOf(frame) {
  return Math.min(frame.data.byteLength, HEAD_BYTES[frame.type] ?? HEAD_BYTES.audio);
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
