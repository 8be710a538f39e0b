// The connections that a page makes, and the ways that are left to them.

/** Runs in the page: keeps every connection that the page makes where the test can ask it; with a transport, it knows no other way. */
export function keepConnections(transport) {
  const wanted = { udp: /^turn:.*transport=udp$/, tcp: /^turn:.*transport=tcp$/, tls: /^turns:/ }[transport];
  const narrowed = (configuration) => {
    if (!wanted) return configuration;
    const servers = configuration.iceServers.map((server) => ({ ...server, urls: server.urls.filter((url) => wanted.test(url)) }));
    return { ...configuration, iceServers: servers.filter((server) => server.urls.length) };
  };
  const linked = async (sdp) => {
    const isServer = (line) => /^a=candidate:\S+ 1 udp \d+ [\d.]+ /i.test(line);
    const others = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || isServer(line));
    return (await Promise.all(others.map(async (line) => {
      if (!isServer(line)) return line;
      const parts = line.split(' ');
      parts[5] = await globalThis.linkForTests(parts[4], Number(parts[5]));
      return parts.join(' ');
    }))).join('\r\n');
  };
  const Native = globalThis.RTCPeerConnection;
  const connections = [];
  globalThis.connectionsForTests = connections;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super(narrowed(configuration));
      connections.push(this);
    }

    setConfiguration(configuration) {
      super.setConfiguration(narrowed(configuration));
    }

    async setRemoteDescription(description) {
      if (transport === 'nowhere') return super.setRemoteDescription({ type: description.type, sdp: description.sdp.replace(/^(a=candidate:\S+ 1 \w+ \d+ \S+) \d+/gm, '$1 9') });
      if (transport === 'link' || transport === 'policed') return super.setRemoteDescription({ type: description.type, sdp: await linked(description.sdp) });
      if (transport !== 'ice-tcp') return super.setRemoteDescription(description);
      const isKept = (line) => !line.startsWith('a=candidate:') || line.split(' ')[2].toLowerCase() === 'tcp';
      return super.setRemoteDescription({ type: description.type, sdp: description.sdp.split('\r\n').filter(isKept).join('\r\n') });
    }
  };
}

/** Runs in the page: keeps every WebSocket that the page opens; while they are cut, it gets none that works. */
export function keepSockets() {
  const Native = globalThis.WebSocket;
  globalThis.socketsForTests = [];
  globalThis.WebSocket = class extends Native {
    constructor(url, protocols) {
      super(globalThis.isCut ? new URL('/nowhere', url) : url, protocols);
      globalThis.socketsForTests.push(this);
    }
  };
}
