// What is sent of a picture: simulcast layers or one encoding with layers inside, and which of them anyone watches.

const BITRATE = { camera: 1_500_000, screen: 2_500_000 };
/** The names of three layers, the smallest first, and what the smaller ones may take. */
const RIDS = ['q', 'h', 'f'];
const LAYER_BITRATE = [150_000, 500_000];
/** Pictures lower than this have one layer, those lower than twice this two. */
const LOWEST_HEIGHT = 270;
/** Codecs with layers inside one encoding. */
const SCALABLE = ['vp9', 'av1'];

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
