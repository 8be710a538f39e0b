// Tokens as an application makes them: a JWT by hand.

import { createHmac } from 'node:crypto';
import { SECRET } from './daemon.js';

/** Good for a minute, unless it says otherwise. */
export function token(claims, { header = { alg: 'HS256', typ: 'JWT' }, secret = SECRET } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const message = `${part(header)}.${part({ exp: Math.floor(Date.now() / 1000) + 60, ...claims })}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}
