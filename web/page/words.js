// What the page says, apart from what stands in index.html: one place for all sentences that are put together at run time.

export const WORDS = {
  start: 'Start a call',
  joinNow: 'Join now',
  joining: 'Joining …',
  you: 'You',
  guest: 'Guest',
  someoneScreen: (name) => `${name}’s screen`,
  yourScreen: 'Your screen',
  people: (count) => (count === 1 ? 'Only you' : `${count} people`),
  linkCopied: 'Link copied. Send it to whoever should join.',
  linkNotCopied: (link) => `Copy this link: ${link}`,
  micOn: 'Mute microphone', micOff: 'Unmute microphone', micNone: 'Turn microphone on',
  cameraOn: 'Turn camera off', cameraOff: 'Turn camera on',
  screenOn: 'Stop sharing the screen', screenOff: 'Share your screen', screenNone: 'This browser cannot share the screen',
  copyLink: 'Copy link', leave: 'Leave the call',
  cameraIsOff: 'Camera is off', cameraStarting: 'Starting the camera …',
  joined: (name) => `${name} joined`,
  left: (name) => `${name} left`,
  mutedByOther: 'You were muted by a moderator.',
  reconnecting: 'The connection to the server is lost. Trying again … What still flows between you goes on.',
  soundBlocked: 'The browser holds the sound back until you allow it.', soundAllow: 'Turn sound on',
  connectingTo: (name) => `Connecting to ${name} …`,
  tileConnecting: 'connecting …', tileFailed: 'no connection',
  mediaConnecting: 'Connecting sound and picture …',
  mediaFailed: 'No way for sound and picture to get through yet. Trying again … Another network often helps; strict firewalls and some VPNs block calls.',
  peerFailed: (name) => `No way found yet to ${name}. Trying again … Another network on either side often helps.`,
  muted: 'muted', poor: 'poor', lost: 'lost',
  noneYet: 'Nobody else is here yet.',
  invalidRoom: 'A room name has letters, digits, dots, dashes and underscores only.',
};

/** How media travels, in a few words. */
export function pathWords(path) {
  if (!path) return 'connecting';
  if (path.via === 'direct') return path.protocol === 'tcp' ? 'direct, over TCP' : 'direct';
  if (path.via === 'relay') return path.protocol === 'udp' ? 'through relay' : 'through relay, over TCP';
  if (path.relayed) return 'through server, by relay';
  return path.protocol === 'tcp' ? 'through server, over TCP' : 'through server';
}

export function pathSentence(path) {
  if (!path) return 'No way for media has been found yet.';
  if (path.via === 'direct') return 'Sound and picture go straight from one to the other; the server sees none of it.';
  if (path.via === 'relay') return 'There is no straight way between you, so the server passes on packets that it cannot read.';
  const by = path.relayed ? ' A relay is needed to get there, perhaps because of a firewall.' : '';
  return `Sound and picture go through this server, which sends each person what fits.${by}`;
}

export function gradeWords(quality, connection) {
  if (connection === 'failed' || connection === 'disconnected') return 'lost';
  if (!quality) return null;
  const grades = [quality.up, quality.down];
  return grades.includes('lost') ? 'lost' : grades.includes('poor') ? 'poor' : 'good';
}

/** What to say when camera or microphone cannot be had. */
export function mediaProblem(error, what) {
  const things = { both: 'camera and microphone', audio: 'microphone', video: 'camera' }[what];
  switch (error?.name) {
    case 'InsecureContext':
      return `Browsers give camera and microphone only to pages that come over https or from this very computer (http://localhost). Open this page with https://, or go on without: you can still watch and listen.`;
    case 'NotAllowedError':
    case 'SecurityError':
      return `The browser does not let this page use your ${things}. Allow it with the icon beside the address, or in the system’s privacy settings, then try again. You can also join without.`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No ${things} found. Plug one in and try again, or join without.`;
    case 'NotReadableError':
    case 'AbortError':
      return `Your ${things} cannot be opened; perhaps another program uses it. Close that and try again, or join without.`;
    default:
      return `Your ${things} cannot be used just now. You can try again, or join without.`;
  }
}

const ENDS = {
  left: ['You left the call', 'The others can go on without you.'],
  unreachable: ['The server cannot be reached', 'The page could not connect to it, or the connection stayed away too long.'],
  connection_lost: ['The connection was lost', 'It did not come back in time.'],
  room_full: ['This room is full', 'Wait until somebody leaves, or start another room.'],
  room_not_found: ['There is no such room', 'Perhaps it has ended, or the link has a typing mistake.'],
  room_locked: ['This room is locked', 'Ask someone inside to open it.'],
  room_ended: ['The call has ended', 'Somebody ended it for everyone.'],
  room_expired: ['The call has ended', 'Its time was up.'],
  removed: ['You were removed', 'A moderator took you out of this room.'],
  replaced: ['You joined somewhere else', 'The same person is in this room from another tab or device.'],
  auth_required: ['This room needs an invitation', 'Open it by the link that was sent to you.'],
  auth_invalid: ['The invitation is not valid', 'Ask for a new one.'],
  auth_expired: ['The invitation has expired', 'Ask for a new one.'],
  forbidden: ['Not allowed', 'This server does not let you join here.'],
  rate_limited: ['Too many tries', 'Wait a moment, then try again.'],
  draining: ['The server is being restarted', 'Try again in a moment.'],
  restarting: ['The server is being restarted', 'Try again in a moment.'],
  join_timeout: ['Joining took too long', 'Try again.'],
  unsupported_browser: ['This browser cannot make calls', 'Use a current Firefox, Chrome, Edge or Safari.'],
  sdp_rejected: ['The call could not be set up', 'The server and this browser did not agree on how.'],
  no_common_codec: ['The call could not be set up', 'This browser has none of the codecs that the server knows (Opus, VP8, H264).'],
};

const TIPS = {
  unreachable: ['Check that this device is online.', 'If you run the server: is it started, and does its proxy pass on WebSockets?', 'A company network may block it; try another one.'],
  connection_lost: ['Check that this device is online.', 'Move closer to the router, or try another network.'],
};

/** Title, sentence and tips for the end of a call or of an attempt. */
export function endWords(code) {
  const [title, words] = ENDS[code] ?? ['The call could not go on', 'Something unexpected happened.'];
  return { title, words, tips: TIPS[code] ?? [] };
}
