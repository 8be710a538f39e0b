//! `[log]`.

use super::draft::{Draft, text};
use super::given::Given;
use super::note::{Kind, Notes};

/// Writes the level.
pub fn decide(given: &Given, draft: &mut Draft, notes: &mut Notes) {
    if let Some(entry) = given.last("log-file") {
        match entry.value.as_str() {
            "stdout" | "-" | "syslog" => notes.same(entry),
            _ => notes.add(
                Kind::Dropped,
                entry,
                "logs go to the journal under systemd (journalctl -u roundturn), otherwise to the terminal",
            ),
        }
    }
    let level = given.last("log-min-level").map(|entry| (entry, entry.value.to_ascii_lowercase()));
    match &level {
        Some((_, level)) if ["error", "debug", "info"].contains(&level.as_str()) => {
            draft.set("log", "level", text(level))
        }
        Some((_, level)) if ["warning", "warn"].contains(&level.as_str()) => draft.set("log", "level", text("warn")),
        Some((entry, _)) => {
            notes.add(Kind::Dropped, entry, "no such level here: error, warn, info and debug are there; info is taken")
        }
        None if given.on("Verbose").is_some() => draft.set("log", "level", text("debug")),
        None => {}
    }
    if let (Some(entry), Some(_)) = (given.on("Verbose"), level) {
        notes.same(entry);
    }
}
