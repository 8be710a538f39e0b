// Waiting for conditions.

const PERIOD_MILLIS = 200;

/** Asks again and again until `condition` gives something true; what it gave. Its errors count as "not yet". */
export async function until(what, seconds, condition) {
  const deadline = performance.now() + seconds * 1000;
  let last = null;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what} (last: ${last?.message ?? last})`);
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MILLIS));
  }
}
