#!/usr/bin/env node
// The web server of an application: its folder, the client library below `/lib/`, and what else its developer thought of.
//
//   node tests/applications/serve.js HOST PORT FOLDER...

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

const WEB = new URL('../../web', import.meta.url).pathname;
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.wav': 'audio/wav' };

/** `routes`: what answers at a path, before any file does. */
export async function serve(host, port, folders, routes = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://application');
    if (routes[pathname]) return routes[pathname](request, response);
    if (pathname === '/favicon.ico') return response.writeHead(204).end();
    const path = pathname === '/' ? '/index.html' : pathname;
    const found = path.startsWith('/lib/') ? read(`${WEB}${path.slice(4)}`) : folders.map((folder) => read(`${folder}${path}`)).find(Boolean);
    if (!found) return response.writeHead(404).end();
    return response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(found);
  });
  await new Promise((resolve) => server.listen(port, host, resolve));
  return server;
}

function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [host, port, ...folders] = process.argv.slice(2);
  await serve(host, Number(port), folders);
  console.log('serving');
}
