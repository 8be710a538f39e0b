//! The SFU's way in and out, by its sockets and by streams: under which of our names, and from where answers leave.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use roundturn_sfu as sfu;
use roundturn_turn::{Client, Family, Peer, Transport, Verdict};

use super::{Core, House};
use crate::shard::hairpin::Way;
use crate::shard::outbox::{Exit, Outbox};

impl Core {
    /// A datagram of `source`'s came to the SFU's port, at `hit` where its socket is bound to several addresses.
    pub fn from_sfu_socket(
        &mut self,
        now: Instant,
        (source, hit): (SocketAddr, Option<IpAddr>),
        bytes: &[u8],
        house: &impl House,
    ) {
        let remote = self.hairpin.name_of(source, house);
        if let Some(local) = self.hairpin.sfu_name_at(Family::of(source), hit) {
            self.sfu.handle_datagram(now, local, remote, bytes);
        }
    }

    /// The name of an ICE-TCP stream's client: our end of it is the candidate that it was opened to. Where a proxy or a
    /// router changed the address, it is any that we announce.
    pub fn ice_client(&self, client: Client) -> Client {
        let candidates = &self.sfu.config().tcp_candidates;
        let name = self.hairpin.addresses.to_external(client.local);
        let of_family = || candidates.iter().find(|other| other.is_ipv4() == name.is_ipv4());
        let local = candidates.iter().find(|other| **other == name).or_else(of_family);
        Client { local: local.copied().unwrap_or(name), transport: Transport::Tcp, ..client }
    }

    /// A frame came over a stream that was [opened](Core::stream_opened) as `client`, which [`Core::ice_client`] gave.
    /// Whether it is a participant's.
    pub fn from_ice_stream(&mut self, now: Instant, client: Client, frame: &[u8]) -> bool {
        self.sfu.handle_frame(now, client.local, client.remote, frame)
    }

    /// What the SFU sends: into a stream, straight to the client of a relay of this shard, or out of its socket.
    pub(super) fn send_media(
        &mut self,
        now: Instant,
        transmit: sfu::Transmit,
        house: &impl House,
        outbox: &mut Outbox,
    ) {
        let sfu::Transmit { transport, local, remote, bytes } = transmit;
        if transport == sfu::Transport::Tcp {
            let client = Client { remote, local, transport: Transport::Tcp };
            let Some((exit, _)) = self.exit(client) else { return };
            return outbox.frame(exit, remote, bytes);
        }
        let from = self.hairpin.source_of(local);
        match self.hairpin.way(remote, house) {
            Way::Relay(relay) => {
                let len = bytes.len();
                let verdict = self.turn.handle_peer(now, relay, Peer(local), len);
                if let Verdict::ToClient { client, header } = verdict {
                    self.inside.to_client.count(len);
                    let Some((exit, from)) = self.exit(client) else { return };
                    outbox.push(exit, client.remote, from, Some(header), bytes);
                }
            }
            Way::Kernel(to) => outbox.push(Exit::Sfu(Family::of(to)), to, from, None, bytes),
            // A browser on this very host: its ICE has proved that it is there, so no rule for relays' peers applies.
            Way::Nowhere => {
                let to = self.hairpin.addresses.to_local(remote);
                outbox.push(Exit::Sfu(Family::of(to)), to, from, None, bytes);
            }
            Way::Sfu => self.inside.nowhere += 1,
        }
    }
}
