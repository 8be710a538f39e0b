// Small helpers around the document. Text from people is only ever set as text.

export const byId = (id) => document.getElementById(id);

/** An element with properties, `data-` attributes and children. */
export function element(tag, { data = {}, ...properties } = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the icons that index.html holds. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector('use').setAttribute('href', `#i-${name}`);
}

/** A button's words, for eyes that hover and for ears. */
export function label(button, words) {
  button.title = words;
  button.setAttribute('aria-label', words);
}

export function setToggle(button, on, name, words) {
  button.setAttribute('aria-pressed', String(on));
  setIcon(button, name);
  label(button, words);
}

/** Shows one of the views and gives it the focus. */
export function showView(name) {
  document.body.dataset.view = name;
  for (const view of document.querySelectorAll('body > main')) view.hidden = view.id !== name;
}

let toastTimer = 0;

export function toast(words) {
  const box = byId('toast');
  box.textContent = words;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, 4000);
}

/** Copies text; browsers allow it only in secure contexts, so there is the old way behind it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element('textarea', { value: text, className: 'visually-hidden' });
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

/** What this browser remembers of the page; null where it remembers nothing, or storage is forbidden. */
export function remembered(key) {
  try { return localStorage.getItem(`roundturn.${key}`); } catch { return null; }
}

export function remember(key, value) {
  try { localStorage.setItem(`roundturn.${key}`, value); } catch { /* then it is chosen again the next time */ }
}

/** Has a dialog close by its button `ID-close`, and by a click beside it; ends with `signal`. */
export function wireDialog(id, signal) {
  const dialog = byId(id);
  byId(`${id}-close`).addEventListener('click', () => dialog.close(), { signal });
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close(), { signal });
  signal?.addEventListener('abort', () => dialog.open && dialog.close());
}

export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return '?';
  const first = [...words[0]][0];
  const last = words.length > 1 ? [...words.at(-1)][0] : '';
  return (first + last).toLocaleUpperCase();
}

/** A hue for a person that stays the same. */
export function hue(text) {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + character.codePointAt(0)) % 3600;
  return Math.round(sum % 360);
}
