//! From what is written to what is decided: one function for each section, and the rules between them.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::discovery;
use super::gathered::{Gathered, variable};
use super::problem::ConfigError;
use super::reader::Reader;
use super::rules;
use super::secret::Secret;
use super::secrets;
use super::settings::{
    Address, Auth, ExternalAddress, Frames, Limits, Listen, Log, LogFormat, NamedSecret, Peers, Relay, Rooms, Settings,
    Shards, Source, Tls, Webhooks,
};
use super::tokens;
use super::users;
use super::value::{Node, Place};

/// The most threads that move packets.
const MOST_SHARDS: i64 = 64;
/// Fewer ports than this serve no call.
const FEWEST_PORTS: usize = 4;

impl Settings {
    /// Decides everything: from the file at `path`, else at `$ROUNDTURN_CONFIG`, else at [`DEFAULT_FILE`](super::DEFAULT_FILE) if that exists,
    /// else from the defaults; over it, the variables `ROUNDTURN_SECTION__KEY` of `env`.
    ///
    /// # Errors
    /// Every value that breaks a rule, with its place; a named file that cannot be read.
    pub fn load(path: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::decide(Gathered::load(path, env.into_iter().collect())?)
    }

    /// Decides everything from `text`, the content of `file`, and the variables of `env`.
    ///
    /// # Errors
    /// Every value that breaks a rule, with its place.
    pub fn parse(file: &Path, text: &str, env: &[(String, String)]) -> Result<Self, ConfigError> {
        Self::decide(Gathered::new(Some((file, text.as_bytes())), env.to_vec()))
    }

    pub(super) fn decide(gathered: Gathered) -> Result<Self, ConfigError> {
        let Gathered { file, written, problems, env } = gathered;
        let mut reader = Reader::new(written, problems);
        let settings = settings(&mut reader, file.as_deref(), &env);
        let problems = reader.into_problems();
        match settings {
            Some(mut settings) if problems.is_empty() => {
                if settings.auth.secrets.is_empty() {
                    let random = secrets::random().map_err(ConfigError::Random)?;
                    settings.auth.secrets.push(random.clone());
                    settings.auth.secret_is_random = true;
                    settings.auth.random = Some(random);
                }
                Ok(settings)
            }
            _ => Err(ConfigError::Refused(problems)),
        }
    }
}

/// All sections. Each one reads all its keys before it gives up, so that every refusal is told at once.
fn settings(reader: &mut Reader, file: Option<&Path>, env: &[(String, String)]) -> Option<Settings> {
    let listen = listen(reader);
    let address = address(reader);
    let stun_servers = reader.texts("address.stun_servers", rules::host_and_port);
    let tls = tls(reader);
    let shards = shards(reader);
    let ports = ports(reader, shards.as_ref());
    let relay = relay(reader, listen.as_ref(), ports.as_ref());
    let auth = auth(reader, env);
    let peers = peers(reader);
    let limits = limits(reader);
    let tokens = tokens::tokens(reader);
    let rooms = rooms(reader, matches!(tokens, Some(Some(_))));
    let frames = frames(reader);
    let webhooks = webhooks(reader);
    let log = log(reader, env);
    Some(Settings {
        file: file.map(Path::to_path_buf),
        listen: listen?,
        address: address?,
        stun_servers: stun_servers?,
        ports: ports?,
        relay: relay?,
        auth: auth?,
        peers: peers?,
        limits: limits?,
        rooms: rooms?,
        frames: frames?,
        tokens: tokens?,
        webhooks: webhooks?,
        tls: tls?,
        shards: shards?,
        log: log?,
        state_directory: state_directory(env),
        written: Source(reader.written().clone()),
    })
}

fn listen(reader: &mut Reader) -> Option<Listen> {
    let turn = reader.texts("listen.turn", rules::turn_socket);
    // Checked, so that a mistake shows before the day on which [tls] is set.
    let turns = reader.texts("listen.turns", rules::turn_socket);
    let http = reader.texts("listen.http", rules::socket);
    let metrics = reader.text("listen.metrics", rules::optional_socket);
    let origins = reader.texts("listen.origins", rules::origin);
    let control = reader.text("listen.control", rules::path);
    let proxies = reader.texts("listen.proxy_protocol_from", rules::network);
    let apart = listeners_apart(reader);
    if turn.as_ref().is_some_and(Vec::is_empty) {
        let node = reader.node("listen.turn");
        reader.refuse("listen.turn", &node, "must name at least one address");
        return None;
    }
    control?;
    apart.then_some(Listen {
        turn: turn?,
        turns: turns?,
        proxy_protocol_from: proxies?,
        http: http?,
        origins: origins?,
        metrics: metrics?,
    })
}

/// Every listener that can be read, with its key and place.
fn listeners(reader: &Reader) -> Vec<(&'static str, Node, SocketAddr)> {
    let keys = ["listen.turn", "listen.http", "listen.metrics"];
    // Nobody listens there without a certificate.
    let is_set = |node: Node| matches!(&node.value, super::value::Value::Text(text) if !text.is_empty());
    let turns = is_set(reader.node("tls.certificate")).then_some("listen.turns");
    let nodes =
        keys.into_iter().chain(turns).flat_map(|key| reader.items(key).into_iter().map(move |node| (key, node)));
    nodes
        .filter_map(|(key, node)| {
            let super::value::Value::Text(text) = &node.value else { return None };
            let address = rules::socket(text).ok()?;
            Some((key, node, address))
        })
        .collect()
}

/// Refuses a listener whose address another one has.
fn listeners_apart(reader: &mut Reader) -> bool {
    let all = listeners(reader);
    let mut apart = true;
    for (index, (key, node, address)) in all.iter().enumerate() {
        let Some((other, taken, other_address)) =
            all.iter().take(index).find(|(_, _, other)| collide(*address, *other))
        else {
            continue;
        };
        apart = false;
        // Blame falls on what somebody wrote.
        let (key, node, other) = if node.place == Place::Default { (other, taken, key) } else { (key, node, other) };
        // What people write who know other servers: it deserves an answer of its own.
        let rule = if address.is_ipv4() == other_address.is_ipv4() {
            format!("the same address and port as in {other}; take another port")
        } else {
            format!(
                "the same port as in {other}, where [::] stands for both families; leave one out, or take another port"
            )
        };
        reader.refuse(key, node, rule);
    }
    apart
}

/// Whether two listeners cannot both have their port. Port 0 is a new one each time.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let both = |address: IpAddr| address.is_ipv6() && address.is_unspecified();
    let covers = |wide: IpAddr, narrow: IpAddr| wide.is_unspecified() && wide.is_ipv4() == narrow.is_ipv4();
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() == other.port() && one.port() != 0 && (a == b || both(a) || both(b) || covers(a, b) || covers(b, a))
}

fn ports(reader: &mut Reader, shards: Option<&Shards>) -> Option<RangeInclusive<u16>> {
    let ports = reader.text("ports.udp", rules::ports)?;
    let node = reader.node("ports.udp");
    let least = FEWEST_PORTS.max(shards.map_or(0, |shards| shards.count + 1));
    if ports.len() < least {
        reader.refuse(
            "ports.udp",
            &node,
            format!("must have {least} ports or more: one for each shard's SFU, the rest for relays"),
        );
        return None;
    }
    let overlapping = listeners(reader).into_iter().find(|(_, _, address)| ports.contains(&address.port()));
    let Some((key, listener, address)) = overlapping else { return Some(ports) };
    let range = format!("{}-{}", ports.start(), ports.end());
    if node.place == Place::Default {
        let rule = format!(
            "port {} lies in the range of ports.udp ({range}); take a port outside, or set ports.udp",
            address.port()
        );
        reader.refuse(key, &listener, rule);
    } else {
        let rule = format!("the range must not hold port {} of {key}; take a range beside it", address.port());
        reader.refuse("ports.udp", &node, rule);
    }
    None
}

fn address(reader: &mut Reader) -> Option<Address> {
    let node = reader.node("address.external");
    if let super::value::Value::Text(text) = &node.value {
        return match text.as_str() {
            "auto" => Some(Address::Auto),
            name if rules::is_name(name) && name.contains('.') => {
                Some(Address::Name(name.trim_end_matches('.').to_owned()))
            }
            _ => reader.text("address.external", |text| {
                let fixed = rules::external_address(text).map(|address| Address::Fixed(vec![address]));
                fixed.map_err(|rule| format!("{rule}, or \"auto\", or a DNS name like \"turn.example.org\""))
            }),
        };
    }
    let addresses = reader.texts("address.external", rules::external_address)?;
    let count =
        |v4: bool| addresses.iter().filter(|address: &&ExternalAddress| address.external.is_ipv4() == v4).count();
    if addresses.is_empty() || count(true) > 1 || count(false) > 1 {
        reader.refuse("address.external", &node, "must have one IPv4 address, one IPv6 address, or one of each");
        return None;
    }
    Some(Address::Fixed(addresses))
}

fn relay(reader: &mut Reader, listen: Option<&Listen>, ports: Option<&RangeInclusive<u16>>) -> Option<Relay> {
    let tcp_allocations = reader.flag("relay.tcp_allocations");
    let mobility = reader.flag("relay.mobility");
    let behavior_discovery = discovery::behavior_discovery(reader, listen, ports);
    let password_algorithms = reader.flag("relay.password_algorithms");
    let alternate_servers = alternate_servers(reader);
    Some(Relay {
        tcp_allocations: tcp_allocations?,
        mobility: mobility?,
        behavior_discovery: behavior_discovery?,
        password_algorithms: password_algorithms?,
        alternate_servers: alternate_servers?,
    })
}

fn alternate_servers(reader: &mut Reader) -> Option<Vec<SocketAddr>> {
    let alternate_servers = reader.texts("relay.alternate_servers", rules::reachable_socket)?;
    let nodes = reader.items("relay.alternate_servers");
    for (index, (address, node)) in alternate_servers.iter().zip(&nodes).enumerate() {
        if alternate_servers.iter().take(index).any(|other| other.is_ipv4() == address.is_ipv4()) {
            let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
            let rule = format!("must have at most one {family} address: a client is told of one of each family");
            reader.refuse("relay.alternate_servers", node, rule);
            return None;
        }
    }
    Some(alternate_servers)
}

fn auth(reader: &mut Reader, env: &[(String, String)]) -> Option<Auth> {
    let realm = reader.text("auth.realm", rules::realm);
    let credentials = variable(env, "CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let secrets: Option<Vec<NamedSecret>> = secrets::secrets(reader, credentials.as_deref());
    let users = users::users(reader);
    let strict_expiry = reader.flag("auth.strict_expiry");
    let credential_ttl = reader.text("auth.credential_ttl", |text| rules::duration(text, "1m", "60m"));
    let api_keys = reader.texts("auth.api_keys", rules::api_key);
    Some(Auth {
        realm: realm?,
        secrets: secrets?,
        secret_is_random: false,
        random: None,
        users: users?,
        strict_expiry: strict_expiry?,
        credential_ttl: credential_ttl?,
        api_keys: api_keys?,
    })
}

fn peers(reader: &mut Reader) -> Option<Peers> {
    let allow = reader.texts("peers.allow", rules::network);
    let deny = reader.texts("peers.deny", rules::network);
    Some(Peers { allow: allow?, deny: deny? })
}

fn limits(reader: &mut Reader) -> Option<Limits> {
    let allocations = reader.number("limits.allocations", 1..=1_000_000);
    let allocations_per_user = reader.number("limits.allocations_per_user", 1..=1_000_000);
    let allocations_per_prefix = reader.number("limits.allocations_per_prefix", 1..=1_000_000);
    let user_rate = reader.number("limits.user_rate", 0..=i64::MAX);
    let total_rate = reader.number("limits.total_rate", 0..=i64::MAX);
    let monthly_bytes = reader.number("limits.monthly_bytes", 0..=i64::MAX);
    Some(Limits {
        allocations: allocations?,
        allocations_per_user: allocations_per_user?,
        allocations_per_prefix: allocations_per_prefix?,
        user_rate: user_rate?,
        total_rate: total_rate?,
        monthly_bytes: monthly_bytes?,
    })
}

fn rooms(reader: &mut Reader, has_tokens: bool) -> Option<Rooms> {
    let open = reader.flag("rooms.open");
    let mode = reader.text("rooms.mode", rules::room_mode);
    let max_participants = reader.number("rooms.max_participants", 1..=1000);
    let audio_slots = reader.number("rooms.audio_slots", 0..=12);
    let video_slots = reader.number("rooms.video_slots", 0..=16);
    let keyframe_cache = reader.flag("rooms.keyframe_cache");
    let ttl = reader.text("rooms.ttl", |text| rules::duration(text, "1m", "30d"));
    let empty_timeout = reader.text("rooms.empty_timeout", |text| rules::duration(text, "0s", "24h"));
    let resume = reader.text("rooms.resume", |text| rules::duration(text, "0s", "10m"));
    Some(Rooms {
        open: open? && !has_tokens,
        mode: mode?,
        max_participants: max_participants?,
        audio_slots: audio_slots?,
        video_slots: video_slots?,
        keyframe_cache: keyframe_cache?,
        ttl: ttl?,
        empty_timeout: empty_timeout?,
        resume: resume?,
    })
}

/// A description with many sections has some 30 KiB, and a join's answer grows with its room.
fn frames(reader: &mut Reader) -> Option<Frames> {
    let bytes = reader.number("rooms.frame_bytes", 16_384..=1_048_576);
    let bytes_out = reader.number("rooms.frame_bytes_out", 65_536..=16_777_216);
    let per_second = reader.number("rooms.frames_per_second", 1..=10_000);
    let burst = reader.number("rooms.frame_burst", 10..=100_000);
    Some(Frames { bytes: bytes?, bytes_out: bytes_out?, per_second: per_second?, burst: burst? })
}

/// Whoever is told wants to know who tells: with a URL there is a secret.
fn webhooks(reader: &mut Reader) -> Option<Webhooks> {
    let urls = reader.texts("webhooks.urls", rules::url);
    let secret = reader.text("webhooks.secret", |text| match text.len() {
        0 | 16.. => Ok(Secret::new(text)),
        length => {
            Err(format!("must have 16 bytes or more, this one has {length}; `openssl rand -base64 32` makes one"))
        }
    });
    let (urls, secret) = (urls?, secret?);
    if !urls.is_empty() && secret.expose().is_empty() {
        let node = reader.node("webhooks.urls");
        reader.refuse("webhooks.urls", &node, "must come with webhooks.secret, by which your application knows us");
        return None;
    }
    Some(Webhooks { urls, secret })
}

/// Both files or none.
fn tls(reader: &mut Reader) -> Option<Option<Tls>> {
    let certificate = reader.text("tls.certificate", rules::path)?;
    let key = reader.text("tls.key", rules::path)?;
    let (alone, missing) = match (certificate, key) {
        (Some(certificate), Some(key)) => return Some(Some(Tls { certificate, key })),
        (None, None) => return Some(None),
        (Some(_), None) => ("tls.certificate", "tls.key"),
        (None, Some(_)) => ("tls.key", "tls.certificate"),
    };
    let node = reader.node(alone);
    reader.refuse(alone, &node, format!("must come with {missing}"));
    None
}

fn shards(reader: &mut Reader) -> Option<Shards> {
    let count: usize = reader.number("shards.count", 0..=MOST_SHARDS)?;
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let most = usize::try_from(MOST_SHARDS).unwrap_or(1);
    let count = if count == 0 { cores().min(most) } else { count };
    Some(Shards { count, hairpin: reader.flag("shards.hairpin")? })
}

fn log(reader: &mut Reader, env: &[(String, String)]) -> Option<Log> {
    let level = reader.text("log.level", rules::log_level);
    let format = reader.text("log.format", rules::log_format);
    let journal = || crate::logging::stderr_is_journal(variable(env, "JOURNAL_STREAM").as_deref());
    let auto = || if journal() { LogFormat::Journal } else { LogFormat::Text };
    Some(Log { level: level?, format: format?.unwrap_or_else(auto) })
}

/// The first of those that systemd names.
fn state_directory(env: &[(String, String)]) -> Option<PathBuf> {
    let all = variable(env, "STATE_DIRECTORY")?;
    all.split(':').next().filter(|path| path.starts_with('/')).map(PathBuf::from)
}
