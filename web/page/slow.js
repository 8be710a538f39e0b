// Why a call is slow, or does not come about, in sentences for whoever is in it.

import { WORDS } from './words.js';

const FAR_MS = 250;
const LOSS = 0.03;

/** What stands in the way according to the room's statistics, what matters most first. */
export function reasons(room, stats) {
  const words = WORDS.slow;
  const found = [];
  const percent = (share) => Math.max(1, Math.round(share * 100));
  const lossIn = Math.max(0, ...Object.values(stats.participants).map((one) => one.lossIn ?? 0));
  const lossOut = Math.max(0, ...stats.connections.map((one) => one.lossOut ?? 0));
  if (lossIn > LOSS) found.push(words.lossIn(percent(lossIn)));
  if (lossOut > LOSS) found.push(words.lossOut(percent(lossOut)));
  const roundTrip = Math.max(0, ...stats.connections.map((one) => one.rttMs ?? 0));
  if (roundTrip > FAR_MS) found.push(words.farAway(Math.round(roundTrip)));
  const limits = Object.values(stats.sent).map((one) => one.limitedBy);
  const available = Math.min(...stats.connections.map((one) => one.availableOut ?? Infinity));
  if (limits.includes('bandwidth') && Number.isFinite(available)) found.push(words.upload(rate(available)));
  if (limits.includes('cpu')) found.push(words.cpu);
  for (const participant of room.participants) {
    if (participant.publications.get('camera')?.paused) found.push(words.paused(participant.name || WORDS.guest));
  }
  if (stats.connections.some((one) => one.path && one.path.protocol !== 'udp')) found.push(words.tcp);
  else if (stats.connections.some((one) => one.path?.relayed)) found.push(words.relay);
  return found;
}

/** Bits a second as people read them. */
export function rate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;
}

/** What the server knows of why media found no way; empty where it knows nothing that helps. */
export async function recorded(room) {
  const record = await room.record().catch(() => null);
  return WORDS.record[record?.reason] ?? '';
}
