// What the page says, in the reader's language. Each language is one file of `words/`; only the one that is read is loaded.
//
// Chosen is what the reader chose last, then `&lang=` of the link, then the first of the browser's languages that there is.

import { remember, remembered } from './dom.js';

const LANGUAGES = ['en', 'de', 'zh', 'ru'];
const KEY = 'language';

/** The code of the language in use. */
export const LANGUAGE = [remembered(KEY), wished(), ...(navigator.languages ?? [])].map(known).find(Boolean) ?? 'en';

export const WORDS = (await import(`./words/${LANGUAGE}.js`)).default;

/** The languages that there are: code, and name in itself. */
export async function languages() {
  return Promise.all(LANGUAGES.map(async (code) => [code, (await import(`./words/${code}.js`)).default.language]));
}

/** Has the page speak another language from its next start on. */
export function setLanguage(code) {
  remember(KEY, code);
}

/** Puts the texts into index.html's elements: `data-words` is the key of a text, `data-label` of a title, `data-hint` of a placeholder. */
export function fillTexts(root = document) {
  const { texts } = WORDS;
  document.documentElement.lang = LANGUAGE;
  for (const one of root.querySelectorAll('[data-words]')) one.textContent = texts[one.dataset.words];
  for (const one of root.querySelectorAll('[data-label]')) {
    one.setAttribute('aria-label', texts[one.dataset.label]);
    if (one.matches('button')) one.title = texts[one.dataset.label];
  }
  for (const one of root.querySelectorAll('[data-hint]')) one.placeholder = texts[one.dataset.hint];
  root.querySelector('meta[name="description"]')?.setAttribute('content', texts.description);
}

/** How media travels, in a few words. */
export function pathWords(path) {
  const words = WORDS.path;
  if (!path) return words.none;
  const isTcp = path.protocol !== 'udp';
  if (path.via === 'direct') return isTcp ? words.directTcp : words.direct;
  if (path.via === 'relay') return isTcp ? words.relayTcp : words.relay;
  if (path.relayed) return words.serverRelay;
  return isTcp ? words.serverTcp : words.server;
}

export function pathSentence(path) {
  const words = WORDS.pathSentence;
  if (!path) return words.none;
  return path.via === 'server' && path.relayed ? words.serverRelay : words[path.via];
}

/** `good`, `poor` or `lost`; null while nothing is known. */
export function grade(quality, connection) {
  if (connection === 'failed' || connection === 'disconnected') return 'lost';
  if (!quality) return null;
  const grades = [quality.up, quality.down];
  return grades.includes('lost') ? 'lost' : grades.includes('poor') ? 'poor' : 'good';
}

/** What to say when camera or microphone cannot be had; `what` is both, audio or video. */
export function mediaProblem(error, what) {
  const words = WORDS.media;
  switch (error?.name) {
    case 'InsecureContext': return words.insecure();
    case 'NotAllowedError':
    case 'SecurityError': return words.denied(what);
    case 'NotFoundError':
    case 'OverconstrainedError': return words.none(what);
    case 'NotReadableError':
    case 'AbortError': return words.taken(what);
    default: return words.other(what);
  }
}

/** Title, sentence and tips for the end of a call or of an attempt. */
export function endWords(code) {
  const [title, words] = WORDS.ends[code] ?? WORDS.ends.other;
  return { title, words, tips: WORDS.tips[code] ?? [] };
}

function wished() {
  return new URLSearchParams(location.hash.slice(1)).get('lang');
}

function known(tag) {
  const code = tag?.toLowerCase().split('-')[0];
  return LANGUAGES.includes(code) ? code : null;
}
