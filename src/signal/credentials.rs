//! TURN credentials as `expiry:name` under a shared secret, and the ICE servers that go with them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::protocol::IceServer;
use crate::config::NamedSecret;
use crate::nat::Addresses;

/// Signs credentials.
#[derive(Debug, Clone)]
pub struct Mint {
    secrets: Vec<NamedSecret>,
    ttl: Duration,
}

/// A TURN user name with its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:name`
    pub username: String,
    /// `base64(HMAC-SHA-1(secret, username))`
    pub password: String,
    /// When it ends, in seconds since 1970.
    pub expires_at_secs: u64,
    /// Whether no secret was accepted that could have signed it: it opens nothing, and is not given out.
    pub is_void: bool,
}

/// No credential lives longer, whatever the settings say.
const TTL_MAX: Duration = Duration::from_secs(3600);

impl Mint {
    /// Signs with one of `secrets` that is accepted; what it signs is good for `ttl`, at most an hour, and no longer than the
    /// secret.
    pub fn new(secrets: Vec<NamedSecret>, ttl: Duration) -> Self {
        Self { secrets, ttl: ttl.min(TTL_MAX) }
    }

    /// How long credentials are good for at most.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whether the same secret signs as that of `other`.
    pub fn signs_like(&self, other: &Self, now_unix_ms: u64) -> bool {
        let of = |mint: &Self| mint.signing(now_unix_ms).map(|secret| secret.value.clone());
        of(self) == of(other)
    }

    /// A credential for `name` from now on.
    pub fn issue(&self, now_unix_ms: u64, name: &str) -> Credential {
        let (now, ttl) = (now_unix_ms / 1000, self.ttl.as_secs());
        let secret = self.signing(now_unix_ms);
        let expires_at_secs = secret.map_or(now + ttl, |secret| secret.expiry(now, ttl));
        let username = format!("{expires_at_secs}:{name}");
        let password = secret.map(|secret| roundturn_turn::mint(secret.value.expose().as_bytes(), &username));
        let is_void = password.is_none();
        Credential { username, password: password.unwrap_or_default(), expires_at_secs, is_void }
    }

    /// Where none is accepted the operator was warned.
    fn signing(&self, now_unix_ms: u64) -> Option<&NamedSecret> {
        NamedSecret::signing(&self.secrets, now_unix_ms / 1000, self.ttl.as_secs())
    }
}

/// Where this host's STUN and TURN are, as URLs (RFC 7064, RFC 7065).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IceUrls {
    stun: Vec<String>,
    /// TURN over UDP, which is best.
    turn: Vec<String>,
    /// TURN over TCP and over TLS, for networks that let nothing else pass.
    tcp: Vec<String>,
    tls: Vec<String>,
}

/// Firefox warns of five URLs and more: each is tried from each network card.
const MOST: usize = 4;

impl IceUrls {
    /// A TURN URL for each name of each listener: the host's DNS name where it has one, otherwise the external address of
    /// each family that the listener serves. STUN and TURN over TCP for the first name only: STUN finds what NAT does to
    /// IPv4, TCP serves relays of both families, and browsers complain of many URLs.
    pub fn new(listeners: &[SocketAddr], addresses: &Addresses) -> Self {
        let mut urls = Self::default();
        for listener in listeners {
            for (index, host) in hosts(listener.ip(), addresses).into_iter().enumerate() {
                add(&mut urls.turn, format!("turn:{host}:{}?transport=udp", listener.port()));
                if index == 0 {
                    add(&mut urls.stun, format!("stun:{host}:{}", listener.port()));
                    add(&mut urls.tcp, format!("turn:{host}:{}?transport=tcp", listener.port()));
                }
            }
        }
        urls
    }

    /// And a TURN URL over TLS for the first name of each of these `listeners`.
    pub fn with_tls(mut self, listeners: &[SocketAddr], addresses: &Addresses) -> Self {
        for listener in listeners {
            for host in hosts(listener.ip(), addresses).into_iter().take(1) {
                add(&mut self.tls, format!("turns:{host}:{}?transport=tcp", listener.port()));
            }
        }
        // Where TLS passes, TCP has little to add.
        if self.stun.len() + self.turn.len() + self.tcp.len() + self.tls.len() > MOST {
            self.tcp.clear();
        }
        self
    }

    /// The `ice_servers` with a credential; STUN only where that is void. Empty where this host has no address to offer.
    pub fn servers(&self, credential: &Credential) -> Vec<IceServer> {
        if self.stun.is_empty() {
            return Vec::new();
        }
        let mut servers = vec![IceServer { urls: self.stun.clone(), username: None, credential: None }];
        if !credential.is_void {
            servers.push(IceServer {
                urls: [&self.turn[..], &self.tcp, &self.tls].concat(),
                username: Some(credential.username.clone()),
                credential: Some(credential.password.clone()),
            });
        }
        servers
    }
}

fn add(urls: &mut Vec<String>, url: String) {
    if !urls.contains(&url) {
        urls.push(url);
    }
}

fn hosts(listener: IpAddr, addresses: &Addresses) -> Vec<String> {
    if let Some(name) = &addresses.name {
        return vec![name.clone()];
    }
    let v4 = addresses.external_v4.map(|ip| ip.to_string());
    let v6 = addresses.external_v6.map(|ip| format!("[{ip}]"));
    match listener {
        IpAddr::V6(ip) if ip.is_unspecified() => v4.into_iter().chain(v6).collect(),
        // A listener on one address is reached by that address, unless the world has another name for it.
        IpAddr::V4(ip) if addresses.local_v4 == Some(ip) || ip.is_unspecified() => v4.into_iter().collect(),
        IpAddr::V6(ip) if addresses.local_v6 == Some(ip) => v6.into_iter().collect(),
        IpAddr::V4(ip) => vec![ip.to_string()],
        IpAddr::V6(ip) => vec![format!("[{ip}]")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn secret(value: &str, not_after: Option<u64>) -> NamedSecret {
        NamedSecret {
            name: value.into(),
            value: Secret::new(value),
            validity: roundturn_turn::Validity { not_after, ..Default::default() },
        }
    }

    #[test]
    fn a_password_is_the_hmac_that_every_turn_server_expects() {
        let mint = Mint::new(vec![secret("north", None)], Duration::from_secs(600));
        let credential = mint.issue(1_795_176_000_123, "p_7");
        assert_eq!(credential.username, "1795176600:p_7");
        // printf 1795176600:p_7 | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(credential.password, "rX8FN8Dv0hmuNE0d474AUEK+p2g=");
        assert_eq!(credential.expires_at_secs, 1_795_176_600);
    }

    #[test]
    fn a_secret_that_has_ended_signs_no_more() {
        let secrets = vec![secret("old", Some(1_795_176_000)), secret("north", None)];
        let credential = Mint::new(secrets, Duration::from_secs(600)).issue(1_795_176_000_123, "p_7");
        assert_eq!(credential.password, "rX8FN8Dv0hmuNE0d474AUEK+p2g=");
    }

    #[test]
    fn no_credential_outlives_its_secret_and_the_one_that_lasts_signs() {
        let now = 1_795_176_000;
        let (short, longer) = (secret("short", Some(now + 60)), secret("longer", Some(now + 300)));
        let issue =
            |secrets: &[NamedSecret]| Mint::new(secrets.into(), Duration::from_secs(600)).issue(now * 1000, "p_7");
        let signed_by = |credential: &Credential| {
            let all = ["short", "longer", "north"].into_iter();
            let mut all =
                all.filter(|key| roundturn_turn::mint(key.as_bytes(), &credential.username) == credential.password);
            all.next()
        };
        let capped = issue(&[short.clone(), longer.clone()]);
        assert_eq!((capped.expires_at_secs, signed_by(&capped)), (now + 300, Some("longer")));
        let whole = issue(&[short, longer, secret("north", None)]);
        assert_eq!((whole.expires_at_secs, signed_by(&whole)), (now + 600, Some("north")));
    }

    #[test]
    fn where_no_secret_is_accepted_there_is_stun_only() {
        let mint = Mint::new(vec![secret("old", Some(1_795_176_000))], Duration::from_secs(600));
        let credential = mint.issue(1_795_176_000_123, "p_7");
        assert!(credential.is_void && credential.password.is_empty());
        let addresses = Addresses { external_v4: Some([203, 0, 113, 7].into()), ..Addresses::default() };
        let servers = IceUrls::new(&["[::]:3478".parse().unwrap()], &addresses).servers(&credential);
        assert_eq!(servers.len(), 1);
        assert_eq!(servers[0].urls, ["stun:203.0.113.7:3478"]);
    }

    #[test]
    fn no_credential_outlives_an_hour() {
        let mint = Mint::new(vec![secret("north", None)], Duration::from_secs(86_400));
        assert_eq!(mint.issue(0, "p_7").expires_at_secs, 3600);
    }

    #[test]
    fn urls_name_each_family_or_the_host() {
        let mut addresses = Addresses {
            external_v4: Some([203, 0, 113, 7].into()),
            external_v6: "2001:db8::7".parse().ok(),
            local_v4: Some([192, 168, 1, 50].into()),
            ..Addresses::default()
        };
        let any = ["[::]:3478".parse().unwrap()];
        let urls = IceUrls::new(&any, &addresses);
        assert_eq!(urls.stun, ["stun:203.0.113.7:3478"]);
        assert_eq!(urls.turn, ["turn:203.0.113.7:3478?transport=udp", "turn:[2001:db8::7]:3478?transport=udp"]);

        assert_eq!(urls.tcp, ["turn:203.0.113.7:3478?transport=tcp"]);
        let tls = urls.with_tls(&["[::]:5349".parse().unwrap()], &addresses);
        assert_eq!(tls.tls, ["turns:203.0.113.7:5349?transport=tcp"]);
        assert!(tls.tcp.is_empty(), "five would be too many");

        let behind_nat = IceUrls::new(&["192.168.1.50:3478".parse().unwrap()], &addresses);
        assert_eq!(behind_nat.stun, ["stun:203.0.113.7:3478"]);
        let loopback = IceUrls::new(&["127.0.0.1:3478".parse().unwrap()], &addresses);
        assert_eq!(loopback.stun, ["stun:127.0.0.1:3478"]);

        addresses.name = Some("turn.example.org".into());
        let named = IceUrls::new(&any, &addresses).with_tls(&["[::]:5349".parse().unwrap()], &addresses);
        let urls = [named.stun, named.turn, named.tcp, named.tls].concat();
        let (udp, tcp) = ("turn:turn.example.org:3478?transport=udp", "turn:turn.example.org:3478?transport=tcp");
        assert_eq!(urls, ["stun:turn.example.org:3478", udp, tcp, "turns:turn.example.org:5349?transport=tcp"]);
    }
}
