// A certificate for the lab's name, by an authority of our own, and stores of browsers that trust that one.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Firefox takes no certificate that vouches for itself.
const OPENSSL = (name) => `
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:${name}
`;
const NEW = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

const run = (program, ...words) => execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });

export class Certificate {
  #folder;

  /** Makes it in a folder of its own. */
  constructor(name) {
    this.#folder = mkdtempSync(join(tmpdir(), 'browsers-certificate-'));
    writeFileSync(this.#file('openssl.cnf'), OPENSSL(name));
    this.#make('authority');
    this.#make('server', '-CA', this.#file('authority.pem'), '-CAkey', this.#file('authority.key'));
    this.certificate = this.#file('server.pem');
    this.key = this.#file('server.key');
  }

  /** A home whose user trusts it, as Chromium looks there. */
  home() {
    const home = this.#file('home');
    this.#trustedIn(join(home, '.pki', 'nssdb'));
    return home;
  }

  /** A profile that trusts it, as Firefox has one. */
  profile() {
    const profile = this.#file('profile');
    this.#trustedIn(profile);
    return profile;
  }

  #file(name) {
    return join(this.#folder, name);
  }

  #make(kind, ...signer) {
    const files = ['-config', this.#file('openssl.cnf'), '-keyout', this.#file(`${kind}.key`), '-out', this.#file(`${kind}.pem`)];
    run('openssl', 'req', '-x509', ...NEW, ...files, '-subj', `/CN=browsers ${kind}`, '-extensions', kind, ...signer);
  }

  #trustedIn(store) {
    if (existsSync(store)) return;
    mkdirSync(store, { recursive: true });
    run('certutil', '-d', `sql:${store}`, '-N', '--empty-password');
    run('certutil', '-d', `sql:${store}`, '-A', '-n', 'browsers', '-t', 'C,,', '-i', this.#file('authority.pem'));
  }
}
