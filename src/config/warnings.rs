//! What is allowed, and still worth a second look.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use roundturn_turn::StaticUser;

use super::settings::{Address, Settings};

/// Bytes below which a password is worth a warning.
const SHORT_PASSWORD: usize = 8;

/// Bits per second of one voice at its lowest rate with the headers of its packets.
const LEAST_USEFUL_RATE: u64 = 16_000;

impl Settings {
    /// Sentences for `check` and the start of the daemon. `unix_secs` is the time.
    pub fn warnings(&self, unix_secs: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        let auth = &self.auth;
        if auth.secret_is_random {
            warnings.push(
                "no secret is set: a random one is made at each start, and only this daemon can make credentials; \
                 set auth.secret or auth.secret_file to make them elsewhere"
                    .to_owned(),
            );
        }
        for secret in auth.secrets.iter().filter(|secret| secret.validity.not_after.is_some_and(|end| end <= unix_secs))
        {
            warnings.push(format!(
                "the secret \"{}\" of auth.secrets is past its not_after and no longer accepted",
                secret.name
            ));
        }
        if self.signing_secret(unix_secs).is_none() {
            warnings.push("no secret of auth.secrets is accepted at this time: no credentials can be made".to_owned());
        }
        warnings.extend(self.unusable_keys());
        warnings.extend(self.short_passwords());
        warnings.extend(self.circular_alternates());
        for network in self.listen.proxy_protocol_from.iter().filter(|network| network.prefix_len() == 0) {
            warnings.push(format!("listen.proxy_protocol_from holds {network}: any client may claim any address"));
        }
        for network in &self.peers.allow {
            if is_inner(network.addr()) || network.prefix_len() == 0 {
                warnings.push(format!(
                    "peers.allow holds {network}: whoever may use the relay reaches this host's own networks there"
                ));
            }
        }
        warnings.extend(self.limits_warnings());
        if !self.rooms.open && self.tokens.is_none() {
            warnings.push("rooms are closed, and no key for tokens is configured: nobody can join a room".to_owned());
        }
        let public = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
        if self.rooms.open
            && let Some(address) = self.listen.http.iter().find(public)
        {
            warnings.push(format!(
                "rooms are open, and {address} is reachable from other hosts: anyone there may make and join rooms"
            ));
        }
        if let Some(address) = self.listen.http.iter().find(public) {
            warnings.push(format!(
                "browsers give camera and microphone only to https and localhost: put a TLS proxy before {address}"
            ));
        }
        if let Some(address) = self.listen.metrics.iter().find(public) {
            warnings.push(format!("metrics are readable for anyone who reaches {address}"));
        }
        if let Address::Fixed(addresses) = &self.address {
            for address in addresses.iter().filter(|address| is_inner(address.external)) {
                warnings.push(format!(
                    "address.external {} is not a public address: only its own network reaches it",
                    address.external
                ));
            }
        }
        warnings
    }

    fn limits_warnings(&self) -> Vec<String> {
        let rates = [("user_rate", self.limits.user_rate), ("total_rate", self.limits.total_rate)];
        let low = rates.into_iter().filter(|(_, rate)| (1..LEAST_USEFUL_RATE).contains(rate)).map(|(key, rate)| {
            format!("limits.{key} is {rate} bits a second, which carries no call; is it meant in kilobits?")
        });
        let forgets = self.limits.monthly_bytes > 0 && self.state_directory.is_none();
        let forgets = forgets.then(|| {
            "limits.monthly_bytes begins at zero with each start: $STATE_DIRECTORY is not set, which systemd does for the \
             service"
                .to_owned()
        });
        low.chain(forgets).collect()
    }

    /// Users whose key no client will use.
    fn unusable_keys(&self) -> impl Iterator<Item = String> {
        let offered = self.relay.password_algorithms;
        let mut users: Vec<_> = self.auth.users.iter().collect();
        users.sort_unstable_by_key(|(name, _)| *name);
        users.into_iter().filter_map(move |(name, user)| match (user, offered) {
            (StaticUser::Sha256Key(_), false) => Some(format!(
                "the key of \"{name}\" in auth.users is of SHA-256, which clients use only where \
                 relay.password_algorithms offers it: nobody can be {name}"
            )),
            (StaticUser::Md5Key(_), true) => Some(format!(
                "the key of \"{name}\" in auth.users is of MD5, and relay.password_algorithms offers SHA-256: clients \
                 that take the offer cannot be {name}"
            )),
            _ => None,
        })
    }

    /// Passwords that are tried out in no time.
    fn short_passwords(&self) -> Vec<String> {
        let is_short =
            |user: &StaticUser| matches!(user, StaticUser::Password(password) if password.len() < SHORT_PASSWORD);
        let mut names: Vec<_> =
            self.auth.users.iter().filter(|(_, user)| is_short(user)).map(|(name, _)| name).collect();
        names.sort_unstable();
        let warning = |name| {
            format!(
                "the password of \"{name}\" in auth.users is short: whoever sees one of its requests finds it by trying; \
                 openssl rand -hex 20 makes one"
            )
        };
        names.into_iter().map(warning).collect()
    }

    /// Alternate servers that are this one.
    fn circular_alternates(&self) -> Vec<String> {
        let Address::Fixed(own) = &self.address else { return Vec::new() };
        let is_own = |address: &&SocketAddr| {
            let at_port = |listener: &SocketAddr| listener.port() == address.port();
            own.iter().any(|own| own.external == address.ip()) && self.listen.turn.iter().any(at_port)
        };
        self.relay.alternate_servers.iter().filter(is_own).map(|address| {
            format!("relay.alternate_servers names {address}, which is this server: clients would be sent round in a circle")
        }).collect()
    }

    /// The secret that signs what we mint.
    pub fn signing_secret(&self, unix_secs: u64) -> Option<&super::NamedSecret> {
        super::NamedSecret::signing(&self.auth.secrets, unix_secs, self.auth.credential_ttl.as_secs())
    }
}

/// A warning where the kernel hands out ports of our range to anybody (`ip_local_port_range` without a reservation).
pub fn kernel_ports(settings: &Settings) -> Option<String> {
    let read = |name: &str| std::fs::read_to_string(Path::new("/proc/sys/net/ipv4").join(name)).ok();
    clash(settings.ports.clone(), &read("ip_local_port_range")?, &read("ip_local_reserved_ports")?)
}

fn clash(ours: std::ops::RangeInclusive<u16>, ephemeral: &str, reserved: &str) -> Option<String> {
    let mut numbers = ephemeral.split_whitespace().map(|number| number.parse::<u16>().ok());
    let (low, high) = (numbers.next()??, numbers.next()??);
    let overlap = (*ours.start()).max(low)..=(*ours.end()).min(high);
    let spans = reserved.trim().split(',').filter_map(|span| {
        let (low, high) = span.split_once('-').unwrap_or((span, span));
        Some((low.parse::<u16>().ok()?, high.parse::<u16>().ok()?))
    });
    let spans: Vec<_> = spans.collect();
    let taken = overlap.clone().find(|port| !spans.iter().any(|(low, high)| (low..=high).contains(&port)))?;
    Some(format!(
        "the kernel may give port {taken} of ports.udp to other programs; to keep the range free: \
         sysctl -w net.ipv4.ip_local_reserved_ports={}-{}",
        ours.start(),
        ours.end()
    ))
}

/// Addresses of this host and of networks behind it.
fn is_inner(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::clash;

    #[test]
    fn the_range_may_overlap_ephemeral_ports_only_where_they_are_reserved() {
        assert!(clash(49160..=49359, "32768\t60999\n", "\n").is_some());
        assert!(clash(49160..=49359, "32768\t60999\n", "49160-49359\n").is_none());
        assert!(clash(49160..=49359, "32768\t60999\n", "8080,49160-49300\n").is_some());
        assert!(clash(20000..=20100, "32768\t60999\n", "").is_none());
        assert!(clash(20000..=20100, "nonsense", "").is_none());
    }
}
