//! What became of an option, in one line with the reason and what to do.

use std::fmt;

use super::given::Entry;

/// One line about one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What became of it.
    pub kind: Kind,
    /// Its name in coturn's words.
    pub option: String,
    /// Where it stands.
    pub place: Place,
    /// Why, and what to do. Never the value of a secret.
    pub text: String,
}

/// What became of an option, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It asks for something that this daemon does not do: somebody has to decide.
    Refused,
    /// Neither coturn nor we know it.
    Unknown,
    /// It is kept in another form or with another meaning.
    Changed,
    /// It is left out, and calls work without it.
    Dropped,
}

/// Where an option stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file, at this line.
    Line(usize),
    /// On the command line.
    Flag,
    /// In the user database.
    Database,
    /// Nowhere: it is about what is not there.
    Absent,
}

/// The notes as they come up.
#[derive(Default)]
pub struct Notes {
    notes: Vec<Note>,
    same: Vec<String>,
}

impl Notes {
    /// Adds a note about an entry. The same words about the same option are said once.
    pub fn add(&mut self, kind: Kind, entry: &Entry, text: impl Into<String>) {
        self.say(kind, entry.option.name, entry.place, text);
    }

    /// Adds a note about something that has no entry.
    pub fn say(&mut self, kind: Kind, option: &str, place: Place, text: impl Into<String>) {
        let note = Note { kind, option: option.to_owned(), place, text: text.into() };
        let again = |other: &Note| (other.kind, &other.option, &other.text) == (kind, &note.option, &note.text);
        if !self.notes.iter().any(again) {
            self.notes.push(note);
        }
    }

    /// Notes an option that needs no setting.
    pub fn same(&mut self, entry: &Entry) {
        if !self.same.iter().any(|name| name == entry.option.name) {
            self.same.push(entry.option.name.to_owned());
        }
    }

    /// The notes, the weightiest first, by place, and the options that need no setting.
    pub fn finish(mut self) -> (Vec<Note>, Vec<String>) {
        self.notes.sort_by_key(|note| (note.kind, note.place));
        self.same.retain(|name| self.notes.iter().all(|note| note.option != *name));
        (self.notes, self.same)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.option)?;
        match self.place {
            Place::Line(line) => write!(f, " (line {line})")?,
            Place::Flag => f.write_str(" (command line)")?,
            Place::Database => f.write_str(" (database)")?,
            Place::Absent => {}
        }
        write!(f, ": {}", self.text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
        })
    }
}
