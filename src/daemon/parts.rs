//! What each part is told, made from the settings.

use std::sync::Arc;
use std::time::Duration;

use roundturn_sfu as sfu;
use roundturn_turn as turn;
use rustls::ServerConfig;

use crate::config::{Rooms, Secret, Settings};
use crate::nat::Addresses;
use crate::shard::mailbox::ShardSettings;
use crate::shard::{ShardConfig, StreamConfig};
use crate::signal::protocol::SlotCounts;

/// Tracks that one participant may publish: microphone, camera, screen with sound, and as much again.
const TRACKS: usize = 8;

/// Participants of one shard: what its memory is planned for.
const PARTICIPANTS: usize = 2000;

/// The longest lifetime of an allocation without a Refresh.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// Permissions, channels, and TCP connections, of one allocation: a mesh of six has five, ICE tries a few addresses of each.
const PEERS_OF_AN_ALLOCATION: usize = 32;

/// Answers a second, and at once, to one source prefix that has proved nothing: an office that joins a meeting from
/// behind one address stays below, a flood that uses us as a reflector gains nothing.
const STRANGER_ANSWERS_PER_SECOND: u32 = 100;
const STRANGER_ANSWERS_BURST: u32 = 500;

/// Streams beyond one for each allocation that there may be, in all and from one source prefix: those that come and go.
const SPARE_STREAMS: usize = 1000;
const SPARE_STREAMS_OF_PREFIX: usize = 50;

/// Shard number `index`, with the certificate if there is one, the key of all nonces, and its SFU's seed.
pub fn shard(
    index: usize,
    settings: &Settings,
    addresses: &Addresses,
    tls: Option<Arc<ServerConfig>>,
    [turn_key, sfu_seed]: [[u8; 32]; 2],
) -> ShardConfig {
    ShardConfig {
        index,
        listen: settings.listen.turn.clone(),
        streams: streams(settings, tls),
        addresses: addresses.clone(),
        hairpin: settings.shards.hairpin,
        turn: turn(settings, addresses),
        turn_key,
        sfu: sfu(&settings.rooms),
        sfu_seed,
    }
}

/// What every shard is told anew when something of it has changed.
pub fn shard_settings(settings: &Settings, addresses: &Addresses, tls: Option<Arc<ServerConfig>>) -> ShardSettings {
    ShardSettings { turn: turn(settings, addresses), streams: streams(settings, tls) }
}

/// Each shard may have all the streams there are: the kernel may give them to one.
fn streams(settings: &Settings, tls: Option<Arc<ServerConfig>>) -> StreamConfig {
    StreamConfig {
        turns: settings.listen.turns.clone(),
        tls,
        proxies: settings.listen.proxy_protocol_from.clone(),
        connections: settings.limits.allocations + SPARE_STREAMS,
        connections_per_prefix: settings.limits.allocations_per_prefix + SPARE_STREAMS_OF_PREFIX,
    }
}

/// What the TURN server of every shard is told.
pub fn turn(settings: &Settings, addresses: &Addresses) -> turn::Config {
    let secrets = settings.auth.secrets.iter().map(|secret| turn::Secret {
        name: secret.name.clone(),
        value: bytes(&secret.value),
        validity: secret.validity,
    });
    turn::Config {
        realm: settings.auth.realm.clone(),
        external_v4: addresses.external_v4,
        external_v6: addresses.external_v6,
        host: addresses.host.clone(),
        secrets: secrets.collect(),
        users: settings.auth.users.clone(),
        password_algorithms: settings.relay.password_algorithms,
        alternate_servers: settings.relay.alternate_servers.clone(),
        discovery: settings
            .relay
            .behavior_discovery
            .map(|it| turn::Discovery { primary: it.primary, alternate: it.alternate }),
        mobility: settings.relay.mobility,
        strict_expiry: settings.auth.strict_expiry,
        peers: turn::PeerRules { allow: settings.peers.allow.clone(), deny: settings.peers.deny.clone() },
        limits: turn::Limits {
            max_lifetime_secs: MAX_LIFETIME.as_secs() as u32,
            permissions: PEERS_OF_AN_ALLOCATION,
            channels: PEERS_OF_AN_ALLOCATION,
            tcp_connections: if settings.relay.tcp_allocations { PEERS_OF_AN_ALLOCATION } else { 0 },
            stranger_answers_per_second: STRANGER_ANSWERS_PER_SECOND,
            stranger_answers_burst: STRANGER_ANSWERS_BURST,
            metered: settings.limits.is_metered(),
        },
    }
}

/// Slots of one participant.
pub fn slots(settings: &Settings) -> SlotCounts {
    SlotCounts { audio: settings.rooms.audio_slots, video: settings.rooms.video_slots }
}

/// Candidates, relays, number and time are the shard's to fill in, once it knows its port.
fn sfu(rooms: &Rooms) -> sfu::Config {
    sfu::Config {
        candidates: Vec::new(),
        tcp_candidates: Vec::new(),
        relays: (Vec::new(), 0..=0),
        shard: 0,
        audio_slots: rooms.audio_slots,
        video_slots: rooms.video_slots,
        keyframe_cache: rooms.keyframe_cache,
        tracks: TRACKS,
        participants: PARTICIPANTS,
        unix: Duration::ZERO,
        clock: crate::clock::worked,
    }
}

fn bytes(secret: &Secret) -> Vec<u8> {
    secret.expose().as_bytes().to_vec()
}
