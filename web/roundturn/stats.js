// Statistics of a call in the words of this library: paths, round trips, bit rates, frames.

const RATE_EVERY_MS = 900;

export class Statistics {
  #room;
  /** Byte counts at the last reading, by connection and report, from which rates are made. */
  #before = new WeakMap();

  constructor(room) {
    this.#room = room;
  }

  stop() {
    this.#before = new WeakMap();
  }

  /** `connections` are peer connections by participant; the one to the server has the key ''. */
  async read(connections, signalingRttMs) {
    const stats = { at: Date.now(), signalingRttMs, connections: [], participants: {}, sent: {} };
    for (const { id } of this.#room.participants) stats.participants[id] = { path: null, publications: {} };
    await Promise.all([...connections].map(([id, connection]) => this.#readConnection(stats, id, connection)));
    return stats;
  }

  async #readConnection(stats, id, connection) {
    const reports = new Map([...(await connection.getStats())]);
    const all = [...reports.values()];
    const pair = selectedPair(reports, all);
    const summary = {
      participant: id || null,
      state: connection.connectionState,
      path: pair ? path(reports, pair, id === '') : null,
      rttMs: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
      bitsIn: pair && this.#rate(connection, `${pair.id}/in`, pair.bytesReceived, pair.timestamp),
      bitsOut: pair && this.#rate(connection, `${pair.id}/out`, pair.bytesSent, pair.timestamp),
      availableOut: pair?.availableOutgoingBitrate,
      lossOut: Math.max(0, ...all.filter((one) => one.type === 'remote-inbound-rtp').map((one) => one.fractionLost ?? 0)),
    };
    stats.connections.push(summary);
    this.#readTracks(stats, connection, all, id);
    for (const [participant, one] of Object.entries(stats.participants)) {
      if (id !== '' && id !== participant) continue;
      const received = Object.values(one.publications);
      Object.assign(one, {
        path: summary.path, rttMs: summary.rttMs, lossOut: summary.lossOut,
        lossIn: Math.max(0, ...received.map((each) => each.loss)),
        bitsPerSecond: received.reduce((sum, each) => sum + each.bitsPerSecond, 0),
      });
    }
  }

  // The section's mid leads from a report to its track, and the track to whose it is.
  #readTracks(stats, connection, all, id) {
    const sections = new Map(connection.getTransceivers().map((one) => [one.mid, one]));
    // Whoever came since this reading began is in the next one.
    const remote = (id === '' ? this.#room.participants : [this.#room.participant(id)].filter(Boolean))
      .filter((participant) => stats.participants[participant.id])
      .flatMap((participant) => [...participant.publications.values()]);
    for (const report of all) {
      const section = sections.get(report.mid);
      if (!section) continue;
      if (report.type === 'inbound-rtp') {
        const publication = remote.find((one) => one.track && one.track === section.receiver.track);
        if (!publication) continue;
        stats.participants[publication.participant.id].publications[publication.source] = this.#received(connection, report);
      } else if (report.type === 'outbound-rtp' && section.sender.track) {
        const own = [...this.#room.you.publications.values()].find((one) => one.track === section.sender.track);
        if (own) this.#addSent(stats.sent, own.source, connection, report);
      }
    }
  }

  #received(connection, report) {
    const lost = this.#rate(connection, `${report.id}/lost`, report.packetsLost ?? 0, report.timestamp);
    const got = this.#rate(connection, `${report.id}/got`, report.packetsReceived ?? 0, report.timestamp);
    return {
      kind: report.kind,
      bitsPerSecond: this.#rate(connection, report.id, report.bytesReceived, report.timestamp),
      packets: report.packetsReceived ?? 0,
      packetsLost: report.packetsLost ?? 0,
      loss: lost > 0 ? lost / (lost + got) : 0,
      jitterMs: (report.jitter ?? 0) * 1000,
      framesDecoded: report.framesDecoded,
      framesPerSecond: report.framesPerSecond,
      width: report.frameWidth,
      height: report.frameHeight,
      samples: report.totalSamplesReceived,
      audioEnergy: report.totalAudioEnergy,
      audioLevel: report.audioLevel,
    };
  }

  // Peer to peer one source is sent once to everyone, and through the SFU in several sizes: counts add up.
  #addSent(sent, source, connection, report) {
    const before = sent[source] ?? { kind: report.kind, bitsPerSecond: 0, packets: 0, framesEncoded: 0, limitedBy: 'none' };
    sent[source] = {
      ...before,
      bitsPerSecond: before.bitsPerSecond + this.#rate(connection, report.id, report.bytesSent, report.timestamp),
      packets: before.packets + (report.packetsSent ?? 0),
      framesEncoded: before.framesEncoded + (report.framesEncoded ?? 0),
      width: Math.max(before.width ?? 0, report.frameWidth ?? 0),
      height: Math.max(before.height ?? 0, report.frameHeight ?? 0),
      limitedBy: before.limitedBy === 'none' ? (report.qualityLimitationReason ?? 'none') : before.limitedBy,
    };
  }

  // Units a second (bits, for counts of bytes) since the last reading that is old enough to tell.
  #rate(connection, key, count = 0, timestamp) {
    const counts = this.#before.get(connection) ?? new Map();
    this.#before.set(connection, counts);
    const last = counts.get(key);
    if (last && timestamp - last.timestamp < RATE_EVERY_MS) return last.rate;
    const rate = last ? Math.max(0, ((count - last.count) * 8000) / (timestamp - last.timestamp)) : 0;
    counts.set(key, { count, timestamp, rate });
    return rate;
  }
}

function selectedPair(reports, all) {
  const transport = all.find((one) => one.type === 'transport' && one.selectedCandidatePairId);
  return reports.get(transport?.selectedCandidatePairId)
    ?? all.find((one) => one.type === 'candidate-pair' && (one.selected || (one.nominated && one.state === 'succeeded')));
}

// via: `direct` from one to the other, `relay` through a TURN server, `server` through the SFU; `relayed` tells of a TURN server on
// the way to the SFU too. protocol: what this side's packets travel in.
function path(reports, pair, toServer) {
  const local = reports.get(pair.localCandidateId);
  const remote = reports.get(pair.remoteCandidateId);
  const relayed = local?.candidateType === 'relay' || (!toServer && remote?.candidateType === 'relay');
  return {
    via: toServer ? 'server' : relayed ? 'relay' : 'direct',
    relayed,
    protocol: local?.relayProtocol ?? local?.protocol ?? 'udp',
    localType: local?.candidateType,
    remoteType: remote?.candidateType,
  };
}
