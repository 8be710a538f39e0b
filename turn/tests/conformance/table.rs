//! Every method, in every state of authentication and of the allocation: what is answered, and whether it is sealed.

use roundturn_turn::message::{Message, TransactionId, attribute};
use roundturn_turn::{Config, ConnectionId, Limits, Peer, Transport, Verdict, mint};

use crate::dsl::*;

const CLIENT: &str = "84.1.1.1:4000";
const PEER: &str = "9.9.9.9:9000";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Binding,
    Allocate,
    Refresh,
    CreatePermission,
    ChannelBind,
    /// On the control connection of a TCP allocation; the peer answers at once.
    Connect,
    /// On another stream, for a connection of that allocation.
    ConnectionBind,
}

const METHODS: [Method; 7] = [
    Method::Binding,
    Method::Allocate,
    Method::Refresh,
    Method::CreatePermission,
    Method::ChannelBind,
    Method::Connect,
    Method::ConnectionBind,
];

/// What the request proves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Proven {
    /// It carries no integrity.
    Nothing,
    /// Integrity without a name.
    Incomplete,
    /// A nonce that was never issued.
    ForeignNonce,
    /// A name that nobody has.
    UnknownUser,
    /// The owner's name with another password.
    WrongPassword,
    /// The owner's, when its time is over.
    Expired,
    /// The owner's, after it was revoked, and its allocation with it.
    Revoked,
    /// Another valid credential.
    OtherUser,
    /// The owner's.
    Owner,
}

/// What there is at the 5-tuple.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Allocation {
    Absent,
    Alive,
    /// Its time has come, and the timer has not.
    Overdue,
}

const ALLOCATIONS: [Allocation; 3] = [Allocation::Absent, Allocation::Alive, Allocation::Overdue];

/// For each method what is answered where an allocation is absent, alive, overdue; 200 is success.
type Row = [[u16; 3]; 7];

const fn everywhere(code: u16) -> Row {
    [[200; 3], [code; 3], [code; 3], [code; 3], [code; 3], [code; 3], [code; 3]]
}

const TABLE: [(Proven, Row); 9] = [
    // Binding, Allocate; Refresh, CreatePermission; ChannelBind; Connect, ConnectionBind
    (Proven::Nothing, everywhere(401)),
    (Proven::Incomplete, everywhere(400)),
    (Proven::ForeignNonce, everywhere(438)),
    (Proven::UnknownUser, everywhere(401)),
    (Proven::WrongPassword, everywhere(401)),
    (
        Proven::Expired,
        [
            [200, 200, 200],
            [401, 437, 401],
            [437, 200, 437],
            [437, 200, 437],
            [437, 200, 437],
            [437, 200, 437],
            [400, 200, 400],
        ],
    ),
    (
        Proven::Revoked,
        [
            [200, 200, 200],
            [401, 401, 401],
            [437, 437, 437],
            [437, 437, 437],
            [437, 437, 437],
            [437, 437, 437],
            [400, 400, 400],
        ],
    ),
    (
        Proven::OtherUser,
        [
            [200, 200, 200],
            [200, 437, 200],
            [437, 441, 437],
            [437, 441, 437],
            [437, 441, 437],
            [437, 441, 437],
            [400, 441, 400],
        ],
    ),
    (
        Proven::Owner,
        [
            [200, 200, 200],
            [200, 437, 200],
            [437, 200, 437],
            [437, 200, 437],
            [437, 200, 437],
            [437, 200, 437],
            [400, 200, 400],
        ],
    ),
];

#[test]
fn every_method_in_every_state() {
    for (proven, row) in TABLE {
        for (method, codes) in METHODS.into_iter().zip(row) {
            for (allocation, expected) in ALLOCATIONS.into_iter().zip(codes) {
                let (code, is_sealed) = answer(method, proven, allocation);
                let state = (method, proven, allocation);
                assert_eq!(code, expected, "{state:?}");
                let is_challenge = matches!(code, 401 | 438) || proven == Proven::Incomplete;
                assert_eq!(is_sealed, method != Method::Binding && !is_challenge, "{state:?}");
            }
        }
    }
}

/// The code that is answered, and whether with the integrity of who asked.
fn answer(method: Method, proven: Proven, allocation: Allocation) -> (u16, bool) {
    let limits = Limits { tcp_connections: 32, ..config().limits };
    let world = World::with(Config { limits, ..config() });
    let is_tcp = matches!(method, Method::Connect | Method::ConnectionBind);
    let lifetime = if proven == Proven::Expired { 30 } else { 3600 };
    let username = format!("{}:alice", BEGIN + lifetime);
    let mut owner = world.client_as(CLIENT, &username, &mint(SECRET, &username));
    owner.client.transport = if is_tcp { Transport::Tcp } else { Transport::Udp };
    let relay = (allocation != Allocation::Absent)
        .then(|| owner.says(if is_tcp { allocate_tcp() } else { allocate() }).hears(success()).relay());
    world.later(secs(599));
    if method == Method::ConnectionBind {
        if let Some(relay) = relay {
            owner.says(create_permission(&[PEER]));
            let attempt = (Peer(addr(PEER)), false);
            world.with_server(|server, now| server.handle_connection(now, relay, attempt, ConnectionId(1)));
        }
        // Whoever it is, it comes on a stream of its own.
        owner.client.remote.set_port(4001);
        *owner.nonce.borrow_mut() = None;
    }
    let nonce = owner.says_bare(allocate()).hears(error(401)).attribute(attribute::NONCE);
    if allocation == Allocation::Overdue {
        world.later_unnoticed(secs(1));
    }
    if proven == Proven::Revoked {
        world.with_server(|server, now| server.revoke(now, &username));
    }
    let speaker = match proven {
        Proven::UnknownUser => world.client_as(CLIENT, "nobody", "guess"),
        Proven::WrongPassword => world.client_as(CLIENT, &username, "guess"),
        Proven::OtherUser => world.client_as(CLIENT, "carol", "wonder"),
        _ => owner.clone(),
    };
    let speaker = Speaker { client: owner.client, ..speaker };
    *speaker.nonce.borrow_mut() = if proven == Proven::ForeignNonce { Some(b"made up".to_vec()) } else { nonce };
    let bytes = match proven {
        Proven::Nothing => ask(method).encode(TransactionId([1; 12]), None),
        Proven::Incomplete => {
            let proof = Proof { attributes: Vec::new(), key: speaker.key(), integrity: speaker.style.integrity };
            ask(method).encode(TransactionId([1; 12]), Some(&proof))
        }
        _ => speaker.signed(&ask(method)),
    };
    let heard = speaker.says_raw(&bytes);
    if heard.verdict == Verdict::Later {
        let connect = world.with_relays(|relays| relays.connects.pop()).expect("a connect was begun");
        world.with_server(|server, now| server.handle_connected(now, connect.0, true));
    }
    let later = || Some(world.unasked(&speaker).pop()?.bytes);
    let bytes = heard.bytes().or_else(later).expect("every request is answered");
    let message = Message::decode(&bytes).unwrap();
    let code = message.attribute(attribute::ERROR_CODE).map(|value| u16::from(value[2]) * 100 + u16::from(value[3]));
    assert!(code.is_some() || !message.has_integrity() || message.verify(&speaker.key()));
    (code.unwrap_or(200), message.verify(&speaker.key()))
}

fn ask(method: Method) -> Ask {
    match method {
        Method::Binding => binding(),
        Method::Allocate => allocate(),
        Method::Refresh => refresh(600),
        Method::CreatePermission => create_permission(&[PEER]),
        Method::ChannelBind => channel_bind(0x4000, PEER),
        Method::Connect => connect(PEER),
        Method::ConnectionBind => connection_bind(1),
    }
}
