// Chat: messages of the topic `chat` to everyone, kept nowhere. What people write is only ever set as text.

import { byId, element, toast } from './dom.js';
import { WORDS } from './words.js';

const TOPIC = 'chat';
/** Lines that stay on the page, and characters of one. */
const LINES = 500;
const CHARACTERS = 2000;

export class Chat {
  #room; #isOpen; #unread = 0; #aborted = new AbortController();

  /** `isEncrypted`: whether the rest of the call is; `isOpen()` says whether somebody is reading along. */
  constructor(room, isEncrypted, isOpen) {
    this.#room = room;
    byId('chat-empty').textContent = [WORDS.texts.noMessages, isEncrypted && WORDS.messagesInClear].filter(Boolean).join(' ');
    this.#isOpen = isOpen;
    const { signal } = this.#aborted;
    room.addEventListener('message', (event) => event.topic === TOPIC && this.#heard(event), { signal });
    byId('chat-form').addEventListener('submit', (event) => this.#submit(event), { signal });
    this.read();
  }

  close() {
    this.#aborted.abort();
    byId('messages').replaceChildren();
    byId('chat-input').value = '';
    byId('chat-empty').hidden = false;
  }

  /** Everything here was read. */
  read() {
    this.#unread = 0;
    this.#renderUnread();
  }

  async #submit(event) {
    event.preventDefault();
    const input = byId('chat-input');
    const text = input.value.trim();
    if (!text) return;
    input.value = '';
    try {
      await this.#room.send(TOPIC, { text });
      this.#add(this.#room.you.name || WORDS.you, text, this.#room.serverTime(), true);
    } catch {
      input.value ||= text;
      toast(WORDS.messageNotSent);
    }
  }

  #heard({ from, data, at }) {
    if (typeof data?.text !== 'string') return;
    const text = data.text.slice(0, CHARACTERS);
    const name = from.name || WORDS.guest;
    this.#add(name, text, at, false);
    if (this.#isOpen()) return;
    this.#unread += 1;
    this.#renderUnread();
    toast(WORDS.messageFrom(name, text.length > 120 ? `${text.slice(0, 120)} …` : text));
  }

  #add(name, text, at, isOwn) {
    const list = byId('messages');
    const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const head = element('p', { className: 'message-head' }, element('strong', { textContent: name, dir: 'auto' }), element('time', { textContent: time }));
    const body = element('p', { className: 'message-text', textContent: text, dir: 'auto' });
    list.append(element('li', { data: { own: String(isOwn) } }, head, body));
    if (list.childElementCount > LINES) list.firstElementChild.remove();
    byId('chat-empty').hidden = true;
    list.lastElementChild.scrollIntoView({ block: 'nearest' });
  }

  #renderUnread() {
    byId('unread').hidden = this.#unread === 0;
    byId('unread').textContent = this.#unread > 9 ? '9+' : String(this.#unread);
    byId('unread').setAttribute('aria-label', WORDS.newMessages(this.#unread));
  }
}
