//! The rules of single values: from the text as written to what the daemon works with, or why not.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::secret::Secret;
use super::settings::{ExternalAddress, LogFormat, RoomMode};

/// Characters of an API key. Janus takes keys of up to 200.
const API_KEY: RangeInclusive<usize> = 16..=200;

/// An address to listen on.
pub fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "must be an IP address with a port, like \"203.0.113.7:3478\", or \"[::]:3478\" for every address".to_owned()
    })
}

/// An address to listen on for TURN: clients are told its port.
pub fn turn_socket(text: &str) -> Result<SocketAddr, String> {
    let told = |address: &SocketAddr| address.port() != 0;
    socket(text).and_then(|address| {
        let rule = "port 0 is another port at each start, which no client knows; 3478 is TURN's, 5349 TURN's over TLS";
        Some(address).filter(told).ok_or_else(|| rule.to_owned())
    })
}

/// An address that others can send to.
pub fn reachable_socket(text: &str) -> Result<SocketAddr, String> {
    let is_reachable = |address: &SocketAddr| {
        let ip = address.ip();
        !ip.is_unspecified() && !ip.is_multicast() && address.port() != 0
    };
    let address = text.parse().ok().filter(is_reachable);
    address.ok_or_else(|| "must be an IP address with a port, like \"203.0.113.8:3478\"".to_owned())
}

/// An address to listen on, or nothing.
pub fn optional_socket(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() { Ok(None) } else { socket(text).map(Some) }
}

/// `low-high`.
pub fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let syntax = || "must be a range of ports like \"49160-49359\"".to_owned();
    let (low, high) = text.split_once('-').ok_or_else(syntax)?;
    let number = |text: &str| text.trim().parse::<u16>().map_err(|_| syntax());
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return Err(format!("the first port must not be above the last; write \"{high}-{low}\""));
    }
    if low < 1024 {
        return Err("must begin at 1024 or above".to_owned());
    }
    Ok(low..=high)
}

/// A key of the credential API: long enough not to be guessed, and the same in a URL, a form and a header.
pub fn api_key(text: &str) -> Result<Secret, String> {
    let length = text.len();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a key must be of ASCII letters, digits and signs, without blanks".to_owned());
    }
    if !API_KEY.contains(&length) {
        let (least, most) = (API_KEY.start(), API_KEY.end());
        return Err(format!(
            "a key must have {least} to {most} characters, this one has {length}; `openssl rand -hex 20` makes one"
        ));
    }
    Ok(Secret::new(text))
}

/// `30s`, `5m`, `4h`, `2d`, within bounds that are written the same way.
pub fn duration(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let seconds = seconds(text).ok_or("must be a number with a unit s, m, h or d, like \"30s\" or \"4h\"")?;
    if seconds < self::seconds(least).unwrap_or(0) || seconds > self::seconds(most).unwrap_or(u64::MAX) {
        return Err(format!("must be from {least} to {most}"));
    }
    Ok(Duration::from_secs(seconds))
}

fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

/// A network, or one address.
pub fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let network = network.ok_or("must be a network like \"192.168.1.0/24\" or \"2001:db8::/32\"")?;
    if network.addr() != network.network() {
        return Err(format!("has bits set beyond its prefix; write \"{}\"", network.trunc()));
    }
    if let IpNet::V6(mapped) = network
        // The /96 of all of them is in many lists, and denied in any case.
        && mapped.prefix_len() > 96
        && let Some(v4) = mapped.addr().to_ipv4_mapped()
    {
        let len = mapped.prefix_len() - 96;
        return Err(format!("stands for IPv4 addresses, which are judged as such; write \"{v4}/{len}\""));
    }
    Ok(network)
}

/// `external`, or `external/local` of the same family.
pub fn external_address(text: &str) -> Result<ExternalAddress, String> {
    let syntax = "must be an address like \"203.0.113.7\", or external and local like \"203.0.113.7/192.168.1.50\"";
    let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| syntax.to_owned());
    let (external, local) = match text.split_once('/') {
        Some((external, local)) => (address(external)?, Some(address(local)?)),
        None => (address(text)?, None),
    };
    let unusable = |address: IpAddr| match address {
        IpAddr::V4(address) => address.is_unspecified() || address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unspecified() || address.is_multicast() || address.to_ipv4_mapped().is_some(),
    };
    if unusable(external) || local.is_some_and(unusable) {
        return Err("must be an address that one host can have".to_owned());
    }
    if local.is_some_and(|local| local.is_ipv4() != external.is_ipv4()) {
        return Err("the external and the local address must be of one family".to_owned());
    }
    Ok(ExternalAddress { external, local })
}

/// A DNS name of two labels or more, the last of which is no number.
pub fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(label) && !last.chars().all(|c| c.is_ascii_digit())
}

/// `host:port`.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let named =
        text.rsplit_once(':').is_some_and(|(host, port)| is_name(host) && port.parse::<u16>().is_ok_and(|p| p > 0));
    if named || text.parse::<SocketAddr>().is_ok_and(|address| address.port() > 0) {
        Ok(text.to_owned())
    } else {
        Err("must be a host and a port like \"stun.example.org:3478\"".to_owned())
    }
}

/// A REALM: fewer than 128 characters that a quoted string can hold (RFC 8489 §14.9).
pub fn realm(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.chars().count() < 128;
    if fits && !text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 127 characters without quotes, backslashes and control characters".to_owned())
    }
}

/// An absolute path, or nothing.
pub fn path(text: &str) -> Result<Option<PathBuf>, String> {
    match text {
        "" => Ok(None),
        text if text.starts_with('/') => Ok(Some(text.into())),
        _ => Err("must be a path from the root, like \"/etc/roundturn/auth-secret\"".to_owned()),
    }
}

/// An `http://` or `https://` URL.
pub fn url(text: &str) -> Result<String, String> {
    let parsed = text.parse::<hyper::Uri>().ok();
    let is_web = parsed.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some());
    if is_web {
        Ok(text.to_owned())
    } else {
        Err("must be a URL like \"https://app.example.org/hooks/calls\"".to_owned())
    }
}

/// The origin of a page (RFC 6454 §6.2), or `*`.
pub fn origin(text: &str) -> Result<String, String> {
    let is_host = |rest: &str| {
        !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*']) && !rest.contains(char::is_whitespace)
    };
    match text.split_once("://") {
        None if text == "*" => Ok(text.to_owned()),
        Some(("https" | "http", rest)) if is_host(rest) => Ok(text.to_owned()),
        _ => Err("must be a scheme and a host, without a path, like \"https://app.example.org\" or \"http://localhost:5173\", or \"*\"".to_owned()),
    }
}

/// What a room is.
pub fn room_mode(text: &str) -> Result<RoomMode, String> {
    match text {
        "sfu" => Ok(RoomMode::Sfu),
        "mesh" => Ok(RoomMode::Mesh),
        _ => Err("must be \"sfu\" or \"mesh\"".to_owned()),
    }
}

/// How log lines look; `None`: as stderr suggests.
pub fn log_format(text: &str) -> Result<Option<LogFormat>, String> {
    match text {
        "auto" => Ok(None),
        "journal" => Ok(Some(LogFormat::Journal)),
        "text" => Ok(Some(LogFormat::Text)),
        "json" => Ok(Some(LogFormat::Json)),
        _ => Err("must be \"auto\", \"journal\", \"text\" or \"json\"".to_owned()),
    }
}

/// A level, or levels by part of the program.
pub fn log_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let level = |text: &str| LEVELS.contains(&text);
    let target = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
    let directive = |text: &str| text.split_once('=').map_or(level(text), |(part, l)| target(part) && level(l));
    if text.split(',').map(str::trim).all(directive) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be one of {}, or levels by part like \"info,roundturn=debug\"", LEVELS.join(", ")))
    }
}
