// What is sent of a picture: simulcast layers or one encoding with layers inside, and which of them anyone watches.

const BITRATE = { camera: 1_500_000, screen: 2_500_000 };
/** The names of three layers, the smallest first, and what the smaller ones may take. */
const RIDS = ['q', 'h', 'f'];
const LAYER_BITRATE = [150_000, 500_000];
/** Pictures lower than this have one layer, those lower than twice this two. */
const LOWEST_HEIGHT = 270;
/** Codecs with layers inside one encoding. */
const SCALABLE = ['vp9', 'av1'];

/** What of each codec is used, by a part of its parameters: everyone has it, and the server takes it. */
const USED_CODECS = {
  'audio/opus': [], 'video/vp8': [], 'video/rtx': [],
  'video/h264': ['packetization-mode=1', 'profile-level-id=42e01f'], 'video/vp9': ['profile-id=0'], 'video/av1': [],
};
const UNUSED = /(^|;)profile=[12]/;

/** The `sendEncodings` of a transceiver for this publication. */
export function encodings({ track, kind, source, codec, scalabilityMode, simulcast = source === 'camera', maxBitrate = BITRATE[source] }) {
  if (kind !== 'video') return maxBitrate ? [{ maxBitrate }] : [];
  if (SCALABLE.includes(codec)) return [{ maxBitrate, scalabilityMode: scalabilityMode ?? (source === 'screen' ? 'L1T3' : 'L3T3_KEY') }];
  const { height = 720 } = track?.getSettings() ?? {};
  const count = !simulcast || height < LOWEST_HEIGHT ? 1 : height < 2 * LOWEST_HEIGHT ? 2 : 3;
  if (count === 1) return [{ maxBitrate }];
  return RIDS.slice(-count).map((rid, index) => ({
    rid,
    scaleResolutionDownBy: 2 ** (count - 1 - index),
    maxBitrate: Math.min(maxBitrate, LAYER_BITRATE[index + 3 - count] ?? maxBitrate),
  }));
}

/** Stops the layers of a sender whose height nobody watches. The smallest goes on, so that whoever comes sees something at once. */
export async function limit(sender, heights) {
  const parameters = sender.getParameters();
  const layers = parameters.encodings;
  if (!(layers?.length > 1)) return;
  const full = sender.track?.getSettings().height ?? Math.max(...heights);
  const sizes = layers.map(({ scaleResolutionDownBy = 1 }) => full / scaleResolutionDownBy);
  const distance = (size, height) => Math.abs(Math.log(size / height));
  const watched = new Set(heights.map((height) => sizes.reduce((best, size) => (distance(size, height) < distance(best, height) ? size : best))));
  watched.add(Math.min(...sizes));
  if (layers.every((layer, index) => layer.active === watched.has(sizes[index]))) return;
  layers.forEach((layer, index) => { layer.active = watched.has(sizes[index]); });
  await sender.setParameters(parameters);
}

/**
 * A browser offers some twenty codecs in each section, and fifteen such sections would not fit into one frame. The first is
 * what is sent: VP8, which everyone can decode, unless the page knows better; encrypted it is the only one, for only it keeps
 * what packets need in a few bytes that stay in the clear.
 */
export function offerOnlyUsed(transceiver, kind, first = 'vp8', encrypted = null) {
  const codecs = RTCRtpReceiver.getCapabilities?.(kind)?.codecs.filter(({ mimeType, sdpFmtpLine = '' }) => (
    USED_CODECS[mimeType.toLowerCase()]?.every((part) => sdpFmtpLine.includes(part)) && !UNUSED.test(sdpFmtpLine)));
  // The server puts H264 behind VP8, since some browsers name it first without being asked: whoever asks for it offers it alone.
  const only = encrypted ? 'vp8' : first === 'h264' ? 'h264' : null;
  if (only && kind === 'video') codecs?.splice(0, codecs.length, ...codecs.filter(({ mimeType }) => [`video/${only}`, 'video/rtx'].includes(mimeType.toLowerCase())));
  const isFirst = ({ mimeType }) => mimeType.toLowerCase() === `video/${first}`;
  codecs?.sort((one, other) => isFirst(other) - isFirst(one));
  if (!codecs?.some(({ mimeType }) => !mimeType.endsWith('/rtx'))) return;
  try {
    transceiver.setCodecPreferences?.(codecs);
  } catch {
    // Some versions of browsers take only what they send as well; the whole list is right too, only longer.
  }
}
