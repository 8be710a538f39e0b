//! Every option of coturn, from 4.5 to 4.17, and its fate here.

mod table;

use super::given::Given;
use super::note::{Kind, Notes};
use super::value;
use crate::config::nearest;

pub use table::OPTIONS;

/// One option of coturn.
#[derive(Debug)]
pub struct Known {
    /// Its long name.
    pub name: &'static str,
    /// Its letter on the command line.
    pub letter: Option<char>,
    /// Whether it has a value.
    pub argument: Argument,
    /// What becomes of it.
    pub fate: Fate,
}

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// On or off; nothing is on.
    Flag,
    /// A value that may be missing: on the command line only `--name=value` gives one.
    Optional,
    /// A value.
    Value,
}

/// What becomes of an option.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It becomes a setting; the module of its section reads it.
    Read,
    /// What it asks for always is so.
    Same,
    /// This value is what always is so; any other is left out, for this reason.
    Fixed(&'static str, &'static str),
    /// It is left out, for this reason, unless it is a flag that is off.
    Dropped(&'static str),
    /// It is refused, for this reason, unless it is a flag that is off.
    Refused(&'static str),
}

impl Known {
    /// Whether a ` #` belongs to the value, because a password may hold one.
    pub fn is_literal(&self) -> bool {
        ["user", "static-auth-secret", "pkey-pwd", "cli-password"].contains(&self.name)
    }

    /// Whether its letter takes the next word of the command line.
    pub fn letter_takes_word(&self) -> bool {
        self.argument == Argument::Value || self.letter == Some('K')
    }
}

/// The option with this long name.
pub fn find(name: &str) -> Option<&'static Known> {
    OPTIONS.iter().find(|option| option.name == name)
}

/// The option that is probably meant by a misspelt name. Too short a word is near to everything.
pub fn nearest(name: &str) -> Option<&'static str> {
    let names = OPTIONS.iter().map(|option| option.name);
    (name.len() >= 4).then(|| nearest::nearest(name, names)).flatten()
}

/// Notes the fate of every option that is not read by a section.
pub fn apply_fates(given: &Given, notes: &mut Notes) {
    for entry in given.iter() {
        let flag = entry.option.argument == Argument::Flag;
        let on = !flag || value::boolean(&entry.value).unwrap_or(true);
        if flag && value::boolean(&entry.value).is_none() {
            notes.add(Kind::Changed, entry, "this is neither on nor off, and coturn stops there; read as on");
        }
        match entry.option.fate {
            Fate::Read if on => {}
            Fate::Read => notes.same(entry),
            Fate::Same => notes.same(entry),
            Fate::Fixed(value, _) if entry.value.is_empty() || entry.value == value => notes.same(entry),
            Fate::Dropped(_) | Fate::Refused(_) if !on => notes.same(entry),
            Fate::Fixed(_, why) | Fate::Dropped(why) => notes.add(Kind::Dropped, entry, why),
            Fate::Refused(why) => notes.add(Kind::Refused, entry, why),
        }
    }
}
