// How smooth a call of two is for who watches it, by its own statistics.

/** Runs in the page: notes every 50 ms how many pictures, how high, and how many packets of sound have come. */
export function watchSmoothness() {
  globalThis.samplesForTests = [];
  const look = async () => {
    const sample = { at: performance.now(), frames: 0, height: 0, sounds: 0 };
    for (const connection of globalThis.connectionsForTests) {
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type !== 'inbound-rtp') continue;
        if (entry.kind === 'audio') sample.sounds += entry.packetsReceived;
        if (entry.kind !== 'video' || !entry.framesDecoded) continue;
        sample.frames += entry.framesDecoded;
        sample.height = Math.max(sample.height, entry.frameHeight);
      }
    }
    globalThis.samplesForTests.push(sample);
  };
  const turn = () => look().finally(() => setTimeout(turn, 50));
  turn();
}

/** Runs in the page: all that was noted. */
export function readSamples() {
  return globalThis.samplesForTests;
}

/** For how many milliseconds, at least, `what` did not grow. */
export function longestGap(samples, what) {
  let longest = 0;
  let since = samples[0];
  for (const sample of samples) {
    if (sample[what] > since[what]) since = sample;
    longest = Math.max(longest, sample.at - since.at);
  }
  return longest;
}
