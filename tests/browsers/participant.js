// One person in a call: a page in a browser context of its own, and what its connections say about it.

import { keepConnections, keepSockets } from './connections.js';
import { hasData, listenForData, sendData } from './data.js';
import { encryptMedia } from './encryption.js';
import { countPictures, cutSockets, publishScalable, publishScreen, readActiveHeights, readMedia, readPublications, readSession, receivesCodec, spellErrors, viewOnly } from './in_page.js';
import { Link } from './link.js';
import { Reader } from './reader.js';
import { longestGap, readSamples, watchSmoothness } from './smoothness.js';
import { until } from './until.js';

/** How much must come in before we believe that it flows. */
const FRAMES = 20;
const SECONDS = 45;
/** In milliseconds, twice and more what is seen where nothing else runs: encoders of other tests take the processor, too. */
const LONGEST_FREEZE = 2500;
const LONGEST_SILENCE = 500;

export class Participant extends Reader {
  #context; #link; #errors = [];

  constructor(context, page, name) {
    super(page, name);
    this.#context = context;
    page.on('pageerror', (error) => this.#errors.push(`uncaught: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#errors.push(`console: ${message.text()}`);
    });
    page.on('response', (answer) => {
      if (answer.status() >= 400) this.#errors.push(`answer: ${answer.status()} ${answer.url()}`);
    });
  }

  /** `encrypt`: the key for all media. `screen`: its size. `before`: runs before the page's own scripts. `transport`: the only one that leads to a relay, "udp", "tcp" or "tls", or to the server, "ice-tcp", "link" for one that can be narrowed, "policed" for one that has no queue, or "nowhere"; all if there is none. */
  static async open(context, name, { transport, encrypt, screen = { width: 1280, height: 800 }, before }) {
    const page = await context.newPage();
    if (encrypt) {
      // The cipher's worker is no part of the page.
      await page.setBypassCSP(true);
      await page.evaluateOnNewDocument(encryptMedia, encrypt);
    }
    await page.setViewport(screen);
    await page.evaluateOnNewDocument(spellErrors);
    await page.evaluateOnNewDocument(keepSockets);
    await page.evaluateOnNewDocument(keepConnections, transport ?? '');
    if (before) await page.evaluateOnNewDocument(before);
    const participant = new Participant(context, page, name);
    if (transport === 'link' || transport === 'policed') await participant.#putLinkBetween({ isPoliced: transport === 'policed' });
    return participant;
  }

  /** The server is reached at the link's port alone. */
  async #putLinkBetween(options) {
    this.#link = new Link(options);
    await this.page.exposeFunction('linkForTests', (address, port) => this.#link.to(address, port));
  }

  /** Opens the page and is let into the room, or comes to another view of it, or is told the end that is expected. */
  async goto(url, { view = 'call', end }) {
    await this.page.goto(url, { waitUntil: 'load' });
    if (end) return this.isAtTheEnd(end);
    await until(`${this.name} comes to the ${view}`, 20, () => this.page.evaluate((view) => document.body.dataset.view === view, view));
  }

  /** Frames of others that were decoded. */
  async framesDecoded() {
    const { video } = await this.#media();
    return video.reduce((sum, one) => sum + one.amount, 0);
  }

  /** Sees a picture that moves and hears something from everyone in `others`. */
  async receivesFrom(others) {
    const count = others.length;
    await until(`${this.name} sees a tile with a picture of each of ${count}`, SECONDS, async () => {
      const pictures = await this.page.evaluate(countPictures);
      return pictures >= count;
    });
    const first = await until(`${this.name} has media from ${count}`, SECONDS, async () => {
      const { video, audio } = await this.#media();
      return video.length >= count && audio.length >= count && { video, audio };
    });
    await until(`${this.name}: frames and sound of ${count} others grow`, SECONDS, async () => {
      const { video, audio } = await this.#media();
      return count <= grown(first.video, video, FRAMES) && count <= grown(first.audio, audio, 1e-9);
    });
  }

  /** On any page: has so many elements with a picture, and as many streams whose frames go on. */
  async seesMoving(count, seconds = SECONDS) {
    let before = [];
    await until(`${this.name} sees ${count} pictures that move`, seconds, async () => {
      const { video } = await this.#media();
      const moving = grown(before, video, 1);
      before = video;
      const shown = await this.page.evaluate(() => [...document.querySelectorAll('video:not([data-you])')].filter((one) => one.videoWidth > 0).length);
      return moving >= count && shown >= count;
    });
  }

  /** Opens its data channels and keeps what comes. */
  async listensForData() {
    await this.page.evaluate(listenForData);
  }

  /** Sends one message of each kind until somebody tells it to stop. */
  async sendsData() {
    await this.page.evaluate(sendData, this.name);
  }

  /** Has text, an empty message and bytes by the reliable channel, in order, and something by the lossy one, of each. */
  async getsDataOf(others) {
    const names = others.map((other) => other.name);
    await until(`${this.name} has messages of ${names}`, SECONDS, () => this.page.evaluate(hasData, names));
  }

  /** Every frame that left or came was changed on its way. */
  async ciphersEverything() {
    await until(`${this.name}: frames and sound are ciphered both ways`, SECONDS, async () => {
      const ciphered = await this.page.evaluate(() => globalThis.ciphered);
      return ['sent video', 'sent audio', 'received video', 'received audio'].every((what) => ciphered[what] > FRAMES);
    });
  }

  /** Publishes a picture that moves and a tone at once, as a shared screen and its sound. */
  async sharesScreen() {
    await this.page.evaluate(publishScreen);
  }

  /** The screen's frames and its sound come in. */
  async receivesScreenOf(other) {
    await until(`${this.name} sees and hears the screen of ${other.name}`, SECONDS, async () => {
      const { screen, screen_audio: sound } = await this.page.evaluate(readPublications, other.name);
      return screen?.framesDecoded >= FRAMES && sound?.audioEnergy > 0;
    });
  }

  /** The height of the own camera's picture. */
  async cameraHeight() {
    return this.page.evaluate(() => globalThis.roundturn.room.you.publications.get('camera').track.getSettings().height);
  }

  /** Tells the server that the picture of `other` is shown so high, whatever the page says of its tiles. */
  async views(other, height, source = 'camera') {
    await this.page.evaluate(viewOnly, other.name, height, source);
  }

  /** Pictures of `other` come in this height, within what a browser adapts by itself, and go on coming. */
  async receivesHeight(other, height, source = 'camera') {
    const read = () => this.page.evaluate(readPublications, other.name);
    const first = await until(`${this.name} gets ${height} lines of ${other.name}`, SECONDS, async () => {
      const picture = (await read())[source];
      return Math.abs(picture?.height - height) <= height / 8 && picture;
    });
    await until(`${this.name} goes on seeing ${other.name}`, SECONDS, async () => {
      const picture = (await read())[source];
      return picture?.framesDecoded >= first.framesDecoded + FRAMES;
    });
  }

  /** Only layers of these heights are encoded. */
  async encodes(heights) {
    await until(`${this.name} encodes ${heights} lines only`, SECONDS, async () => {
      const active = await this.page.evaluate(readActiveHeights);
      return active.length === heights.length && active.every((height, index) => Math.abs(height - heights[index]) <= height / 8);
    });
  }

  /** Publishes the camera's picture as a screen, too, with another codec in three sizes. */
  async publishesAs(codec) {
    await this.page.evaluate(publishScalable, codec);
  }

  async receivesCodec(other, codec) {
    await until(`${this.name} gets ${codec} of ${other.name}`, SECONDS, () => this.page.evaluate(receivesCodec, codec));
  }

  /** Its WebSocket is lost and cannot be had again for so long. Pictures and sound go on all the while, and the session after it. */
  async losesSignalingFor(seconds) {
    const before = await this.page.evaluate(cutSockets);
    await this.watchesSmoothness();
    await until(`${this.name} has been without signaling for ${seconds} s`, SECONDS, async () => {
      const samples = await this.page.evaluate(readSamples);
      return samples.at(-1).at - samples[0].at >= seconds * 1000;
    });
    await this.sawAndHeardSmoothly();
    await this.page.evaluate(() => { globalThis.isCut = false; });
    await until(`${this.name} goes on in the same session`, 20, async () => {
      const after = await this.page.evaluate(readSession);
      return after.state === 'connected' && after.you === before.you && after.connections === before.connections;
    });
  }

  /** From now on its link carries so many bits a second down, with losses. */
  narrowsTo(bits) {
    this.#link.narrow(bits);
  }

  async watchesSmoothness() {
    await this.page.evaluate(watchSmoothness);
  }

  /** Within so many seconds all pictures have had a right height for as long as it is to last. */
  async settlesOnHeight(isRight, { lasting, within }) {
    await until(`${this.name} gets pictures of the right height for ${lasting} s`, within, async () => {
      const samples = await this.page.evaluate(readSamples);
      const begin = samples.at(-1).at - lasting * 1000;
      return samples[0].at < begin && samples.every(({ at, height }) => at < begin || isRight(height));
    });
  }

  /** Nothing froze, and there was no gap in the sound, since it has watched for that. */
  async sawAndHeardSmoothly() {
    const samples = await this.page.evaluate(readSamples);
    const gaps = { frames: longestGap(samples, 'frames'), sounds: longestGap(samples, 'sounds') };
    if (gaps.frames > LONGEST_FREEZE || gaps.sounds > LONGEST_SILENCE) throw new Error(`${this.name}: longest gaps in ms: ${JSON.stringify(gaps)}`);
  }

  /** All connections use pairs that are right; the first pair that works may give way to a better one. */
  async settlesOn(isRight, what) {
    await until(`${this.name} ${what}`, 20, async () => {
      const { pairs } = await this.#media();
      return pairs.length > 0 && pairs.every(isRight);
    });
  }

  /** The server says which way its packets come. */
  async isSaidToUse(path) {
    const told = () => this.page.evaluate(() => globalThis.roundturn.room.you.quality?.path);
    await until(`${this.name} is said to use ${path}`, 20, async () => await told() === path);
  }

  /** Presses the button and sees the end. */
  async leave() {
    await this.page.click('#leave');
    await until(`${this.name} has left`, 10, () => this.page.evaluate(() => document.body.dataset.view !== 'call'));
  }

  /** The page says that it is over, and why. */
  async isAtTheEnd(reason) {
    await until(`${this.name} is told ${reason}`, 20, () => this.page.evaluate((wanted) => (
      document.body.dataset.view === 'end' && document.querySelector('#end').dataset.reason === wanted), reason));
  }

  /** How everyone else is called. */
  async seesNames(names) {
    await until(`${this.name} sees ${names}`, 20, async () => {
      const seen = await this.page.evaluate(() => globalThis.roundturn.room.participants.map(({ name }) => name));
      return JSON.stringify(seen.sort()) === JSON.stringify([...names].sort());
    });
  }

  /** How many others the page shows. */
  async isAlone() {
    await until(`${this.name} sees nobody else`, 20, async () => {
      const others = await this.page.evaluate(() => document.querySelectorAll('[data-participant]:not([data-you="true"])').length);
      return others === 0;
    });
  }

  checkNoErrors() {
    const uncaught = this.#errors.filter((error) => error.startsWith('uncaught'));
    if (uncaught.length) throw new Error(`${this.name}: ${uncaught.join('\n')}`);
  }

  async describe() {
    const media = await this.#media().catch((error) => ({ error: error.message }));
    return [`-- ${this.name}: ${JSON.stringify(media)}`, ...this.#errors].join('\n');
  }

  async shoot(path) {
    await this.page.screenshot({ path }).catch(() => {});
  }

  async close() {
    await this.#context.close().catch(() => {});
    this.#link?.close();
  }

  #media() {
    return this.page.evaluate(readMedia);
  }
}

/** How many of `after` have grown by at least `least` since `before`; new ones count from zero. */
function grown(before, after, least) {
  const start = new Map(before.map(({ id, amount }) => [id, amount]));
  return after.filter(({ id, amount }) => amount - (start.get(id) ?? 0) >= least).length;
}
