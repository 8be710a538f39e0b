// The invitation: a link to send, and a code to scan.

import { byId, copy, toast, wireDialog } from './dom.js';
import { modules, path } from './qr.js';
import { WORDS } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
/** The bright margin that readers ask for, in modules. */
const MARGIN = 4;

/** Copies the link, and says so. */
export async function copyLink(link) {
  toast((await copy(link)) ? WORDS.linkCopied : WORDS.linkNotCopied(link));
}

/** Wires the dialog that shows a link; `link()` gives it. Ends with `signal`. */
export function wireInvitation(link, signal) {
  byId('invite-show').addEventListener('click', () => showInvitation(link()), { signal });
  wireDialog('invitation', signal);
  byId('invitation-copy').addEventListener('click', () => copyLink(link()), { signal });
}

function showInvitation(link) {
  byId('invitation-link').textContent = link;
  const rows = modules(link);
  byId('invitation-code').hidden = !rows;
  byId('invitation-code').replaceChildren(...(rows ? [drawing(path(rows))] : []));
  byId('invitation').showModal();
}

function drawing({ d, size }) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `${-MARGIN} ${-MARGIN} ${size + 2 * MARGIN} ${size + 2 * MARGIN}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', WORDS.texts.showInvitation);
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', d);
  svg.append(shape);
  return svg;
}
