//! From coturn's settings to ours: a `roundturn.toml`, and a line for everything that is not in it as it was.
//!
//! ```text
//!  turnserver.conf ── lines ──┐
//!  command line ───── flags ──┼─► Given ──► listen, address, auth, relay, peers, limits, tls, log ──► Draft ──► TOML
//!  turndb ──── sqlite ─ rows ─┘    │                          │
//!                                  └── options (the fate of each) ───────► Notes ─────────────► comments in it
//! ```

mod address;
mod auth;
mod draft;
mod flags;
mod given;
mod limits;
mod lines;
mod listen;
mod log;
mod note;
mod options;
mod peers;
mod ranges;
mod relay;
mod rows;
mod sqlite;
mod tls;
mod value;

use std::path::Path;

pub use flags::{FileChoice, file_choice};
pub use note::{Kind, Note, Place};
pub use rows::{Database, Row, UserRow};
pub use sqlite::{DatabaseError, read_database};

use draft::Draft;
use given::Given;
use note::Notes;

/// Where coturn's settings are, in the order in which a later one wins.
#[derive(Clone, Copy, Default)]
pub struct Input<'a> {
    /// `turnserver.conf`.
    pub file: Option<ConfigFile<'a>>,
    /// The words of coturn's command line.
    pub flags: &'a [String],
    /// The user database.
    pub database: Option<&'a Database>,
}

/// The text of a configuration file, and where it stood.
#[derive(Clone, Copy)]
pub struct ConfigFile<'a> {
    /// Its path: relative paths of certificates are taken from there.
    pub path: &'a Path,
    /// Its content.
    pub text: &'a str,
}

/// What became of coturn's settings.
#[derive(Clone)]
pub struct Imported {
    /// A `roundturn.toml`. It holds the secrets, and the notes as comments.
    pub toml: String,
    /// One for every option that was changed, dropped, refused or not known. No value of a secret is in them.
    pub notes: Vec<Note>,
    /// Options that need no setting, because what they ask for always is so.
    pub same: Vec<String>,
}

impl Imported {
    /// Whether something was asked for that this daemon does not do.
    pub fn is_refused(&self) -> bool {
        self.notes.iter().any(|note| note.kind == Kind::Refused)
    }
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imported").field("notes", &self.notes).field("same", &self.same).finish_non_exhaustive()
    }
}

/// Imports coturn's settings. Whatever they say, the result is valid TOML.
pub fn import(input: &Input<'_>) -> Imported {
    let mut notes = Notes::default();
    let given = Given::collect(input, &mut notes);
    let mut draft = Draft::default();
    options::apply_fates(&given, &mut notes);
    let tls = tls::decide(&given, input.file.map(|file| file.path), &mut draft, &mut notes);
    let ports = listen::decide(&given, tls, &mut draft, &mut notes);
    address::decide(&given, &ports, &mut draft, &mut notes);
    let users = auth::decide(&given, &mut draft, &mut notes);
    relay::decide(&given, &mut draft);
    peers::decide(&given, &mut draft, &mut notes);
    limits::decide(&given, users, &mut draft, &mut notes);
    log::decide(&given, &mut draft, &mut notes);
    let (notes, same) = notes.finish();
    Imported { toml: draft.render(input, &notes, &same), notes, same }
}
