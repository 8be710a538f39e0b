//! The server: who may call what, and in which order.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use crate::allocation::Allocation;
use crate::auth::{Proven, Seal};
use crate::credential::Credentials;
use crate::data_indication::{self, Transactions};
use crate::error::Code;
use crate::limit::Limiter;
use crate::message::{Class, DecodeError, Message, Method};
use crate::method::{Refusal, Request, RequestMethod, Success, refuse_unknown};
use crate::nonce::Nonces;
use crate::policy::{Policy, Rule};
use crate::reservation::Reservations;
use crate::revoked::Revoked;
use crate::table::Table;
use crate::tcp_allocation::Owners;
use crate::{
    Client, CloseReason, Config, Denial, Direction, Event, Family, Header, Peer, Rejection, Relay, Relays, Stats,
    Transmit, Verdict, Why, channel_data, meter,
};

/// One TURN server: it owns the allocations of one shard.
///
/// After each call that may have queued something, [`poll_transmit`](Self::poll_transmit) and
/// [`poll_event`](Self::poll_event) must be emptied: one datagram queues at most one answer, and nothing else bounds
/// them.
pub struct Server {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) credentials: Credentials,
    pub(crate) revoked: Revoked,
    pub(crate) nonces: Nonces,
    pub(crate) table: Table,
    pub(crate) tcp: Owners,
    pub(crate) reservations: Reservations,
    pub(crate) stats: Stats,
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
    limiter: Limiter,
    pub(crate) transactions: Transactions,
    denial: Option<Denial>,
    pub(crate) rejection: Option<Rejection>,
    clock: Clock,
}

/// What the wall clock showed at some instant.
struct Clock {
    at: Instant,
    unix_secs: u64,
}

impl Server {
    /// A server without allocations. `key` seeds the MAC of its nonces: 32 unpredictable bytes, the same for every
    /// shard of a process, so that a nonce of one is good at another.
    pub fn new(now: Instant, unix_secs: u64, config: Config, key: [u8; 32]) -> Self {
        let limits = &config.limits;
        Self {
            policy: Policy::new(&config),
            credentials: Credentials::new(&config),
            revoked: Revoked::default(),
            nonces: Nonces::new(&key),
            table: Table::new(),
            tcp: Owners::default(),
            reservations: Reservations::default(),
            stats: Stats::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            limiter: Limiter::new(now, limits.stranger_answers_per_second, limits.stranger_answers_burst),
            transactions: Transactions::new(&key),
            denial: None,
            rejection: None,
            clock: Clock { at: now, unix_secs },
            config,
        }
    }

    /// Judges a datagram (or a message cut from a stream) that `from` sent to a listener.
    pub fn handle_client(&mut self, now: Instant, from: Client, bytes: &[u8], relays: &mut dyn Relays) -> Verdict {
        // RFC 8656 §12: the first two bits tell ChannelData (01) from STUN (00).
        let verdict = match bytes.first().map(|first| first >> 6) {
            Some(0b01) => self.channel_data(now, from, bytes),
            Some(0b00) => self.stun(now, from, bytes, relays),
            _ => Err(Why::Malformed),
        };
        verdict.unwrap_or_else(|why| self.drop(why))
    }

    /// Judges a datagram of `len` bytes that `peer` sent to `relay`. Only the address and the length matter.
    pub fn handle_peer(&mut self, now: Instant, relay: Relay, peer: Peer, len: usize) -> Verdict {
        self.peer_data(now, relay, peer, len).unwrap_or_else(|why| self.drop(why))
    }

    /// The stream that `client` spoke over has ended. Its allocation ends with it: nothing can reach the client any more, and
    /// a new stream is a new 5-tuple; but where it may move (RFC 8016), it waits for that.
    pub fn disconnect(&mut self, now: Instant, client: Client) {
        let Some(slot) = self.table.slot_of(&client) else { return };
        let may_move = self.config.mobility && self.table.get_mut(slot).is_some_and(|it| it.mobility.is_some());
        if may_move {
            self.detach(now, slot);
        } else {
            self.close(now, slot, CloseReason::Disconnected);
        }
    }

    /// Whether `client` has an allocation.
    pub fn is_allocated(&self, now: Instant, client: Client) -> bool {
        self.table.of_client(&client).is_some_and(|allocation| allocation.is_alive(now))
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Each turn either removes an allocation or arms it for later than `now`.
        while let Some(slot) = self.table.pop_due(now) {
            self.expire(now, slot);
        }
        while let Some(relay) = self.reservations.pop_due(now) {
            self.events.push_back(Event::Released { relay });
        }
        debug_assert!(self.poll_timeout().is_none_or(|next| next > now));
    }

    /// When [`Server::handle_timeout`] wants to be called: cheap, and strictly later than the last `now` it was given.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.table.next_deadline(), self.reservations.next_expiry()].into_iter().flatten().min()
    }

    /// The next answer to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing that happened to an allocation.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The latest peer that a CreatePermission or ChannelBind was denied, once: for the log. Earlier ones that nobody
    /// asked for are only counted.
    pub fn poll_denial(&mut self) -> Option<Denial> {
        self.denial.take()
    }

    /// The latest credential that was refused, once: for the log, like [`Server::poll_denial`].
    pub fn poll_rejection(&mut self) -> Option<Rejection> {
        self.rejection.take()
    }

    /// Tells the wall clock's reading at `now`, in seconds since 1970: credentials expire by it. Call it once a second
    /// or so.
    pub fn set_unix_time(&mut self, now: Instant, unix_secs: u64) {
        self.clock = Clock { at: now, unix_secs };
        self.revoked.forget(unix_secs);
    }

    /// Ends every allocation made with `username`, and refuses new ones with it until it expires. A static user has no
    /// expiry and may come back: whoever wants it gone takes it out of the configuration.
    pub fn revoke(&mut self, now: Instant, username: &str) {
        if let Some(expires) = self.credentials.expiry(username)
            && expires > self.unix_secs(now)
        {
            self.revoked.add(expires, username);
        }
        for slot in self.table.slots(|allocation| *allocation.username == *username) {
            self.close(now, slot, CloseReason::Revoked);
        }
        self.release(|holder| holder == username);
    }

    /// Replaces the configuration whole. Live allocations keep their key and their relay; what they may reach is judged
    /// anew.
    pub fn reconfigure(&mut self, now: Instant, config: Config) {
        let before = std::mem::replace(&mut self.policy, Policy::new(&config));
        self.credentials = Credentials::new(&config);
        let limits = &config.limits;
        self.limiter.set_rate(limits.stranger_answers_per_second, limits.stranger_answers_burst);
        self.config = config;
        if !self.has_tcp() {
            for slot in self.table.slots(|allocation| allocation.tcp.is_some()) {
                self.close(now, slot, CloseReason::Revoked);
            }
        }
        if self.policy != before {
            for slot in self.table.slots(|_| true) {
                self.reconsider(now, slot);
            }
        }
    }

    /// Ends every allocation because the daemon stops.
    pub fn shutdown(&mut self, now: Instant) {
        for slot in self.table.slots(|_| true) {
            self.close(now, slot, CloseReason::Shutdown);
        }
        self.release(|_| true);
    }

    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether everything that is told in two places is told the same: for tests, since it walks all there is.
    pub fn is_consistent(&self) -> bool {
        let sum = |len: fn(&Allocation) -> usize| self.table.iter().map(len).sum::<usize>() as u64;
        self.table.is_consistent()
            && self.stats.allocations == sum(|allocation| allocation.relays().count())
            && self.stats.allocations_by_family.total() == self.stats.allocations
            && self.stats.permissions == sum(|allocation| allocation.permissions.len())
            && self.stats.channels == sum(|allocation| allocation.channels.len())
            && self.has_consistent_connections()
    }

    fn channel_data(&mut self, now: Instant, from: Client, bytes: &[u8]) -> Result<Verdict, Why> {
        let (number, data) = channel_data::decode(bytes).ok_or(Why::Malformed)?;
        let allocation = self.table.of_client_mut(&from).filter(|a| a.is_alive(now)).ok_or(Why::NoAllocation)?;
        let peer = allocation.channels.peer(now, number).ok_or(Why::NoChannel)?;
        meter::pass(&self.config.limits, &mut allocation.meter, now, Direction::ToPeers, data.len())?;
        let family = Family::of(peer.0);
        let relay = allocation.alive_relay_mut(now, family).ok_or(Why::NoAllocation)?;
        relay.to_peers.add(data.len());
        self.stats.to_peers.add(data.len());
        // RFC 8656 §12.6: what comes by a channel may always be fragmented.
        Ok(Verdict::ToPeer { relay: Relay { family, port: relay.port }, peer, data, dont_fragment: false })
    }

    fn stun(&mut self, now: Instant, from: Client, bytes: &[u8], relays: &mut dyn Relays) -> Result<Verdict, Why> {
        let message = Message::decode(bytes).map_err(|error| match error {
            DecodeError::Fingerprint => Why::Unauthenticated,
            _ => Why::Malformed,
        })?;
        match (message.class(), self.method_of(&message)) {
            (Class::Request, Some(method)) => self.request(&Request { now, from, method, message }, relays),
            (Class::Indication, _) if message.method() == Method::SEND => self.send(now, from, &message, relays),
            _ => Err(Why::Unexpected),
        }
    }

    /// The method of `message`, if this server serves it.
    fn method_of(&self, message: &Message<'_>) -> Option<RequestMethod> {
        let of_tcp = [RequestMethod::Connect, RequestMethod::ConnectionBind];
        RequestMethod::of(message.method()).filter(|method| self.has_tcp() || !of_tcp.contains(method))
    }

    fn request(&mut self, request: &Request<'_>, relays: &mut dyn Relays) -> Result<Verdict, Why> {
        self.stats.requests.of_mut(request.from.transport).up(request.method);
        // A request must not find what has expired, however late the timer is.
        if let Some(slot) = self.table.slot_of(&request.from) {
            self.expire_relays(request.now, slot);
        }
        let (outcome, seal) = self.outcome(request, relays);
        if outcome == Ok(Success::Elsewhere) {
            return Err(Why::Elsewhere);
        }
        if seal.is_none() {
            self.refuse_flood(request)?;
        }
        let verdict = match outcome {
            Ok(Success::Connecting) => return Ok(Verdict::Later),
            Ok(Success::Bound { connection }) => Verdict::Splice(connection),
            _ => Verdict::Reply,
        };
        self.answer(request, outcome, seal.as_ref());
        Ok(verdict)
    }

    /// What becomes of a request, and what its answer is sealed with if its maker has proved to know the key.
    fn outcome(&mut self, request: &Request<'_>, relays: &mut dyn Relays) -> (Result<Success, Refusal>, Option<Seal>) {
        if request.method == RequestMethod::Binding {
            return (self.binding(request), None);
        }
        let proven = match self.authenticate(request) {
            Ok(proven) => proven,
            Err(refusal) => return (Err(refusal), None),
        };
        let outcome = self.perform(request, &proven, relays);
        (outcome, Some(proven.seal))
    }

    fn perform(
        &mut self,
        request: &Request<'_>,
        proven: &Proven<'_>,
        relays: &mut dyn Relays,
    ) -> Result<Success, Refusal> {
        self.refuse_other_user(request, &proven.username)?;
        refuse_unknown(&request.message)?;
        match request.method {
            RequestMethod::Binding => self.binding(request),
            RequestMethod::Allocate => self.allocate(request, proven, relays),
            RequestMethod::Refresh => self.refresh(request, proven, relays),
            RequestMethod::CreatePermission => self.create_permission(request, relays),
            RequestMethod::ChannelBind => self.channel_bind(request, relays),
            RequestMethod::Connect => self.connect(request, proven, relays),
            RequestMethod::ConnectionBind => self.connection_bind(request, &proven.username),
        }
    }

    fn peer_data(&mut self, now: Instant, relay: Relay, peer: Peer, len: usize) -> Result<Verdict, Why> {
        let allocation = self.table.of_relay_mut(relay).ok_or(Why::NoAllocation)?;
        if allocation.alive_relay_mut(now, relay.family).is_none() {
            return Err(Why::NoAllocation);
        }
        if !allocation.permissions.allows(now, peer.0.ip()) {
            return Err(Why::NoPermission);
        }
        meter::pass(&self.config.limits, &mut allocation.meter, now, Direction::ToClient, len)?;
        let header = match allocation.channels.number(now, peer) {
            Some(number) => {
                let padding = if allocation.client.transport.is_stream() { channel_data::padding(len) } else { 0 };
                let len = u16::try_from(len).map_err(|_| Why::Malformed)?;
                Header::new(&channel_data::header(number, len), padding)
            }
            None => data_indication::header(peer, len, self.transactions.next()).ok_or(Why::Malformed)?,
        };
        if let Some(state) = allocation.alive_relay_mut(now, relay.family) {
            state.to_client.add(len);
        }
        self.stats.to_clients.add(len);
        Ok(Verdict::ToClient { client: allocation.client, header })
    }

    /// An answer to somebody who has proved nothing costs a token of its prefix. A client with an allocation has proved
    /// itself before, and is not to suffer from its neighbours: its tokens are its own. Nor from one who forges its
    /// address: a request that only has an old nonce is signed with its key, and is always answered.
    fn refuse_flood(&mut self, request: &Request<'_>) -> Result<(), Why> {
        let is_answered = match self.table.of_client_mut(&request.from) {
            None => self.limiter.allows(request.now, request.from.remote.ip()),
            Some(allocation) => {
                self.limiter.allows_client(request.now, &mut allocation.unproven)
                    || request.message.verify(&allocation.proof.key)
            }
        };
        if is_answered { Ok(()) } else { Err(Why::RateLimited) }
    }

    /// Gives back the ports that are kept for users whom `wanted` picks.
    fn release(&mut self, wanted: impl Fn(&str) -> bool) {
        let relays = self.reservations.take(wanted);
        self.events.extend(relays.into_iter().map(|relay| Event::Released { relay }));
    }

    pub(crate) fn drop(&mut self, why: Why) -> Verdict {
        self.stats.drops.up(why);
        Verdict::Drop(why)
    }

    pub(crate) fn deny(&mut self, client: Client, peer: Peer, rule: Rule) -> Refusal {
        self.stats.denied.up(rule);
        self.denial = Some(Denial { client, peer, rule });
        Code::Forbidden.into()
    }

    /// What relayed addresses of `family` are announced as.
    pub(crate) fn external(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.config.external_v4.map(IpAddr::V4),
            Family::V6 => self.config.external_v6.map(IpAddr::V6),
        }
    }

    /// The wall clock's reading at `now`.
    pub(crate) fn unix_secs(&self, now: Instant) -> u64 {
        self.clock.unix_secs + now.saturating_duration_since(self.clock.at).as_secs()
    }
}
