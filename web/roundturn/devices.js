// Cameras and microphones: one opened in the place of another.

const KIND_INPUT = { audio: 'audioinput', video: 'videoinput' };
/** Of a camera that cannot be open together with the one before it, as on most phones. */
const TAKEN = ['NotReadableError', 'AbortError'];

/** The devices that can be chosen, by what they are for. Their names are empty until one of them was allowed. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const of = (kind) => all.filter((one) => one.kind === kind && one.deviceId !== '');
  return { audio: of(KIND_INPUT.audio), video: of(KIND_INPUT.video), output: of('audiooutput') };
}

/**
 * Opens a device of a kind in the place of `old`, which is stopped; '' is the system's choice. Rejects as `getUserMedia` does,
 * and then `old` goes on where it still can.
 */
export async function openDevice(kind, deviceId, constraints = {}, old = null) {
  const wanted = { [kind]: { ...constraints, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) } };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    if (!old || !TAKEN.includes(error.name)) throw error;
    old.stop();
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  }
  old?.stop();
  return stream.getTracks()[0];
}
