// The call: tiles, sounds and banners follow the room's events; the controls act on the room.

import { Chat } from './chat.js';
import { Controls } from './controls.js';
import { Details } from './details.js';
import { byId, element, label, toast } from './dom.js';
import { Focus } from './focus.js';
import { Hands } from './hands.js';
import { copyLink, wireInvitation } from './invite.js';
import { keepFitting } from './layout.js';
import { Panel } from './panel.js';
import { People } from './people.js';
import { recorded } from './slow.js';
import { Tile } from './tile.js';
import { keepViewing } from './view.js';
import { WORDS } from './words.js';

/** Trouble that passes within this time is not worth a banner. */
const PATIENCE_MS = 6_000;

export class Call {
  #room; #media; #tiles = new Map(); #screens = new Map(); #sounds = new Map();
  #controls; #details; #chat; #hands; #people; #panel; #focus;
  #stopFitting; #viewing; #aborted = new AbortController(); #troubleTimer = 0; #blocked = new Set();

  /** `link` is what others join by; `isEncrypted` whether it holds a key. */
  constructor(room, media, link, isEncrypted) {
    this.#room = room;
    this.#media = media;
    byId('bar-room').textContent = room.info.room;
    byId('invite-link').textContent = link;
    this.#stopFitting = keepFitting(byId('grid'), byId('stage'), byId('screens'));
    this.#viewing = keepViewing(room, () => [...this.#tiles.values(), ...this.#screens.values()]);
    const { signal } = this.#aborted;
    for (const id of ['invite-copy', 'copy']) byId(id).addEventListener('click', () => copyLink(link), { signal });
    wireInvitation(() => link, signal);
    media.addEventListener('output', () => this.#sounds.forEach((sound) => this.#setOutput(sound)), { signal });
    byId('banner-action').addEventListener('click', () => this.#unblock(), { signal });
    label(byId('copy'), WORDS.texts.copyLink);
    label(byId('chat-open'), WORDS.texts.chat);
    label(byId('count'), WORDS.texts.people);
    this.#hands = new Hands(room, (id) => this.#handsChanged(id));
    this.#focus = new Focus(room, () => this.#tiles, () => this.#viewing.update());
    for (const participant of [room.you, ...room.participants]) this.#show(participant);
    this.#listen();
    this.#controls = new Controls(room, media, this.#hands, () => this.#show(room.you));
    this.#details = new Details(room, isEncrypted, (stats) => this.#takeStats(stats));
    this.#people = new People(room, this.#hands);
    this.#chat = new Chat(room, isEncrypted, () => this.#panel?.open === 'chat');
    this.#panel = new Panel((tab) => {
      if (tab === 'chat') this.#chat.read();
      this.#viewing.update();
    });
    this.#update();
  }

  close() {
    this.#aborted.abort();
    clearTimeout(this.#troubleTimer);
    for (const part of [this.#controls, this.#details, this.#panel, this.#chat, this.#people, this.#hands, this.#focus]) part.close();
    this.#stopFitting();
    this.#viewing.stop();
    for (const tile of [...this.#tiles.values(), ...this.#screens.values()]) tile.close();
    byId('sounds').replaceChildren();
    byId('banner').hidden = true;
  }

  #listen() {
    const on = (type, handler) => this.#room.addEventListener(type, handler, { signal: this.#aborted.signal });
    on('participant-joined', ({ participant }) => {
      this.#show(participant);
      toast(WORDS.joined(participant.name || WORDS.guest));
      this.#update();
    });
    on('participant-left', ({ participant }) => {
      this.#drop(participant);
      toast(WORDS.left(participant.name || WORDS.guest));
      this.#update();
    });
    on('participant-updated', ({ participant }) => this.#show(participant));
    on('track-added', ({ publication }) => this.#play(publication));
    on('track-removed', ({ publication, track }) => this.#stop(publication, track));
    on('track-muted', ({ participant }) => {
      this.#show(participant);
      if (participant.isYou) toast(WORDS.mutedByOther);
      if (participant.isYou) this.#controls.render();
    });
    on('speakers', () => this.#render());
    on('undecipherable', ({ participant }) => toast(WORDS.undecipherable(participant.name || WORDS.guest)));
    on('quality', () => this.#render());
    on('connection', () => this.#update());
    on('state', ({ state }) => this.#stateChanged(state));
    on('error', ({ error }) => console.warn('roundturn:', error.code ?? error.name, error.message));
  }

  // The session may come back as another one: then `you` is new, and so is its tile.
  #stateChanged(state) {
    if (state === 'connected') {
      for (const [id, tile] of this.#tiles) if (tile.participant.isYou && tile.participant !== this.#room.you) this.#drop(tile.participant, id);
      // The room takes the new session's words after this event.
      queueMicrotask(() => this.#show(this.#room.you));
    }
    this.#update();
  }

  // Brings the tiles of a participant into being, or up to date.
  #show(participant) {
    const { id } = participant;
    if (!this.#room.participant(id)) return;
    if (participant.isYou) {
      for (const tile of this.#tiles.values()) if (tile.participant.isYou && tile.participant !== participant) this.#drop(tile.participant);
    }
    if (!this.#tiles.has(id)) {
      const tile = new Tile(participant, 'camera', (one) => this.#focus.pin(one));
      this.#tiles.set(id, tile);
      // The own tile is the last.
      const grid = byId('grid');
      grid.insertBefore(tile.node, participant.isYou ? null : grid.querySelector('[data-you="true"]'));
    }
    this.#tiles.get(id).render();
    this.#showScreen(participant);
    this.#people?.render();
    this.#focus.update();
    this.#viewing.update();
  }

  #showScreen(participant) {
    const { id } = participant;
    const shares = participant.publications.has('screen');
    const tile = this.#screens.get(id);
    if (shares && !tile) {
      const made = new Tile(participant, 'screen');
      this.#screens.set(id, made);
      byId('screens').append(made.node);
    } else if (!shares && tile) {
      tile.close();
      this.#screens.delete(id);
    } else {
      tile?.render();
    }
  }

  #drop(participant) {
    for (const tiles of [this.#tiles, this.#screens]) {
      tiles.get(participant.id)?.close();
      tiles.delete(participant.id);
    }
  }

  #render() {
    for (const tile of this.#tiles.values()) tile.render();
  }

  #handsChanged(id) {
    for (const [one, tile] of this.#tiles) tile.raised = this.#hands.isRaised(one);
    this.#controls.render();
    this.#people.render();
    const who = id && this.#room.participant(id);
    if (who && !who.isYou) toast(WORDS.handOf(who.name || WORDS.guest));
  }

  // Where there is no such device any more, or none can be chosen, sound comes as the system has it.
  #setOutput(sound) {
    sound.setSinkId?.(this.#media.chosen.output).catch(() => {});
  }

  #play(publication) {
    const { participant, source, kind, stream, track } = publication;
    if (kind === 'audio') {
      const sound = element('audio', { autoplay: true, srcObject: stream, data: { participant: participant.id, source } });
      this.#sounds.get(track)?.remove();
      this.#sounds.set(track, sound);
      byId('sounds').append(sound);
      this.#setOutput(sound);
      this.#start(sound);
    }
    this.#show(participant);
  }

  async #start(sound) {
    try {
      await sound.play();
      this.#blocked.delete(sound);
    } catch (error) {
      if (error.name === 'NotAllowedError') this.#blocked.add(sound);
    }
    this.#update();
  }

  #unblock() {
    for (const sound of [...this.#blocked]) this.#start(sound);
  }

  #stop(publication, track) {
    const sound = this.#sounds.get(track);
    this.#blocked.delete(sound);
    sound?.remove();
    this.#sounds.delete(track);
    this.#show(publication.participant);
  }

  #takeStats(stats) {
    for (const [id, one] of Object.entries(stats.participants)) {
      const tile = this.#tiles.get(id);
      if (tile) tile.path = one.path;
    }
  }

  #update() {
    this.#render();
    for (const [one, tile] of this.#tiles) tile.raised = this.#hands.isRaised(one);
    this.#people.render();
    this.#focus.update();
    this.#viewing.update();
    const others = this.#room.participants;
    byId('count-words').textContent = WORDS.people(others.length + 1);
    byId('invite').hidden = others.length > 0;
    byId('call').dataset.alone = String(others.length === 0);
    this.#showBanner(this.#trouble());
  }

  // What stands in the way just now, the most serious first: `[words, action, soon]`.
  #trouble() {
    if (this.#room.state === 'reconnecting') return { words: WORDS.reconnecting, busy: true };
    const failed = [this.#room.you, ...this.#room.participants].find((one) => one.connection === 'failed');
    if (failed) {
      const words = this.#room.mode === 'mesh' ? WORDS.peerFailed(failed.name || WORDS.guest) : WORDS.mediaFailed;
      return { words, busy: true };
    }
    if (this.#blocked.size > 0) return { words: WORDS.soundBlocked, action: WORDS.soundAllow };
    // Through the server there is one connection, and it is everyone's.
    const connections = this.#room.mode === 'sfu' ? [this.#room.you] : this.#room.participants;
    const waits = connections.find((one) => one.connection !== 'connected' && one.connection !== 'new');
    if (!waits) return null;
    const words = this.#room.mode === 'mesh' ? WORDS.connectingTo(waits.name || WORDS.guest) : WORDS.mediaConnecting;
    return { words, busy: true, patient: true };
  }

  // The server knows how far the call came.
  async #explain(words) {
    const more = await recorded(this.#room);
    if (more && byId('banner-words').textContent === words) byId('banner-words').textContent = `${words} ${more}`;
  }

  #showBanner(trouble) {
    clearTimeout(this.#troubleTimer);
    const banner = byId('banner');
    if (!trouble || (trouble.patient && banner.hidden)) {
      banner.hidden = true;
      if (trouble) this.#troubleTimer = setTimeout(() => this.#showBanner({ ...this.#trouble(), patient: false }), PATIENCE_MS);
      return;
    }
    if (!trouble.words) return;
    banner.hidden = false;
    banner.dataset.busy = String(Boolean(trouble.busy));
    byId('banner-words').textContent = trouble.words;
    byId('banner-action').hidden = !trouble.action;
    byId('banner-action').textContent = trouble.action ?? '';
    if (trouble.busy && this.#room.mode === 'sfu' && this.#room.state === 'connected') this.#explain(trouble.words);
  }
}
