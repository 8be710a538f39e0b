//! From what is written to what is decided: one function for each section, and the rules between them.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::environment;
use super::file::{self, Written};
use super::problem::{ConfigError, Problem};
use super::reader::Reader;
use super::rules;
use super::secrets;
use super::settings::{
    Address, Auth, ExternalAddress, Limits, Listen, Log, LogFormat, NamedSecret, Peers, Rooms, Settings, Shards, Tls,
};
use super::value::{Node, Place};

/// Where the configuration is looked for when nobody names a file.
pub const DEFAULT_FILE: &str = "/etc/roundturn/roundturn.toml";

/// The largest configuration file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// The most threads that move packets.
const MOST_SHARDS: i64 = 64;
/// Fewer ports than this serve no call.
const FEWEST_PORTS: usize = 4;

impl Settings {
    /// Decides everything: from the file at `path`, else at `$ROUNDTURN_CONFIG`, else at [`DEFAULT_FILE`] if that exists,
    /// else from the defaults; over it, the variables `ROUNDTURN_SECTION__KEY` of `env`.
    ///
    /// # Errors
    /// Every value that breaks a rule, with its place; a named file that cannot be read.
    pub fn load(path: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let env: Vec<_> = env.into_iter().collect();
        let named = path.map(Path::to_path_buf).or_else(|| variable(&env, "ROUNDTURN_CONFIG").map(PathBuf::from));
        let file = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
        match std::fs::read(&file) {
            Ok(bytes) => Self::decide(Some((&file, &bytes)), &env),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Self::decide(None, &env),
            Err(source) => Err(ConfigError::Read { file, source }),
        }
    }

    /// Decides everything from `text`, the content of `file`, and the variables of `env`.
    ///
    /// # Errors
    /// Every value that breaks a rule, with its place.
    pub fn parse(file: &Path, text: &str, env: &[(String, String)]) -> Result<Self, ConfigError> {
        Self::decide(Some((file, text.as_bytes())), env)
    }

    fn decide(source: Option<(&Path, &[u8])>, env: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut written = match source {
            Some((file, bytes)) => read(file, bytes, &mut problems),
            None => Written::new(),
        };
        environment::overlay(env, &mut written, &mut problems);
        let mut reader = Reader::new(written, problems);
        let settings = settings(&mut reader, source.map(|(file, _)| file), env);
        let problems = reader.into_problems();
        match settings {
            Some(mut settings) if problems.is_empty() => {
                if settings.auth.secrets.is_empty() {
                    settings.auth.secrets.push(secrets::random().map_err(ConfigError::Random)?);
                    settings.auth.secret_is_random = true;
                }
                Ok(settings)
            }
            _ => Err(ConfigError::Refused(problems)),
        }
    }
}

/// The text of a file, if it is text of a sensible length.
fn read(file: &Path, bytes: &[u8], problems: &mut Vec<Problem>) -> Written {
    let mut refuse = |line: usize, rule: String| {
        problems.push(Problem { place: Place::File(file.into(), line), key: String::new(), value: None, rule });
    };
    if bytes.len() > LONGEST_FILE {
        refuse(1, format!("a configuration must be at most {LONGEST_FILE} bytes"));
        return Written::new();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => file::parse(file, text, problems),
        Err(error) => {
            let before = bytes.iter().take(error.valid_up_to());
            refuse(1 + before.filter(|byte| **byte == b'\n').count(), "must be UTF-8".to_owned());
            Written::new()
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
    let auth = auth(reader, env);
    let peers = peers(reader);
    let limits = limits(reader);
    let rooms = rooms(reader);
    let log = log(reader, env);
    Some(Settings {
        file: file.map(Path::to_path_buf),
        listen: listen?,
        address: address?,
        stun_servers: stun_servers?,
        ports: ports?,
        auth: auth?,
        peers: peers?,
        limits: limits?,
        rooms: rooms?,
        tls: tls?,
        shards: shards?,
        log: log?,
    })
}

fn listen(reader: &mut Reader) -> Option<Listen> {
    let turn = reader.texts("listen.turn", rules::socket);
    // Checked, so that a mistake shows before the day on which [tls] is set.
    let turns = reader.texts("listen.turns", rules::socket);
    let http = reader.texts("listen.http", rules::socket);
    let metrics = reader.text("listen.metrics", rules::optional_socket);
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

fn auth(reader: &mut Reader, env: &[(String, String)]) -> Option<Auth> {
    let realm = reader.text("auth.realm", rules::realm);
    let credentials = variable(env, "CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let secrets: Option<Vec<NamedSecret>> = secrets::secrets(reader, credentials.as_deref());
    let users = secrets::users(reader);
    let strict_expiry = reader.flag("auth.strict_expiry");
    let credential_ttl = reader.text("auth.credential_ttl", |text| rules::duration(text, "1m", "60m"));
    let api_keys = reader.texts("auth.api_keys", rules::api_key);
    Some(Auth {
        realm: realm?,
        secrets: secrets?,
        secret_is_random: false,
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
    Some(Limits {
        allocations: allocations?,
        allocations_per_user: allocations_per_user?,
        allocations_per_prefix: allocations_per_prefix?,
    })
}

fn rooms(reader: &mut Reader) -> Option<Rooms> {
    let open = reader.flag("rooms.open");
    let mode = reader.text("rooms.mode", rules::room_mode);
    let max_participants = reader.number("rooms.max_participants", 1..=1000);
    let ttl = reader.text("rooms.ttl", |text| rules::duration(text, "1m", "30d"));
    let empty_timeout = reader.text("rooms.empty_timeout", |text| rules::duration(text, "0s", "24h"));
    let resume = reader.text("rooms.resume", |text| rules::duration(text, "0s", "10m"));
    Some(Rooms {
        open: open?,
        mode: mode?,
        max_participants: max_participants?,
        ttl: ttl?,
        empty_timeout: empty_timeout?,
        resume: resume?,
    })
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

fn variable(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
}
