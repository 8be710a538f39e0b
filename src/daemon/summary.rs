//! What the daemon says when it is up: where it listens, what it announces, which page to open, what is open to whom.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use crate::config::{Listen, NamedSecret, Settings};
use crate::nat::Addresses;

/// The facts of this start that settings alone do not tell.
pub struct Summary<'a> {
    /// What was decided.
    pub settings: &'a Settings,
    /// What was found.
    pub addresses: &'a Addresses,
    /// Where pages are really served.
    pub http: &'a [SocketAddr],
    /// The SFU's port of each shard.
    pub sfu_ports: &'a [u16],
    /// The time, in seconds since 1970.
    pub unix_secs: u64,
}

impl Summary<'_> {
    /// The text, ending with a newline. `colour` adds emphasis for terminals.
    pub fn render(&self, colour: bool) -> String {
        let (bold, dim, plain) = if colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let mut text = format!("\n  {bold}roundturn {}{plain}\n\n", env!("CARGO_PKG_VERSION"));
        for (label, value, note) in self.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {dim}{label:<10}{plain}{bold}{value}{plain}");
            for line in note {
                let _ = writeln!(text, "  {:<10}{dim}{line}{plain}", "");
            }
        }
        text.push_str(&format!("\n  {dim}Ctrl-C stops it.{plain}\n\n"));
        text
    }

    fn lines(&self) -> Vec<(&'static str, String, Vec<String>)> {
        vec![
            ("page", self.page(), self.page_note()),
            ("address", list(&self.addresses.external()), self.address_note()),
            ("turn", self.turn(), vec![self.turn_note()]),
            ("media", self.media(), self.media_note()),
            ("rooms", self.rooms().into(), vec![]),
            ("metrics", self.metrics(), vec![]),
            ("settings", self.source(), vec![]),
        ]
    }

    fn page(&self) -> String {
        self.http.first().map_or_else(|| "none: listen.http is empty".into(), |address| format!("http://{address}/"))
    }

    fn page_note(&self) -> Vec<String> {
        if self.http.is_empty() {
            return vec![];
        }
        let mut note = vec!["open it in two tabs and talk".to_string()];
        if self.http.iter().all(|address| address.ip().is_loopback()) {
            note.push("from this machine only; browsers give camera and microphone to https or localhost".into());
        }
        note
    }

    fn address_note(&self) -> Vec<String> {
        let pairs = [
            (self.addresses.external_v4.map(IpAddr::V4), self.addresses.local_v4.map(IpAddr::V4)),
            (self.addresses.external_v6.map(IpAddr::V6), self.addresses.local_v6.map(IpAddr::V6)),
        ];
        pairs
            .into_iter()
            .filter_map(|(external, local)| Some((external?, local?)))
            .filter(|(external, local)| external != local)
            .map(|(external, local)| format!("{external} reaches this host as {local}"))
            .collect()
    }

    fn turn(&self) -> String {
        let Listen { turn, turns, .. } = &self.settings.listen;
        let (kinds, turns) =
            if self.settings.tls.is_some() { ("udp,tcp,tls", turns.as_slice()) } else { ("udp,tcp", &[][..]) };
        let both = turn.iter().map(|address| format!("{address}/{kinds}"));
        let sockets: Vec<String> = both.chain(turns.iter().map(|address| format!("{address}/tls"))).collect();
        sockets.join(", ")
    }

    fn turn_note(&self) -> String {
        let users = self.settings.auth.users.len();
        let secret = if self.settings.auth.secret_is_random {
            "for people in rooms; set auth.secret to let other applications in".to_string()
        } else {
            let accepted = |secret: &&NamedSecret| secret.validity.holds(self.unix_secs);
            match self.settings.auth.secrets.iter().filter(accepted).count() {
                0 => "by no shared secret: none of auth.secrets is accepted at this time".to_string(),
                count => format!("for people in rooms, and by {count} shared secret{}", plural(count)),
            }
        };
        if users == 0 { secret } else { format!("{secret}; {users} static user{}", plural(users)) }
    }

    fn media(&self) -> String {
        format!("{}-{}/udp", self.settings.ports.start(), self.settings.ports.end())
    }

    fn media_note(&self) -> Vec<String> {
        let ports: Vec<String> = self.sfu_ports.iter().map(u16::to_string).collect();
        vec![format!("rooms on {}, relays on the others", ports.join(", "))]
    }

    fn rooms(&self) -> &'static str {
        match (self.settings.rooms.open, &self.settings.tokens) {
            (true, None) => "open: whoever reaches the page and knows a room's name may join",
            (true, Some(_)) => {
                "open: whoever reaches the page and knows a room's name may join, with a token or without"
            }
            (false, Some(_)) => "by token: whoever has one that a key of [tokens] signed may join",
            (false, None) => "closed: rooms.open is false, and no key for tokens is configured",
        }
    }

    fn metrics(&self) -> String {
        self.settings.listen.metrics.map_or_else(|| "off".into(), |address| format!("http://{address}/metrics"))
    }

    fn source(&self) -> String {
        self.settings.file.as_ref().map_or_else(|| "built-in defaults".into(), |path| path.display().to_string())
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(", ")
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
