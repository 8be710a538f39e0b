//! Every option that was given, from file, command line and database, in order.

use super::Input;
use super::flags;
use super::lines;
use super::note::{Kind, Notes, Place};
use super::options::Known;
use super::rows;
use super::value;

/// One option with its value.
#[derive(Clone)]
pub struct Entry {
    /// Which one.
    pub option: &'static Known,
    /// The value; empty where there is none.
    pub value: String,
    /// Where it stands.
    pub place: Place,
}

/// All options, in the order in which a later one wins.
pub struct Given {
    entries: Vec<Entry>,
}

impl Given {
    /// Reads file, command line and database.
    pub fn collect(input: &Input<'_>, notes: &mut Notes) -> Self {
        let mut entries = input.file.map_or_else(Vec::new, |file| lines::read(file.text, notes));
        entries.extend(flags::read(input.flags, notes));
        let mut given = Self { entries };
        if let Some(database) = input.database {
            let rows = rows::entries(database, &given, notes);
            given.entries.extend(rows);
        }
        given
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Every entry of one option that has a value.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> + 'a {
        self.entries.iter().filter(move |entry| entry.option.name == name && !entry.value.is_empty())
    }

    /// The last entry of one option: that one counts.
    pub fn last(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.option.name == name)
    }

    /// The entry that switches a flag on, if it is on.
    pub fn on(&self, name: &str) -> Option<&Entry> {
        self.last(name).filter(|entry| value::boolean(&entry.value).unwrap_or(true))
    }

    /// A port, if the option names one.
    pub fn port(&self, name: &str, notes: &mut Notes) -> Option<u16> {
        let entry = self.last(name)?;
        let port = value::port(&entry.value);
        if port.is_none() {
            notes.add(Kind::Changed, entry, "this is no port; the default is taken");
        }
        port
    }
}
