// The browsers of a test run: each started once, each participant in a context of its own.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { Participant } from './participant.js';
import { until } from './until.js';

const CHROMIUM = {
  browser: 'chrome',
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--use-fake-device-for-media-stream=device-count=4',
    '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    // Every participant is in front at once.
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
  ],
};

const FIREFOX = {
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  extraPrefsFirefox: {
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.peerconnection.ice.loopback': true,
    'media.peerconnection.ice.obfuscate_host_addresses': false,
    'media.autoplay.default': 0,
    // Nothing of it can be reached from the lab.
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'media.gmp-manager.updateEnabled': false,
  },
};

const KINDS = { chromium: CHROMIUM, firefox: FIREFOX };

export class Browsers {
  #urls; #certificate; #output; #running = new Map();

  /** `urls`: the page's, where nothing is set up (`plain`), where TURN over TLS is (`tls`), by this certificate, and where it takes tokens (`tokens`). */
  constructor(urls, certificate, output) {
    this.#urls = urls;
    this.#certificate = certificate;
    this.#output = output;
  }

  /** Runs a case with a room of its own; its participants' screens are kept, whatever comes of it. */
  async call(name, run) {
    const slug = name.replace(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '');
    const participants = [];
    const enter = async (kind, who, { transport, encrypt, screen, view, end, url, before, namespace, trusted, ...options } = {}) => {
      const context = await (await this.#browser(kind, { namespace, trusted })).createBrowserContext();
      const participant = await Participant.open(context, who, { transport, encrypt, screen, before });
      participants.push(participant);
      if (url) {
        await participant.goes(url);
        return participant;
      }
      const fragment = new URLSearchParams({ room: slug, name: who, autojoin: '1', ...options });
      await participant.goto(`${this.#urlFor(transport, options)}/#${fragment}`, { view, end });
      return participant;
    };
    try {
      await run(enter);
      for (const participant of participants) participant.checkNoErrors();
    } catch (error) {
      for (const participant of participants) error.stack += `\n${await participant.describe()}`;
      throw error;
    } finally {
      // All of them first: who is closed is missing from the others' screens.
      for (const participant of participants) await participant.shoot(`${this.#output}${slug}-${participant.name}.png`);
      for (const participant of participants) await participant.close();
    }
  }

  async close() {
    for (const browser of this.#running.values()) await browser.then((one) => one.close(), () => {});
  }

  #urlFor(transport, { token }) {
    if (token !== undefined) return this.#urls.tokens;
    return transport === 'tls' ? this.#urls.tls : this.#urls.plain;
  }

  /** One of each kind, on each machine. */
  #browser(kind, { namespace, trusted }) {
    const launch = async () => {
      const trust = this.#trust(kind);
      const elsewhere = namespace ? this.#elsewhere(KINDS[kind], namespace, trusted) : {};
      const browser = await puppeteer.launch({ headless: true, protocolTimeout: 60_000, ...KINDS[kind], ...trust, ...elsewhere });
      await settle(browser, trusted ? `${trusted}/app.js` : this.#urls.plain);
      return browser;
    };
    const key = `${kind} ${namespace}`;
    if (!this.#running.has(key)) this.#running.set(key, launch());
    return this.#running.get(key);
  }

  /** In another network namespace, where the page of this origin may use cameras although it came in the clear. */
  #elsewhere({ executablePath, args }, namespace, trusted) {
    const script = join(mkdtempSync(join(tmpdir(), 'browsers-')), namespace);
    writeFileSync(script, `#!/bin/sh\nexec nsenter --net=/run/netns/${namespace} ${executablePath} "$@"\n`, { mode: 0o755 });
    return { executablePath: script, pipe: true, args: [...args, `--unsafely-treat-insecure-origin-as-secure=${trusted}`] };
  }

  /** No flag makes them pass over the certificate of a TURN server: it must be trusted. */
  #trust(kind) {
    if (kind === 'firefox') return { userDataDir: this.#certificate.profile() };
    return { env: { ...process.env, HOME: this.#certificate.home() } };
  }
}

/** A browser that has just found out which network it is on drops what it was loading: the first page is one that nobody needs. */
async function settle(browser, url) {
  const page = await browser.newPage();
  await until(`the browser loads ${url} whole`, 30, async () => {
    let dropped = false;
    const note = () => (dropped = true);
    page.on('requestfailed', note);
    await page.goto(url, { waitUntil: 'networkidle0' }).catch(note);
    page.off('requestfailed', note);
    return !dropped;
  });
  await page.close();
}
