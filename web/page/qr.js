// A QR code of a text (ISO/IEC 18004): bytes, error correction level M, versions 1 to 10.
//
//   text ─► bits ─► bytes in blocks, each with its check bytes ─► interleaved ─► zigzag through the free modules ─► masked

/** For each version: check bytes of a block, and how many blocks of how many bytes. */
const BLOCKS = [
  [10, [[1, 16]]], [16, [[1, 28]]], [26, [[1, 44]]], [18, [[2, 32]]], [24, [[2, 43]]],
  [16, [[4, 27]]], [18, [[4, 31]]], [22, [[2, 38], [2, 39]]], [22, [[3, 36], [2, 37]]], [26, [[4, 43], [1, 44]]],
];
/** Where the centres of alignment patterns lie, for each version. */
const ALIGNMENT = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];
const MASKS = [
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];
const LEVEL_M = 0;

/** Rows of modules, dark ones being true; null for a text that is too long. */
export function modules(text) {
  const bytes = new TextEncoder().encode(text);
  const capacity = ([, groups]) => groups.reduce((sum, [count, size]) => sum + count * size, 0);
  const version = BLOCKS.findIndex((block, index) => capacity(block) >= bytes.length + (index < 9 ? 2 : 3)) + 1;
  if (version === 0) return null;
  const stream = interleaved(padded(bytes, version, capacity(BLOCKS[version - 1])), BLOCKS[version - 1]);
  const codes = MASKS.map((mask, number) => drawn(version, stream, mask, number));
  return codes.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
}

/** The same as the path of an SVG whose unit is a module, with its width. */
export function path(rows) {
  const d = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return { d, size: rows.length };
}

// Mode, length and text, filled up to the version's size.
function padded(bytes, version, size) {
  const bits = [];
  const put = (value, count) => { for (let at = count - 1; at >= 0; at--) bits.push((value >> at) & 1); };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, size * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const out = [];
  for (let at = 0; at < bits.length; at += 8) out.push(parseInt(bits.slice(at, at + 8).join(''), 2));
  for (let pad = 0xec; out.length < size; pad ^= 0xec ^ 0x11) out.push(pad);
  return out;
}

function interleaved(data, [checks, groups]) {
  let at = 0;
  const blocks = groups.flatMap(([count, size]) => Array.from({ length: count }, () => data.slice(at, (at += size))));
  const column = (lists) => Array.from({ length: Math.max(...lists.map((one) => one.length)) }, (_, index) => lists.map((one) => one[index]).filter((one) => one !== undefined)).flat();
  return [...column(blocks), ...column(blocks.map((block) => checkBytes(block, checks)))];
}

// The remainder by the generator polynomial, over the field of 256 elements with x⁸ = x⁴ + x³ + x² + 1.
function checkBytes(block, count) {
  let generator = [1];
  for (let power = 0, root = 1; power < count; power++, root = times(root, 2)) {
    generator = [...generator, 0].map((one, index) => one ^ times(generator[index - 1] ?? 0, root));
  }
  const rest = [...block, ...new Array(count).fill(0)];
  for (let at = 0; at < block.length; at++) {
    const lead = rest[at];
    generator.forEach((one, index) => { rest[at + index] ^= times(one, lead); });
  }
  return rest.slice(block.length);
}

function times(a, b) {
  let product = 0;
  for (let left = a, right = b; right > 0; right >>= 1, left = (left << 1) ^ (left & 0x80 ? 0x11d : 0)) if (right & 1) product ^= left;
  return product & 0xff;
}

function drawn(version, stream, mask, number) {
  const size = 17 + 4 * version;
  const rows = Array.from({ length: size }, () => new Array(size).fill(null));
  drawPatterns(rows, version);
  drawFormat(rows, number);
  let bit = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    const upwards = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = upwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (rows[y][x] !== null) continue;
        const dark = ((stream[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        bit += 1;
        rows[y][x] = Boolean(dark) !== mask(x, y);
      }
    }
  }
  return rows;
}

function drawPatterns(rows, version) {
  const last = rows.length - 1;
  for (let at = 0; at <= last; at++) rows[6][at] = rows[at][6] = at % 2 === 0;
  for (const [cx, cy] of [[3, 3], [last - 3, 3], [3, last - 3]]) square(rows, cx, cy, 4, (far) => far !== 2 && far !== 4);
  const centres = ALIGNMENT[version - 1];
  for (const cx of centres) {
    for (const cy of centres) {
      const isFinder = (cx === 6 && cy === 6) || (cx === 6 && cy === centres.at(-1)) || (cx === centres.at(-1) && cy === 6);
      if (!isFinder) square(rows, cx, cy, 2, (far) => far !== 1);
    }
  }
  if (version < 7) return;
  const bits = (version << 12) | remainder(version, 12, 0x1f25);
  for (let at = 0; at < 18; at++) {
    const [far, near] = [last - 10 + (at % 3), Math.floor(at / 3)];
    rows[near][far] = rows[far][near] = Boolean((bits >> at) & 1);
  }
}

function square(rows, cx, cy, radius, dark) {
  for (let y = cy - radius; y <= cy + radius; y++) {
    for (let x = cx - radius; x <= cx + radius; x++) {
      if (rows[y]?.[x] !== undefined) rows[y][x] = dark(Math.max(Math.abs(x - cx), Math.abs(y - cy)));
    }
  }
}

// Level and mask, twice, and the one module that is always dark.
function drawFormat(rows, mask) {
  const last = rows.length - 1;
  const data = (LEVEL_M << 3) | mask;
  const bits = ((data << 10) | remainder(data, 10, 0x537)) ^ 0x5412;
  const bit = (at) => Boolean((bits >> at) & 1);
  for (let at = 0; at < 15; at++) {
    const upright = at < 6 ? at : at < 8 ? at + 1 : last - 14 + at;
    const flat = at < 8 ? last - at : at === 8 ? 7 : 14 - at;
    rows[upright][8] = bit(at);
    rows[8][flat] = bit(at);
  }
  rows[last - 7][8] = true;
}

function remainder(value, bits, polynomial) {
  let rest = value << bits;
  for (let at = 31 - Math.clz32(rest || 1); at >= bits; at = 31 - Math.clz32(rest || 1)) rest ^= polynomial << (at - bits);
  return rest;
}

// How hard a code is to read: runs of one colour, squares of one colour, and how far it is from half dark.
function penalty(rows) {
  const size = rows.length;
  let sum = 0;
  let dark = 0;
  for (let y = 0; y < size; y++) {
    for (const at of [(x) => rows[y][x], (x) => rows[x][y]]) {
      for (let x = 0, run = 0; x < size; x++) {
        run = x > 0 && at(x) === at(x - 1) ? run + 1 : 1;
        sum += run === 5 ? 3 : run > 5 ? 1 : 0;
      }
    }
    for (let x = 0; x < size; x++) {
      dark += rows[y][x] ? 1 : 0;
      const one = rows[y][x];
      if (x > 0 && y > 0 && one === rows[y - 1][x] && one === rows[y][x - 1] && one === rows[y - 1][x - 1]) sum += 3;
    }
  }
  return sum + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
}
