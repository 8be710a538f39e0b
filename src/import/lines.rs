//! `turnserver.conf`, line by line.

use super::given::Entry;
use super::note::{Kind, Notes, Place};
use super::options;
use super::value;

/// The longest piece of an unknown name that is shown.
const SHOWN: usize = 40;

/// Reads the file. Unknown names are noted and skipped, as coturn does.
pub fn read(text: &str, notes: &mut Notes) -> Vec<Entry> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = Place::Line(index + 1);
        let (name, written) = value::split(line);
        let Some(option) = options::find(name) else {
            unknown(name, place, notes);
            continue;
        };
        let mut entry = Entry { option, value: written.to_owned(), place };
        if let Some(kept) = value::without_comment(written) {
            if option.is_literal() {
                notes.add(
                    Kind::Changed,
                    &entry,
                    "what follows the # belongs to the value, as it does in coturn; if it was meant as a comment, cut it off",
                );
            } else {
                entry.value = kept.to_owned();
                notes.add(Kind::Changed, &entry, "what follows the # is read as a comment; coturn reads it as a value");
            }
        }
        entries.push(entry);
    }
    entries
}

/// Notes a name that nobody knows, without its value: it may be a secret behind a misspelt name.
pub fn unknown(name: &str, place: Place, notes: &mut Notes) {
    let near = options::nearest(name);
    let hint = near.map_or_else(
        || "coturn does not know this option and skips it; so does this".to_owned(),
        |near| {
            format!("coturn does not know this option and skips it; if {near} was meant, correct it and import again")
        },
    );
    let shown: String = name.chars().take(SHOWN).collect();
    notes.say(Kind::Unknown, &shown, place, hint);
}
