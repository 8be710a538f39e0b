//! `[address]` and `[ports]`.

use std::net::IpAddr;

use super::draft::{Draft, text, texts};
use super::given::{Entry, Given};
use super::note::{Kind, Notes};
use super::ranges::is_private;
use super::value;

/// coturn's range of relay ports.
const COTURN_PORTS: (u16, u16) = (49152, 65535);
/// The fewest ports that are worth a range.
const FEWEST_PORTS: u16 = 100;

/// Writes what the world calls this host, and the range of relay ports beside the `listeners`.
pub fn decide(given: &Given, listeners: &[u16], draft: &mut Draft, notes: &mut Notes) {
    external(given, draft, notes);
    ports(given, listeners, draft, notes);
}

fn external(given: &Given, draft: &mut Draft, notes: &mut Notes) {
    let mut local = locals(given, notes);
    let mut found: Vec<(IpAddr, Option<IpAddr>)> = Vec::new();
    let mut name: Option<&Entry> = None;
    for entry in given.all("external-ip") {
        match External::read(&entry.value) {
            External::Hole => notes.add(
                Kind::Changed,
                entry,
                "a value that was to be filled in; the address is found by itself (\"auto\")",
            ),
            External::Nothing => notes.add(
                Kind::Changed,
                entry,
                "this is neither an address nor a name; the address is found by itself (\"auto\")",
            ),
            External::Name => name = Some(entry),
            External::Address(external, _) if is_private(external) => {
                let text = format!(
                    "this address is private, so others cannot reach it; the public one is found by itself (\"auto\"). If all clients are in your network, write address.external = \"{external}\""
                );
                notes.add(Kind::Changed, entry, text);
            }
            External::Address(external, behind)
                if found.iter().all(|(other, _)| other.is_ipv4() != external.is_ipv4()) =>
            {
                found.push((external, behind));
            }
            External::Address(..) => notes.add(
                Kind::Dropped,
                entry,
                "one address of each family is announced, the first one; a second needs a second daemon",
            ),
        }
    }
    if found.is_empty()
        && let Some(name) = name
    {
        let host = name.value.split('/').next().unwrap_or_default();
        return draft.set("address", "external", text(host));
    }
    if let Some(name) = name {
        notes.add(Kind::Dropped, name, "an address is given too, and that one is announced");
    }
    if found.is_empty() && given.all("external-ip").next().is_none() {
        // Without NAT coturn announces the address that it relays from.
        for ip in local.iter().filter(|ip| !is_private(**ip)) {
            if found.iter().all(|(other, _)| other.is_ipv4() != ip.is_ipv4()) {
                found.push((*ip, None));
            }
        }
    }
    for (external, behind) in &mut found {
        let own = |ip: &IpAddr| ip.is_ipv4() == external.is_ipv4();
        *behind = behind.or_else(|| local.iter().copied().find(own)).filter(|ip| ip != external && own(ip));
    }
    local.retain(|ip| !found.iter().any(|(external, behind)| ip == external || Some(*ip) == *behind));
    for entry in given
        .all("relay-ip")
        .filter(|entry| entry.value.parse().is_ok_and(|ip: IpAddr| local.contains(&ip.to_canonical())))
    {
        notes.add(Kind::Dropped, entry, "relays use the address that [address] external stands for");
    }
    let written: Vec<String> = found.iter().map(pair).collect();
    match written.as_slice() {
        [] => {}
        [one] => draft.set("address", "external", text(one)),
        several => draft.set("address", "external", texts(several)),
    }
}

/// The addresses that relays leave from: `relay-ip`, else `listening-ip`.
fn locals(given: &Given, notes: &mut Notes) -> Vec<IpAddr> {
    let own = |ip: &IpAddr| usable(*ip) && !ip.is_loopback();
    let mut relay = Vec::new();
    for entry in given.all("relay-ip") {
        // `public/private` is written here by mistake now and then.
        let address = entry.value.rsplit('/').next().and_then(|ip| ip.parse::<IpAddr>().ok());
        match address.map(|ip| ip.to_canonical()).filter(own) {
            Some(address) => relay.push(address),
            None => {
                notes.add(Kind::Dropped, entry, "this is no address to relay from; it is found by itself");
            }
        }
    }
    if relay.is_empty() {
        let listening = given.all("listening-ip").filter_map(|entry| entry.value.parse::<IpAddr>().ok());
        relay.extend(listening.map(|ip| ip.to_canonical()).filter(own));
    }
    relay
}

/// Whether one host can have this address.
fn usable(address: IpAddr) -> bool {
    let broadcast = address == IpAddr::from([255; 4]);
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

enum External {
    Address(IpAddr, Option<IpAddr>),
    Name,
    Hole,
    Nothing,
}

impl External {
    /// `PUBLIC`, `PUBLIC/PRIVATE`, or a name in the place of the first.
    fn read(written: &str) -> Self {
        if value::is_placeholder(written) {
            return Self::Hole;
        }
        let (public, behind) = written.split_once('/').unwrap_or((written, ""));
        let address = |text: &str| text.trim().parse::<IpAddr>().map(|ip| ip.to_canonical());
        match address(public) {
            Ok(external) if external.is_unspecified() || usable(external) => {
                Self::Address(external, address(behind).ok().filter(|ip| usable(*ip)))
            }
            Ok(_) => Self::Nothing,
            Err(_) if is_name(public) => Self::Name,
            Err(_) => Self::Nothing,
        }
    }
}

fn ports(given: &Given, listeners: &[u16], draft: &mut Draft, notes: &mut Notes) {
    let (low, high) = (given.port("min-port", notes), given.port("max-port", notes));
    let Some(entry) = given.last("min-port").or_else(|| given.last("max-port")) else {
        let (low, high) = free_range(listeners);
        if low != 49160 {
            draft.set("ports", "udp", text(&format!("{low}-{high}")));
        }
        return;
    };
    let (low, high) = (low.unwrap_or(COTURN_PORTS.0), high.unwrap_or(COTURN_PORTS.1));
    let (mut from, mut to) = (low.min(high), low.max(high));
    if low > high {
        notes.add(Kind::Changed, entry, "the first port was above the last; they are exchanged");
    }
    if from < 1024 {
        notes.add(Kind::Changed, entry, "relay ports begin at 1024");
        (from, to) = (1024, to.max(1024 + FEWEST_PORTS));
    }
    if to - from < 3 {
        notes.add(
            Kind::Changed,
            entry,
            format!(
                "a range of so few ports serves no call; it is made {FEWEST_PORTS} ports long: open it in the firewall"
            ),
        );
        (from, to) = if from > u16::MAX - FEWEST_PORTS { (to - FEWEST_PORTS, to) } else { (from, from + FEWEST_PORTS) };
    }
    if listeners.iter().any(|port| (from..=to).contains(port)) {
        notes.add(
            Kind::Changed,
            entry,
            "a port that is listened on lies in this range; the larger part beside it is taken",
        );
        (from, to) = largest_gap(from, to, listeners);
    }
    draft.set("ports", "udp", text(&format!("{from}-{to}")));
}

/// The longest run of ports in a range without a listener.
fn largest_gap(from: u16, to: u16, listeners: &[u16]) -> (u16, u16) {
    let mut inside: Vec<u32> = listeners.iter().map(|port| u32::from(*port)).collect();
    inside.push(u32::from(to) + 1);
    inside.sort_unstable();
    let mut start = u32::from(from);
    let mut best = (0, 0);
    for port in inside {
        if port >= start && port <= u32::from(to) + 1 {
            best = best.max((port - start, start));
            start = port + 1;
        }
    }
    let (length, start) = best;
    let port = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    if length < u32::from(FEWEST_PORTS) { free_range(listeners) } else { (port(start), port(start + length - 1)) }
}

/// Two hundred ports without a listener: the default range, or the next one that is free.
fn free_range(listeners: &[u16]) -> (u16, u16) {
    let free = |low: &u16| !listeners.iter().any(|port| (*low..=*low + 199).contains(port));
    let low = (49160..65000).step_by(200).find(free).unwrap_or(49160);
    (low, low + 199)
}

fn pair((external, behind): &(IpAddr, Option<IpAddr>)) -> String {
    behind.map_or_else(|| external.to_string(), |behind| format!("{external}/{behind}"))
}

/// A DNS name of two labels or more.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let number = last.chars().all(|c| c.is_ascii_digit());
    text.len() <= 253 && text.contains('.') && text.split('.').all(label) && !number
}
