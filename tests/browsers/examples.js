// The examples of docs/client.md, as they stand there, on the machine that they are written for.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { until } from './until.js';

const DOCUMENT = new URL('../../docs/client.md', import.meta.url);
const WEB = new URL('../../web', import.meta.url);
/** Where the page of examples says that they are served. */
const PORT = 8000;

/** What each of them must come to, by the heading or the sentence before it. */
export const cases = {
  'the examples in docs/client.md': async (enter) => {
    const examples = read();
    const server = await serve(examples);
    try {
      await twoPeople(enter);
      const ana = await meeting(enter);
      for (const code of examples.snippets) await ana.asks(run, code);
      await until('the timer runs', 10, async () => /^\d+ s$/.test(await ana.asks(() => globalThis.titleForTests ?? document.title)));
    } finally {
      server.close();
    }
  },
};

function read() {
  const text = readFileSync(DOCUMENT, 'utf8');
  const blocks = (language) => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code);
  // What is `room` to the smaller ones stands in the page of the meeting.
  const [two, meeting] = blocks('html');
  return { two, meeting: meeting.replace('</script>', 'globalThis.room = room;\n</script>'), snippets: blocks('js') };
}

async function serve({ two, meeting }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    const page = { '/two': two, '/meeting': meeting }[pathname];
    if (page) return response.setHeader('content-type', 'text/html').end(page);
    if (pathname === '/favicon.ico') return response.writeHead(204).end();
    try {
      return response.setHeader('content-type', 'text/javascript').end(readFileSync(`${WEB.pathname}${pathname}`));
    } catch {
      return response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(PORT, '127.0.0.1', resolve));
  return server;
}

async function twoPeople(enter) {
  const url = `http://127.0.0.1:${PORT}/two`;
  const [one, other] = [await enter('chromium', 'one', { url }), await enter('chromium', 'other', { url })];
  for (const person of [one, other]) {
    await person.reads('#words', 'Ana, directly');
    await until('the other one is seen', 20, () => person.asks(() => document.getElementById('them').videoWidth > 0));
  }
  await other.clicks('#hang-up');
  await other.reads('#words', 'You hung up.');
  await one.reads('#words', 'The other one has left.');
}

async function meeting(enter) {
  const url = `http://127.0.0.1:${PORT}/meeting`;
  const [ana, bo] = [await enter('chromium', 'ana', { url }), await enter('chromium', 'bo', { url })];
  for (const person of [ana, bo]) {
    await until('a picture and a sound come in', 20, () => person.asks(() => (
      document.querySelectorAll('#tiles video').length === 1 && document.querySelectorAll('#tiles audio').length === 1 && document.querySelector('#tiles video').videoWidth > 0)));
  }
  await bo.asks(() => { document.querySelector('#chat input').value = 'Hello'; });
  await bo.clicks('#chat button');
  for (const person of [ana, bo]) await person.reads('#log', 'Hello');
  await bo.clicks('#mic');
  await bo.reads('#mic', 'Unmute');
  return ana;
}

/** Runs in the page: an example as the inside of a module whose `room` is there. */
async function run(code) {
  const body = code.replace(/^import (\{.*\}) from '(.*)';$/gm, (_, names, from) => `const ${names} = await import('${from}');`).replaceAll("'./", `'${location.origin}/`);
  const AsyncFunction = (async () => {}).constructor;
  await new AsyncFunction('room', body)(globalThis.room);
  globalThis.titleForTests ??= /\d+ s/.test(document.title) ? document.title : undefined;
}
