// Errors of the client library: a stable code for programs, a sentence for people.

/**
 * What went wrong. `code` is one of the protocol's codes, or one of the library's own: `unreachable` (no WebSocket to the
 * server), `connection_lost` (a request was still open when the session ended), `left` (the room was left), `not_published`,
 * `already_published`, `unsupported_browser`.
 */
export class RoundturnError extends Error {
  constructor(code, message, { retryMs } = {}) {
    super(message ?? WORDS[code] ?? code);
    this.name = 'RoundturnError';
    this.code = code;
    this.retryMs = retryMs;
  }
}

const WORDS = {
  auth_expired: 'the token has expired',
  auth_invalid: 'the token is not valid here',
  auth_required: 'this room needs a token',
  bad_message: 'the server did not understand this client',
  connection_lost: 'the connection ended before the server answered',
  draining: 'the server is about to stop',
  forbidden: 'not allowed here',
  join_timeout: 'joining took too long',
  left: 'the room was left',
  rate_limited: 'too many messages',
  removed: 'removed from the room',
  replaced: 'the same person joined again elsewhere',
  restarting: 'the server restarts',
  room_ended: 'the room has ended',
  room_expired: 'the room has ended',
  room_full: 'the room is full',
  room_locked: 'the room is locked',
  room_not_found: 'there is no such room',
  too_large: 'a message was too large',
  unreachable: 'the server cannot be reached',
};

/** The reason behind each close code, where no `bye` told it. */
const CLOSE_REASONS = {
  4400: 'bad_message', 4401: 'auth_invalid', 4403: 'forbidden', 4404: 'room_not_found', 4408: 'join_timeout',
  4409: 'replaced', 4410: 'room_ended', 4413: 'too_large', 4423: 'room_locked', 4429: 'rate_limited',
  4480: 'removed', 4486: 'room_full', 4503: 'restarting',
};

/** The reasons after which a client comes back by itself; a lost network has none of them. */
const TEMPORARY = new Set(['join_timeout', 'rate_limited', 'draining', 'restarting', 'unreachable', 'connection_lost']);

/** The error that a closed WebSocket stands for, `bye` being the server's last words, if there were any. */
export function closeError(code, bye) {
  const reason = bye?.reason ?? CLOSE_REASONS[code] ?? 'unreachable';
  return new RoundturnError(reason, undefined, { retryMs: bye?.retry_ms });
}

/** Whether it makes sense to connect again after this error without asking anyone. */
export function isTemporary(error) {
  return TEMPORARY.has(error.code);
}
