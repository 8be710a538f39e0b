// The application's own issuer: says by a signed token who may come into which room, and publishes the key to check it with.

import { createSign, generateKeyPairSync } from 'node:crypto';

const KEY_ID = '2026-11';

export class Issuer {
  #key; #public;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#key = privateKey;
    this.#public = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  }

  /** A JWT, RS256. */
  sign(claims) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const message = `${part({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${part(claims)}`;
    return `${message}.${createSign('RSA-SHA256').update(message).sign(this.#key, 'base64url')}`;
  }

  /** Who may come into a room, for so many seconds. */
  invite({ name, room, seconds }) {
    return this.sign({ sub: name, name, room, exp: Math.floor(Date.now() / 1000) + seconds, grants: ['publish', 'subscribe', 'message'], iss: 'mesh-meeting', aud: 'calls' });
  }

  /** What the application's web server answers. */
  routes() {
    return {
      '/keys.json': (request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [this.#public] })),
      '/invitation': async (request, response) => {
        let body = '';
        for await (const part of request) body += part;
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ token: this.invite(JSON.parse(body)) }));
      },
    };
  }
}
