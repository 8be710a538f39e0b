//! Every key of the configuration: its form, its default and what it is for. All else reads this one table.

use super::value::Value;

/// One key.
#[derive(Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// What may be written there.
    pub form: Form,
    /// The default, as TOML.
    pub default: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// Whether this version acts on it; where it does not, only the default is accepted.
    pub available: bool,
}

/// The shape of a value; the finer rules stand where settings are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A text that no message shows.
    Secret,
    /// A list of texts.
    Texts,
    /// A list of texts that no message shows.
    SecretTexts,
    /// A text or a list of texts.
    TextOrTexts,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
    /// Names, each with a password or a table with `key`.
    Users,
    /// A list of tables with `name`, `value`, `not_before`, `not_after`.
    Secrets,
}

/// The fields of one entry of `auth.secrets`.
pub const SECRET_FIELDS: [&str; 4] = ["name", "value", "not_before", "not_after"];

/// All keys, in the order of `conf/roundturn.toml`.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    key("listen.turn", Form::Texts, r#"["[::]:3478"]"#, "STUN and TURN. [::] stands for every address of both families."),
    key("listen.turns", Form::Texts, r#"["[::]:5349"]"#, "TURN over TLS only, used once [tls] is set."),
    key("listen.http", Form::Texts, r#"["127.0.0.1:8080"]"#, "Pages, API and WebSocket."),
    key("listen.origins", Form::Texts, "[]", "Origins of pages elsewhere that may use API and WebSocket, like \"https://app.example.org\"; \"*\" is any."),
    later("listen.https", Form::Texts, "[]", "The same over TLS."),
    key("listen.metrics", Form::Text, r#""127.0.0.1:9641""#, r#"Prometheus metrics; "" turns them off."#),
    key("listen.control", Form::Text, r#""/run/roundturn/control.sock""#, "The socket that administration commands talk to."),
    key("listen.proxy_protocol_from", Form::Texts, "[]", "Networks that may speak PROXY protocol v2."),
    key("address.external", Form::TextOrTexts, r#""auto""#, "What the world calls this host: that of its network cards, or as written here."),
    key("address.stun_servers", Form::Texts, r#"["stun.l.google.com:19302", "stun.cloudflare.com:3478"]"#, "Whom to ask for our address, only when external = \"auto\" and behind NAT."),
    later("address.port_mapping", Form::Text, r#""off""#, "Whether the router is asked to forward our ports."),
    key("ports.udp", Form::Text, r#""49160-49359""#, "UDP ports shared by relays and the SFU: open these in the firewall."),
    key("relay.tcp_allocations", Form::Flag, "false", "Whether clients may have TCP relays, to peers that speak no UDP (RFC 6062)."),
    key("relay.mobility", Form::Flag, "false", "Whether an allocation may follow its client to a new address (RFC 8016)."),
    key("relay.behavior_discovery", Form::Text, r#""""#, "A second address and port of this host, for clients that find out how their NAT behaves (RFC 5780)."),
    key("relay.password_algorithms", Form::Flag, "false", "Whether challenges offer SHA-256 (RFC 8489); no browser knows it."),
    key("relay.alternate_servers", Form::Texts, "[]", "Where new clients are sent while this server is drained, at most one address of each family."),
    key("auth.realm", Form::Text, r#""roundturn""#, "The REALM that TURN clients are told."),
    key("auth.secret", Form::Secret, r#""""#, "The key that TURN credentials are signed with, 16 bytes or more; none: a random one at each start."),
    key("auth.secret_file", Form::Text, r#""""#, "A file that holds the secret, instead of the key above."),
    key("auth.secrets", Form::Secrets, "[]", "Several secrets, newest first, to change them without a gap, instead of the two above."),
    key("auth.users", Form::Users, "{}", "Users with fixed passwords, beside the secret."),
    key("auth.strict_expiry", Form::Flag, "false", "Whether an allocation ends when its credential does."),
    key("auth.api_keys", Form::SecretTexts, "[]", "Keys for the credential API, 16 characters or more each; none: that API is closed."),
    key("auth.credential_ttl", Form::Text, r#""1h""#, "How long credentials that we make are good for, at most an hour."),
    key("peers.allow", Form::Texts, "[]", "Networks that relays may reach; the longest prefix wins, deny wins a tie."),
    key("peers.deny", Form::Texts, "[]", "Networks that relays may not reach, beside the private and special ones."),
    key("limits.allocations", Form::Number, "10000", "Allocations in all."),
    key("limits.allocations_per_user", Form::Number, "24", "Allocations of one user."),
    key("limits.allocations_per_prefix", Form::Number, "200", "Allocations from one source network (an IPv4 address, or a /64 of IPv6)."),
    key("limits.user_rate", Form::Number, "0", "Bits per second of relayed payload of one user, in each direction; 0: no limit."),
    key("limits.total_rate", Form::Number, "0", "The same of all users together; 0: no limit."),
    key("limits.monthly_bytes", Form::Number, "0", "Bytes of payload relayed in a calendar month (UTC), both directions together; 0: no limit."),
    key("rooms.open", Form::Flag, "true", "Whether whoever knows a room's name may join it, as long as [tokens] has no key; once it has one, a token is needed."),
    key("rooms.mode", Form::Text, r#""sfu""#, r#"What a room is when nobody says: "sfu", or "mesh" (peer to peer)."#),
    key("rooms.max_participants", Form::Number, "50", "The largest number of participants in a room."),
    key("rooms.audio_slots", Form::Number, "4", "The largest number of others that one participant of an SFU room hears at once: the loudest."),
    key("rooms.video_slots", Form::Number, "9", "The largest number of pictures that one participant of an SFU room sees at once."),
    key("rooms.keyframe_cache", Form::Flag, "false", "Whether the last seconds of each picture are kept, so that who comes later sees it before a new keyframe is there."),
    key("rooms.ttl", Form::Text, r#""4h""#, "How long a room lives at most."),
    key("rooms.empty_timeout", Form::Text, r#""5m""#, "How long an empty room waits for somebody."),
    key("rooms.resume", Form::Text, r#""30s""#, "How long a participant whose connection is lost may come back."),
    key("rooms.frame_bytes", Form::Number, "65536", "The largest frame that a WebSocket may send, in bytes; who sends a larger one is closed."),
    key("rooms.frame_bytes_out", Form::Number, "262144", "The largest first answer of a join: beyond it what others say of themselves (meta) follows in events of its own."),
    key("rooms.frames_per_second", Form::Number, "50", "Frames that a WebSocket may send for ever, and"),
    key("rooms.frame_burst", Form::Number, "200", "at once; who sends more is closed, and may resume after a second."),
    key("tokens.keys", Form::Texts, "[]", "Public keys (PEM files) that tokens are checked with: RS256, ES256, EdDSA."),
    key("tokens.secret", Form::Secret, r#""""#, "A shared secret for HS256 tokens, 16 bytes or more."),
    key("tokens.jwks", Form::Text, r#""""#, "A file or URL with a JSON Web Key Set, beside the two above; a URL is fetched again every ten minutes."),
    key("tokens.issuer", Form::Text, r#""""#, "The issuer that tokens must name."),
    key("tokens.audience", Form::Text, r#""""#, "The audience that tokens must name."),
    key("webhooks.urls", Form::Texts, "[]", "Where the begin and end of rooms and participants are told, each by a POST."),
    key("webhooks.secret", Form::Secret, r#""""#, "The key that these are signed with, 16 bytes or more."),
    key("tls.certificate", Form::Text, r#""""#, "The certificate chain (PEM file)."),
    key("tls.key", Form::Text, r#""""#, "Its private key (PEM file)."),
    later("tls.acme", Form::Text, r#""""#, "A contact address for certificates that are fetched automatically."),
    key("shards.count", Form::Number, "0", "Threads that move packets; 0: one for each core."),
    key("shards.hairpin", Form::Flag, "true", "Whether packets to our own addresses are handed over inside the process."),
    key("log.level", Form::Text, r#""info""#, "off, error, warn, info, debug, trace; or by part: \"info,roundturn=debug\"."),
    key("log.format", Form::Text, r#""auto""#, "auto, journal, text or json; auto: the journal under systemd, otherwise text."),
];

/// The key with this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether there is a section with this name.
pub fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.section() == name)
}

impl Key {
    /// The part before the dot.
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(section, _)| section)
    }

    /// The environment variable that sets it: `ROUNDTURN_SECTION__KEY`.
    pub fn variable(&self) -> String {
        format!("ROUNDTURN_{}", self.name.replace('.', "__").to_ascii_uppercase())
    }

    /// Whether a change takes a restart: sockets, threads, and what all else is built on.
    pub fn takes_restart(&self) -> bool {
        match self.name {
            // Nothing is bound for it.
            "listen.proxy_protocol_from" | "listen.origins" => false,
            // Clients keep the key that they made of the realm.
            "auth.realm" | "log.format" | "relay.behavior_discovery" => true,
            // The shards were made with them.
            "rooms.audio_slots" | "rooms.video_slots" | "rooms.keyframe_cache" => true,
            "rooms.frame_bytes" | "rooms.frame_bytes_out" | "rooms.frames_per_second" | "rooms.frame_burst" => true,
            _ => matches!(self.section(), "listen" | "address" | "ports" | "shards"),
        }
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.form, Form::Secret | Form::SecretTexts | Form::Users | Form::Secrets)
    }
}

impl Form {
    /// Whether a value has this shape.
    pub fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text | Self::Secret | Self::TextOrTexts, Value::Text(_))
            | (Self::Number, Value::Number(_))
            | (Self::Flag, Value::Flag(_))
            | (Self::Secrets, Value::List(_)) => true,
            (Self::Texts | Self::SecretTexts | Self::TextOrTexts, Value::List(items)) => {
                items.iter().all(|item| matches!(item.value, Value::Text(_)))
            }
            (Self::Users, Value::Table(entries)) => {
                entries.iter().all(|(_, node)| matches!(node.value, Value::Text(_) | Value::Table(_)))
            }
            _ => false,
        }
    }

    /// The shape in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "must be a text in quotes",
            Self::Texts | Self::SecretTexts => "must be a list of texts in quotes",
            Self::TextOrTexts => "must be a text in quotes, or a list of them",
            Self::Number => "must be a whole number",
            Self::Flag => "must be true or false",
            Self::Users => {
                "must be a table of names and passwords, like { alice = \"password\", bob = { key = \"0x…\" } }"
            }
            Self::Secrets => {
                "must be a list like [{ name = \"2026\", value = \"…\", not_after = \"2027-01-01T00:00:00Z\" }]"
            }
        }
    }
}

const fn key(name: &'static str, form: Form, default: &'static str, doc: &'static str) -> Key {
    Key { name, form, default, doc, available: true }
}

const fn later(name: &'static str, form: Form, default: &'static str, doc: &'static str) -> Key {
    Key { name, form, default, doc, available: false }
}
