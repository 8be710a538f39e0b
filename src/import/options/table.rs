//! The table of coturn's options.

use super::Fate::{Dropped, Fixed, Read, Refused, Same};
use super::{Argument, Fate, Known};

const DTLS: &str = "TURN over DTLS is not offered; browsers use TURN over UDP, TCP or TLS";
const DISCOVERY: &str =
    "STUN behaviour discovery (RFC 5780) is off, and calls do not need it; see relay.behavior_discovery";
const MULTIPLEX: &str =
    "every relay has a port of its own, from the small range in [ports] udp; open that range in the firewall";
const REDIRECT: &str = "sending every client elsewhere is for emptying a server here, see relay.alternate_servers; to share out clients, name all servers in the application's list of ICE servers";
const TIMES: &str = "this lifetime is fixed, as the standard has it";
const TLS12: &str = "TLS 1.2 and 1.3 with their safe ciphers are what is offered; there is nothing to choose";
const PROCESS: &str = "systemd's unit or the container decides this";
const LOGS: &str = "logs go to the journal under systemd, otherwise to the terminal; see [log]";
const STAMPS: &str = "every line has its time already";
const ADMIN: &str = "there is no telnet or web console; metrics tell how many allocations there are, the log at level debug who has them, and a reload \
     without a user or a secret ends what was made with it";
const DATABASES: &str =
    "this kind of database is not read; copy secrets and users into [auth], or into SQLite and import that";
const METRICS_TLS: &str = "metrics are served without TLS; put a proxy before them, or leave them on the local address";
const INTERNAL: &str = "this tunes coturn's inside; there is nothing like it here";
const DEVICE: &str =
    "sockets are bound to addresses, not to devices: name the device's address in [listen] or [address]";

/// All options by topic.
#[rustfmt::skip]
pub static OPTIONS: &[Known] = &[
    // Listening.
    value("listening-port", Read).or('p'),
    value("tls-listening-port", Read),
    value("listening-ip", Read).or('L'),
    value("alt-listening-port", Fixed("0", DISCOVERY)),
    value("alt-tls-listening-port", Fixed("0", DISCOVERY)),
    value("aux-server", Read),
    value("tcp-proxy-port", Read),
    flag("no-udp", Dropped("UDP is always served on the TURN port; where nobody may use it, close it in the firewall")),
    flag("no-tcp", Dropped("TCP is always served on the TURN port beside UDP; where nobody may use it, close it in the firewall")),
    flag("no-tls", Read),
    flag("no-dtls", Same),
    flag("dtls", Dropped(DTLS)),
    value("listening-device", Dropped(DEVICE)).or('d'),
    value("relay-device", Dropped(DEVICE)).or('i'),
    flag("udp-self-balance", Same),
    value("relay-threads", Read).or('m'),
    value("cpus", Read),
    value("sock-buf-size", Dropped(INTERNAL)),
    value("ne", Dropped(INTERNAL)),
    flag("udp-recvmmsg", Same),
    flag("udp-recvmmsg-log", Dropped(INTERNAL)),
    flag("udp-sendmmsg-log", Dropped(INTERNAL)),
    flag("udp-gso", Same),
    flag("multiplex-peer", Dropped(MULTIPLEX)),
    value("multiplex-peer-port", Dropped(MULTIPLEX)),
    value("multiplex-peer-max-peers", Dropped(MULTIPLEX)),
    // Addresses.
    value("external-ip", Read).or('X'),
    value("relay-ip", Read).or('E'),
    value("min-port", Read),
    value("max-port", Read),
    flag("keep-address-family", Same).or('K'),
    value("allocation-default-address-family", Fixed("keep", "a client that asks for no family gets a relay of its own family")).or('A'),
    // Who may use it.
    flag("use-auth-secret", Read),
    value("static-auth-secret", Read),
    flag("lt-cred-mech", Read).or('a'),
    value("user", Read).or('u'),
    value("realm", Read).or('r'),
    flag("no-auth", Refused("a relay that is open to everybody will be found and abused; set auth.secret or auth.users and give it to your application")).or('z'),
    value("rest-api-separator", Fixed(":", "only a colon separates time and name; set the application to a colon, or leave the name away")).or('C'),
    value("stale-nonce", Dropped("nonces always expire, after a time that is fixed")).optional(),
    flag("secure-stun", Dropped("Binding is answered without a credential, at a limited rate for each network; it tells a client nothing but its own address")),
    flag("no-auth-pings", Same),
    flag("no-dynamic-ip-list", Same),
    flag("no-dynamic-realms", Same),
    value("secret-ts-exp-time", Dropped("the time in the user name decides")),
    value("server-name", Dropped("only OAuth uses it; the name in the application's URLs is what counts")),
    flag("oauth", Refused("OAuth (RFC 7635) is not offered; use a shared secret (auth.secret)")),
    flag("check-origin-consistency", Dropped("the ORIGIN attribute is ignored; browsers do not send it")),
    flag("stateless-nonce", Same),
    value("stateless-nonce-secret", Dropped("a nonce is good for one server; a client that moves to another is told a new one")),
    // Where relays may send.
    value("allowed-peer-ip", Read),
    value("denied-peer-ip", Read),
    flag("no-multicast-peers", Same),
    flag("no-loopback-peers", Same),
    flag("allow-loopback-peers", Refused("it opens every local service to whoever has a credential; relays and rooms of this daemon are reached without it. If you mean it, name the address in peers.allow")),
    flag("no-tcp-relay", Same),
    flag("no-udp-relay", Refused("relays are UDP; without them nothing is left")),
    flag("server-relay", Refused("it lets anybody send to a relay without a permission; not offered")),
    flag("stun-only", Read).or('S'),
    flag("no-stun", Dropped("Binding is always answered; every TURN client begins with it")),
    // Limits.
    value("user-quota", Read).or('q'),
    value("total-quota", Read).or('Q'),
    value("max-bps", Read).or('s'),
    value("bps-capacity", Read).or('B'),
    value("max-allocate-lifetime", Fixed("3600", TIMES)).optional(),
    value("channel-lifetime", Fixed("600", TIMES)).optional(),
    value("permission-lifetime", Fixed("300", TIMES)).optional(),
    value("max-allocate-timeout", Fixed("60", TIMES)),
    flag("unauthorized-ratelimit", Same),
    value("unauthorized-ratelimit-rps", Dropped("answers to strangers are always limited, by source network")).optional(),
    value("drain-min-allocations", Dropped("`roundturn drain` waits until the last allocation has gone")),
    // TLS.
    value("cert", Read),
    value("pkey", Read),
    value("pkey-pwd", Refused("a key with a password is not read; write it without one (openssl pkey -in OLD -out NEW), readable by root and the daemon only")),
    value("CA-file", Dropped("certificates of clients are not asked for; credentials decide who may relay")),
    value("cipher-list", Dropped(TLS12)),
    value("dh-file", Dropped(TLS12)),
    flag("dh566", Dropped(TLS12)),
    flag("dh1066", Dropped(TLS12)),
    flag("dh2066", Dropped(TLS12)),
    flag("no-sslv2", Same),
    flag("no-sslv3", Same),
    flag("no-tlsv1", Same),
    flag("no-tlsv1_1", Same),
    flag("no-tlsv1_2", Dropped(TLS12)),
    flag("tlsv1", Dropped(TLS12)),
    flag("tlsv1_1", Dropped(TLS12)),
    value("ec-curve-name", Dropped(TLS12)),
    flag("raw-public-keys", Refused("TLS needs a certificate; raw public keys (RFC 7250) are not offered")),
    value("acme-redirect", Refused("requests for certificates are not passed on; set tls.acme to have certificates made here, or answer them on port 80 elsewhere")),
    // Logs and the process.
    flag("verbose", Same).or('v'),
    flag("Verbose", Read).or('V'),
    value("log-min-level", Read),
    value("log-file", Read).or('l'),
    flag("syslog", Same),
    value("syslog-facility", Dropped(LOGS)),
    flag("no-stdout-log", Same),
    flag("simple-log", Same),
    flag("new-log-timestamp", Same),
    value("new-log-timestamp-format", Dropped(STAMPS)),
    flag("log-binding", Dropped("Binding requests are logged at level trace only")),
    value("pidfile", Dropped(PROCESS)),
    value("proc-user", Dropped(PROCESS)),
    value("proc-group", Dropped(PROCESS)),
    flag("daemon", Dropped(PROCESS)).or('o'),
    flag("version", Same),
    // Administration and metrics.
    flag("no-cli", Same),
    flag("cli", Dropped(ADMIN)),
    value("cli-ip", Dropped(ADMIN)),
    value("cli-port", Dropped(ADMIN)),
    value("cli-password", Dropped(ADMIN)),
    value("cli-max-output-sessions", Dropped(ADMIN)),
    flag("web-admin", Dropped(ADMIN)),
    value("web-admin-ip", Dropped(ADMIN)),
    value("web-admin-port", Dropped(ADMIN)),
    flag("web-admin-listen-on-workers", Dropped(ADMIN)),
    flag("prometheus", Read),
    value("prometheus-port", Read),
    value("prometheus-address", Read),
    value("prometheus-path", Fixed("/metrics", "the path is /metrics; set it in Prometheus (metrics_path)")),
    flag("prometheus-username-labels", Refused("names of users are not put into metrics; remove the panels that show them")),
    flag("prometheus-tls", Dropped(METRICS_TLS)),
    value("prometheus-cert", Dropped(METRICS_TLS)),
    value("prometheus-key", Dropped(METRICS_TLS)),
    // Databases.
    value("userdb", Read).or('b'),
    value("db", Read),
    value("psql-userdb", Refused(DATABASES)).or('e'),
    value("sql-userdb", Refused(DATABASES)),
    value("mysql-userdb", Refused(DATABASES)).or('M'),
    value("mongo-userdb", Refused(DATABASES)).or('J'),
    value("redis-userdb", Refused(DATABASES)).or('N'),
    value("redis-statsdb", Dropped("statistics are in the metrics, see listen.metrics")).or('O'),
    value("secret-key-file", Dropped("it is the key to passwords in MySQL, which is not read")),
    // The protocol.
    flag("fingerprint", Same).or('f'),
    flag("software-attribute", Dropped("answers do not name the software, so that they stay small")),
    flag("no-software-attribute", Same),
    flag("prod", Same),
    flag("stun-backward-compatibility", Dropped("STUN of 2003 (RFC 3489) is not answered; no browser speaks it")),
    flag("no-stun-backward-compatibility", Same),
    flag("rfc3489-compatibility", Dropped("STUN of 2003 (RFC 3489) is not answered; no browser speaks it")),
    flag("rfc5766-channel-numbers", Same),
    flag("rfc5780", Dropped(DISCOVERY)),
    flag("no-rfc5780", Same),
    flag("response-origin-only-with-rfc5780", Same),
    flag("mobility", Read),
    flag("include-reason-string", Same),
    flag("drop-invalid-packets", Same),
    flag("drop-invalid-packets-log", Dropped("such packets are counted in the metrics")),
    flag("respond-http-unsupported", Dropped("HTTP is answered on listen.http only")),
    value("alternate-server", Refused(REDIRECT)),
    value("tls-alternate-server", Refused(REDIRECT)),
    value("tcp-alternate-server", Refused(REDIRECT)),
    value("udp-alternate-server", Refused(REDIRECT)),
];

const fn flag(name: &'static str, fate: Fate) -> Known {
    Known { name, letter: None, argument: Argument::Flag, fate }
}

const fn value(name: &'static str, fate: Fate) -> Known {
    Known { name, letter: None, argument: Argument::Value, fate }
}

impl Known {
    const fn or(mut self, letter: char) -> Self {
        self.letter = Some(letter);
        self
    }

    const fn optional(mut self) -> Self {
        self.argument = Argument::Optional;
        self
    }
}
