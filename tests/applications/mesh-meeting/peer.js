// The connection to one of the others.

export class Peer {
  #connection; #signal; #polite; #video; #early = []; #chain = Promise.resolve(); #offering = false; #ignoring = false;
  /** Candidates that came before the description that they belong to. */
  earlyCandidates = 0;

  constructor({ servers, camera, video, signal, polite }) {
    this.#signal = signal;
    this.#polite = polite;
    this.#video = video;
    this.#connection = new RTCPeerConnection({ iceServers: servers });
    for (const track of camera.getTracks()) this.#connection.addTrack(track, camera);
    this.#connection.ontrack = ({ streams: [stream] }) => { video.srcObject = stream; };
    this.#connection.onicecandidate = ({ candidate }) => candidate && signal({ candidate });
    this.#connection.onconnectionstatechange = () => this.#connection.connectionState === 'failed' && this.offer(true);
  }

  async offer(iceRestart = false) {
    this.#offering = true;
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart }));
    this.#offering = false;
    this.#signal({ description: this.#connection.localDescription });
  }

  /** One after the other: what comes next needs what came before to be done. */
  receive(data) {
    this.#chain = this.#chain.then(() => (data.description ? this.#describe(data.description) : this.#add(data.candidate))).catch((error) => console.warn(error.message));
  }

  setServers(iceServers) {
    this.#connection.setConfiguration({ iceServers });
  }

  close() {
    this.#connection.close();
    this.#video.remove();
  }

  async #describe(description) {
    const collides = description.type === 'offer' && (this.#offering || this.#connection.signalingState !== 'stable');
    this.#ignoring = collides && !this.#polite;
    if (this.#ignoring) return;
    await this.#connection.setRemoteDescription(description);
    for (const candidate of this.#early.splice(0)) await this.#connection.addIceCandidate(candidate);
    if (description.type !== 'offer') return;
    await this.#connection.setLocalDescription();
    this.#signal({ description: this.#connection.localDescription });
  }

  async #add(candidate) {
    if (this.#ignoring) return;
    if (this.#connection.remoteDescription) return void (await this.#connection.addIceCandidate(candidate));
    this.earlyCandidates += 1;
    this.#early.push(candidate);
  }
}
