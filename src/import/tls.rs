//! `[tls]`.

use std::path::Path;

use super::draft::{Draft, text};
use super::given::{Entry, Given};
use super::note::{Kind, Notes};

/// Writes certificate and key, and tells whether TLS is served.
pub fn decide(given: &Given, file: Option<&Path>, draft: &mut Draft, notes: &mut Notes) -> bool {
    let named = |name| given.last(name).filter(|entry| !entry.value.is_empty());
    let (cert, key) = (named("cert"), named("pkey"));
    if let Some(off) = given.on("no-tls") {
        notes.same(off);
        for unused in [cert, key].into_iter().flatten() {
            notes.add(Kind::Dropped, unused, "coturn does not use it either while no-tls is on");
        }
        return false;
    }
    match (cert, key) {
        (Some(cert), Some(key)) => {
            draft.set("tls", "certificate", text(&absolute(cert, file, notes)));
            draft.set("tls", "key", text(&absolute(key, file, notes)));
            true
        }
        (Some(lonely), None) | (None, Some(lonely)) => {
            let text = "certificate and key belong together; without both of them neither coturn nor this serves TLS";
            notes.add(Kind::Dropped, lonely, text);
            false
        }
        (None, None) => false,
    }
}

/// A path from the root. coturn looks for others in several places, the file's own directory among them.
fn absolute(entry: &Entry, file: Option<&Path>, notes: &mut Notes) -> String {
    if entry.value.starts_with('/') {
        return entry.value.clone();
    }
    let directory = file.and_then(Path::parent).filter(|directory| directory.is_absolute());
    let directory = directory.unwrap_or(Path::new("/etc"));
    let text = "the path was not from the root; it is taken from the directory of the configuration file: see that the file is there";
    notes.add(Kind::Changed, entry, text);
    directory.join(&entry.value).to_string_lossy().into_owned()
}
