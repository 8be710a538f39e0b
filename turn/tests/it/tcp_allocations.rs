//! TCP allocations (RFC 6062) in any order of events: limits hold, nothing is lost count of, nothing outlives its owner.

use proptest::prelude::*;
use roundturn_turn::message::{Class, Method};
use roundturn_turn::{Config, ConnectionId, Event, Limits, Peer, Relay, Transport, Verdict};

use crate::dsl::*;

const MOST: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Allocate(usize),
    Permit(usize, u8),
    Connect(usize, u8),
    Answered { latest: usize, stands: bool },
    Attempt(usize, u8),
    Bind { who: usize, latest: usize },
    Moved { latest: usize },
    Ended { latest: usize },
    Later(u64),
    Refresh(usize, u32),
    Gone(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (who, peer, latest) = (0..2usize, 1..5u8, 0..5usize);
    prop_oneof![
        3 => who.clone().prop_map(Step::Allocate),
        1 => (who.clone(), peer.clone()).prop_map(|(who, peer)| Step::Permit(who, peer)),
        4 => (who.clone(), peer.clone()).prop_map(|(who, peer)| Step::Connect(who, peer)),
        4 => (latest.clone(), any::<bool>()).prop_map(|(latest, stands)| Step::Answered { latest, stands }),
        2 => (who.clone(), peer).prop_map(|(who, peer)| Step::Attempt(who, peer)),
        4 => (who.clone(), latest.clone()).prop_map(|(who, latest)| Step::Bind { who, latest }),
        2 => latest.clone().prop_map(|latest| Step::Moved { latest }),
        1 => latest.prop_map(|latest| Step::Ended { latest }),
        2 => (1..400u64).prop_map(Step::Later),
        1 => (who.clone(), prop_oneof![Just(0u32), Just(600)]).prop_map(|(who, secs)| Step::Refresh(who, secs)),
        1 => who.prop_map(Step::Gone),
    ]
}

/// What the holder of the sockets knows.
struct Holder {
    world: World,
    clients: [Speaker; 2],
    relays: [Option<Relay>; 2],
    /// Every connection that there ever was, and whether it is still open.
    connections: Vec<(ConnectionId, bool)>,
    streams: u16,
}

impl Holder {
    fn new() -> Self {
        let limits = Limits { tcp_connections: MOST, ..config().limits };
        let world = World::with(Config { limits, ..config() });
        let clients = ["84.1.1.1:4000", "84.1.1.2:4000"].map(|remote| {
            // A credential that does not end.
            let mut client = world.client_as(remote, "carol", "wonder");
            client.client.transport = Transport::Tcp;
            client
        });
        Self { world, clients, relays: [None; 2], connections: Vec::new(), streams: 5000 }
    }

    fn latest(&self, back: usize) -> ConnectionId {
        self.connections.iter().rev().nth(back).map_or(ConnectionId(0xFFFF), |(id, _)| *id)
    }

    fn step(&mut self, step: Step) {
        let peer = |last: u8| format!("9.9.9.{last}:9000");
        match step {
            Step::Allocate(who) => {
                let heard = self.clients[who].says(allocate_tcp());
                let answer = heard.hears(if self.relays[who].is_some() { error(437) } else { success() });
                self.relays[who] = self.relays[who].or_else(|| Some(answer.relay()));
            }
            Step::Permit(who, last) => drop(self.clients[who].says(create_permission(&[&peer(last)]))),
            Step::Connect(who, last) => {
                if self.clients[who].says(connect(&peer(last))).verdict == Verdict::Later {
                    let (id, relay, _) =
                        *self.world.with_relays(|relays| relays.connects.last().copied()).as_ref().unwrap();
                    assert_eq!(Some(relay), self.relays[who]);
                    self.connections.push((id, true));
                }
            }
            Step::Answered { latest, stands } => {
                let id = self.latest(latest);
                self.world.with_server(|server, now| server.handle_connected(now, id, stands));
                for client in &self.clients {
                    for said in self.world.unasked(client) {
                        let message = said.message();
                        assert_eq!(
                            (message.method(), said.code()),
                            (Method::CONNECT, if stands { None } else { Some(447) })
                        );
                    }
                }
            }
            Step::Attempt(who, last) => {
                let Some(relay) = self.relays[who] else { return };
                // Beside those that connects are named by.
                let id = ConnectionId(1 << 16 | self.connections.len() as u32);
                let attempt = (Peer(addr(&peer(last))), false);
                if self.world.with_server(|server, now| server.handle_connection(now, relay, attempt, id))
                    == Verdict::Reply
                {
                    self.connections.push((id, true));
                    let said = self.world.unasked(&self.clients[who]).pop().unwrap();
                    assert_eq!((said.message().class(), said.connection()), (Class::Indication, id.0));
                }
            }
            Step::Bind { who, latest } => {
                let id = self.latest(latest);
                self.streams += 1;
                let mut stream = Speaker { nonce: Default::default(), ..self.clients[who].clone() };
                stream.client.remote.set_port(self.streams);
                if stream.says(connection_bind(id.0)).verdict == Verdict::Splice(id) {
                    assert!(self.connections.contains(&(id, true)), "what is joined is open");
                    assert_eq!(
                        stream.says(connection_bind(id.0)).hears(error(400)).code(),
                        Some(400),
                        "and joined once"
                    );
                }
            }
            Step::Moved { latest } => {
                let id = self.latest(latest);
                self.world.with_server(|server, now| server.handle_moved(now, id, 1, 2));
            }
            Step::Ended { latest } => {
                let id = self.latest(latest);
                self.world.with_server(|server, _| server.handle_disconnected(id));
            }
            Step::Later(secs_later) => self.world.later(secs(secs_later)),
            Step::Refresh(who, lifetime) => drop(self.clients[who].says(refresh(lifetime))),
            Step::Gone(who) => {
                let client = self.clients[who].client;
                self.world.with_server(|server, now| server.disconnect(now, client));
            }
        }
    }

    fn learn(&mut self) {
        for client in &self.clients {
            let said = self.world.unasked(client);
            assert!(said.iter().all(|late| late.code() == Some(447)), "what nobody waits for says that time is over");
        }
        for event in self.world.events() {
            match event {
                Event::Disconnected { connection } => {
                    let found = self.connections.iter_mut().find(|(id, _)| *id == connection).unwrap();
                    assert!(std::mem::take(&mut found.1), "{connection:?} is closed once");
                }
                Event::Closed { relay, .. } => {
                    let slot = self.relays.iter_mut().find(|open| **open == Some(relay)).unwrap();
                    *slot = None;
                }
                Event::Opened { .. } | Event::Moved { .. } | Event::Claimed { .. } | Event::Released { .. } => {}
            }
        }
        let open = self.connections.iter().filter(|(_, is_open)| *is_open).count();
        assert!(open <= MOST * self.relays.iter().flatten().count());
        self.world.with_server(|server, _| {
            assert_eq!(server.stats().tcp_connections, open as u64);
            assert!(server.is_consistent());
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_connections(steps in prop::collection::vec(step(), 1..60)) {
        let mut holder = Holder::new();
        for step in steps {
            holder.step(step);
            holder.learn();
        }
        holder.world.later(minutes(61));
        holder.learn();
        prop_assert!(holder.connections.iter().all(|(_, is_open)| !is_open));
    }
}
