// What can be seen of the page and the library without a browser.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import jsqr from 'jsqr';
import { modules } from '../../web/page/qr.js';
import { Statistics } from '../../web/roundturn/stats.js';

const web = (path) => new URL(`../../web/${path}`, import.meta.url).pathname;
const LANGUAGES = ['en', 'de', 'zh', 'ru'];
const words = Object.fromEntries(await Promise.all(LANGUAGES.map(async (code) => [code, (await import(web(`page/words/${code}.js`))).default])));

/** Every key with what kind of value it has; sentences with the number of things that are put into them. */
function shape(value, path = '') {
  if (typeof value === 'function') return [`${path}(${value.length})`];
  if (typeof value === 'string') return [path];
  return Object.entries(value).flatMap(([key, one]) => shape(one, `${path}.${key}`)).sort();
}

test('every language says the same things', () => {
  for (const code of LANGUAGES) assert.deepEqual(shape(words[code]), shape(words.en), code);
});

test('no sentence is empty, and none is left in English', () => {
  const sentences = (value) => (typeof value === 'object' ? Object.values(value).flatMap(sentences) : [typeof value === 'function' ? value('both', 2) : value]);
  const english = new Set(sentences(words.en).filter((one) => one.split(' ').length > 3));
  for (const code of LANGUAGES) {
    for (const one of sentences(words[code])) {
      assert.ok(one.trim().length > 0 && !one.includes('undefined'), `${code}: ${one}`);
      assert.ok(code === 'en' || !english.has(one), `${code}: ${one}`);
    }
  }
});

test('every word that index.html asks for is there', () => {
  const html = readFileSync(web('index.html'), 'utf8');
  const asked = [...html.matchAll(/data-(?:words|label|hint)="(\w+)"/g)].map(([, key]) => key);
  assert.ok(asked.length > 30);
  for (const key of asked) assert.ok(words.en.texts[key], key);
  const unused = Object.keys(words.en.texts).filter((key) => !asked.includes(key) && key !== 'description');
  const code = ['call', 'invite', 'door', 'app'].map((name) => readFileSync(web(name === 'app' ? 'app.js' : `page/${name}.js`), 'utf8')).join();
  assert.deepEqual(unused.filter((key) => !code.includes(`texts.${key}`)), []);
});

test('QR codes of every length are read as they were written', () => {
  const alphabet = 'https://turn.example.org/#aZ9-._é';
  for (let length = 1; length <= 213; length++) {
    let text = alphabet.repeat(8).slice(0, length);
    while (new TextEncoder().encode(text).length > 213) text = text.slice(0, -1);
    assert.equal(scan(modules(text)), text);
  }
  assert.equal(modules('x'.repeat(214)), null);
});

/** Draws the modules four pixels wide, with a margin, and has another program's reader look at them. */
function scan(rows) {
  const [scale, margin] = [4, 4];
  const size = (rows.length + 2 * margin) * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const dark = rows[Math.floor(y / scale) - margin]?.[Math.floor(x / scale) - margin];
      if (dark) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  return jsqr(pixels, size, size)?.data;
}

test('the library has less than 15 kB, bundled, minified and compressed', async () => {
  const { outputFiles: [bundle] } = await build({ entryPoints: [web('roundturn.js')], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  const { length } = gzipSync(bundle.contents, { level: 9 });
  console.log(`the library: ${length} bytes`);
  assert.ok(length < 15_000, `${length} bytes`);
});

test('the types are sound, and name what the library exports', async () => {
  const folder = mkdtempSync(`${tmpdir()}/roundturn-types-`);
  const { join, ...others } = await import(web('roundturn.js'));
  const program = `
    import { join, ${Object.keys(others).join(', ')} } from ${JSON.stringify(web('roundturn.js'))};
    const room = await join({ room: 'a', create: { mode: 'sfu' }, encryption: { key: 'k' }, tracks: [] });
    room.addEventListener('track-added', ({ publication, track }) => { track.stop(); publication.stream?.getTracks(); });
    room.addEventListener('message', ({ from, roomSeq }) => { const name: string = typeof from === 'string' ? from : from.name; roomSeq.toFixed(); name.trim(); });
    const { reason, stages } = await room.record();
    if (reason === 'no_stun') stages.map(({ stage, after_ms }) => [stage, after_ms]);
    const track: MediaStreamTrack = await room.useDevice('camera', (await devices()).video[0].deviceId);
    await room.replaceTrack('camera', track);
    const limited: string | undefined = (await room.stats()).sent.camera?.limitedBy;
    // @ts-expect-error there is no such source
    await room.mute('webcam', true);
    console.log(join, limited, ${Object.keys(others).join(', ')});`;
  writeFileSync(`${folder}/program.ts`, program);
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023,dom,dom.iterable'];
  const compiler = new URL('node_modules/typescript/bin/tsc', import.meta.url).pathname;
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, `${folder}/program.ts`], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('who comes while statistics are read is in the next ones', async () => {
  const track = {};
  const someone = { id: 'p_9', publications: new Map() };
  someone.publications.set('camera', { participant: someone, source: 'camera', track });
  const room = { participants: [], you: { publications: new Map() } };
  const inbound = { id: 'in', type: 'inbound-rtp', kind: 'video', mid: '0', timestamp: 1000, bytesReceived: 1 };
  const connection = {
    connectionState: 'connected',
    getTransceivers: () => [{ mid: '0', receiver: { track }, sender: { track: null } }],
    getStats: async () => {
      room.participants = [someone];
      return new Map([['in', inbound]]);
    },
  };
  const statistics = new Statistics(room);
  assert.deepEqual((await statistics.read(new Map([['', connection]]))).participants, {});
  statistics.stop();
  const next = new Statistics(room);
  assert.ok((await next.read(new Map([['', connection]]))).participants.p_9.publications.camera);
  next.stop();
});

test('packed, the library holds its own files and no others', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json'], { cwd: web(''), encoding: 'utf8' });
  const paths = JSON.parse(stdout)[0].files.map(({ path }) => path);
  assert.ok(paths.includes('roundturn/encryption-worker.js') && paths.includes('roundturn.d.ts'), paths.join());
  assert.ok(paths.every((path) => /^(package\.json|roundturn\.(js|d\.ts)|roundturn\/[\w-]+\.js)$/.test(path)), paths.join());
});
