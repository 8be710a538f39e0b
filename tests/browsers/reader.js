// Somebody in front of the page: what it says, and what is clicked and typed.

import { until } from './until.js';

export class Reader {
  constructor(page, name) {
    Object.assign(this, { page, name });
  }

  /** Opens a page that is not the daemon's. */
  async goes(url) {
    await this.page.goto(url, { waitUntil: 'load' });
  }

  /** What a function gives that is run in the page. */
  asks(question, ...values) {
    return this.page.evaluate(question, ...values);
  }

  async clicks(selector) {
    const button = await until(`${this.name} has ${selector}`, 10, () => this.page.$(selector));
    await button.click();
  }

  async presses(key) {
    await this.page.keyboard.press(key);
  }

  async chooses(selector, value) {
    await this.page.select(selector, value);
  }

  /** Says yes to whatever the page asks. */
  async acceptsQuestions() {
    this.page.on('dialog', (dialog) => dialog.accept());
  }

  text(selector) {
    return this.page.evaluate((selector) => document.querySelector(selector)?.textContent, selector);
  }

  /** Somewhere in there stands this. */
  async reads(selector, words) {
    await until(`${this.name} reads ${words} in ${selector}`, 10, async () => (await this.text(selector))?.includes(words.split('\u0000')[0]));
  }

  async chats(text) {
    await this.page.evaluate((text) => globalThis.roundturn.room.send('chat', { text }), text);
  }

  /** Nothing on the page that should say something says nothing. */
  async hasNoEmptyWords() {
    const empty = await this.page.evaluate(findEmptyWords);
    if (empty.length) throw new Error(`${this.name}: nothing stands in ${empty}`);
  }

  async fitsItsScreen() {
    const wide = await this.page.evaluate(findTooWide);
    if (wide.length) throw new Error(`${this.name}: wider than the screen: ${wide}`);
  }

  async seesHandsOf(names) {
    await until(`${this.name} sees the hands of ${names}`, 10, () => this.page.evaluate(hasHandsOf, names));
  }

  /** What an element looks like, as RGBA. */
  async pixels(selector) {
    const element = await this.page.$(selector);
    const png = await element.screenshot({ encoding: 'base64' });
    const { bytes, ...info } = await this.page.evaluate(decodePng, png);
    return { data: Uint8ClampedArray.from(bytes), info };
  }
}

/** Runs in the page. */
function findEmptyWords() {
  const isShown = (one) => one.checkVisibility() && !one.closest('[hidden]');
  const words = [...document.querySelectorAll('[data-words], button, [data-label], [data-hint]')].filter(isShown);
  const says = (one) => (one.textContent || one.getAttribute('aria-label') || one.placeholder || '').trim();
  return words.filter((one) => !says(one) || says(one).includes('undefined')).map((one) => one.id || one.outerHTML.slice(0, 80));
}

/** Runs in the page. */
function findTooWide() {
  const { clientWidth, scrollWidth } = document.documentElement;
  const reaches = (one) => one.checkVisibility() && one.getBoundingClientRect().right > clientWidth + 1;
  const wide = [...document.querySelectorAll('button, input, select, .tile, .card, .chip, dialog[open]')].filter(reaches);
  return [...(scrollWidth > clientWidth ? [`the page, ${scrollWidth} pixels`] : []), ...wide.map((one) => one.id || one.className)];
}

/** Runs in the page. */
function hasHandsOf(names) {
  const shown = [...document.querySelectorAll('#grid .tile')].filter((tile) => !tile.querySelector('.tile-hand').hidden);
  const found = shown.map((tile) => tile.querySelector('.tile-name bdi').textContent).sort();
  return JSON.stringify(found) === JSON.stringify([...names].sort());
}

/** Runs in the page. */
async function decodePng(base64) {
  const picture = new Image();
  picture.src = `data:image/png;base64,${base64}`;
  await picture.decode();
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
  return { bytes: [...data], width, height };
}
