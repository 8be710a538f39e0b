//! Importing in tests, and what came of it.

use std::path::Path;

use roundturn::config::{ConfigError, Settings};
use roundturn::import::{ConfigFile, Database, Imported, Input, Kind, Note, import};
use toml::{Table, Value};

/// What an import gave.
pub struct Outcome {
    /// All of it.
    pub imported: Imported,
    /// The TOML, read.
    pub toml: Table,
}

/// Imports the text of a configuration file.
pub fn file(text: &str) -> Outcome {
    let path = Path::new("/etc/turnserver.conf");
    outcome(&Input { file: Some(ConfigFile { path, text }), ..Input::default() })
}

/// Imports a command line.
pub fn flags(words: &[&str]) -> Outcome {
    let flags: Vec<String> = words.iter().map(ToString::to_string).collect();
    outcome(&Input { flags: &flags, ..Input::default() })
}

/// Imports a file with a database.
pub fn with_database(text: &str, database: &Database) -> Outcome {
    let path = Path::new("/etc/turnserver.conf");
    outcome(&Input { file: Some(ConfigFile { path, text }), flags: &[], database: Some(database) })
}

/// Imports, and reads what was made as TOML.
pub fn outcome(input: &Input<'_>) -> Outcome {
    let imported = import(input);
    let toml = imported.toml.parse().unwrap_or_else(|error| panic!("{error}\n{}", imported.toml));
    Outcome { imported, toml }
}

impl Outcome {
    /// The value of `section.key`.
    pub fn key(&self, name: &str) -> Option<&Value> {
        let (section, key) = name.split_once('.').expect("section.key");
        self.toml.get(section)?.get(key)
    }

    /// Asserts the value of `section.key`, written as TOML.
    pub fn has(&self, name: &str, value: &str) -> &Self {
        let wanted: Table = format!("value = {value}").parse().expect("a value in TOML");
        assert_eq!(self.key(name), wanted.get("value"), "{name} in\n{}", self.imported.toml);
        self
    }

    /// Asserts that `section.key` is left to its default.
    pub fn lacks(&self, name: &str) -> &Self {
        assert_eq!(self.key(name), None, "{name} in\n{}", self.imported.toml);
        self
    }

    /// Asserts which sections there are and which keys they have.
    pub fn has_only(&self, names: &[&str]) -> &Self {
        let keys = |(section, table): (&String, &Value)| -> Vec<String> {
            let keys = table.as_table().expect("a section").keys();
            keys.map(|key| format!("{section}.{key}")).collect()
        };
        let mut all: Vec<String> = self.toml.iter().flat_map(keys).collect();
        let mut wanted: Vec<String> = names.iter().map(ToString::to_string).collect();
        all.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(all, wanted, "the keys of\n{}", self.imported.toml);
        self
    }

    /// The options with a note of one kind, in order.
    pub fn options(&self, kind: Kind) -> Vec<&str> {
        self.imported.notes.iter().filter(|note| note.kind == kind).map(|note| note.option.as_str()).collect()
    }

    /// Asserts which options were refused, changed and dropped, and that each is known.
    pub fn notes(&self, refused: &[&str], changed: &[&str], dropped: &[&str]) -> &Self {
        let notes = &self.imported.notes;
        assert_eq!(self.options(Kind::Unknown), Vec::<&str>::new(), "unknown in {notes:#?}");
        assert_eq!(self.options(Kind::Refused), refused, "refused in {notes:#?}");
        assert_eq!(self.options(Kind::Changed), changed, "changed in {notes:#?}");
        assert_eq!(self.options(Kind::Dropped), dropped, "dropped in {notes:#?}");
        assert_eq!(self.imported.is_refused(), !refused.is_empty());
        self
    }

    /// The only note about an option.
    pub fn note(&self, option: &str) -> &Note {
        let mut notes = self.imported.notes.iter().filter(|note| note.option == option);
        let note = notes.next().unwrap_or_else(|| panic!("no note about {option}: {:#?}", self.imported.notes));
        assert!(notes.next().is_none(), "several notes about {option}");
        note
    }

    /// Asserts that the daemon takes the result, but for keys that this version does not act on yet.
    pub fn is_taken(&self) -> &Self {
        match Settings::parse(Path::new("roundturn.toml"), &self.imported.toml, &[]) {
            Ok(_) => {}
            Err(ConfigError::Refused(problems)) => {
                let later = |rule: &str| rule.starts_with("not available in this version");
                let others: Vec<_> = problems.iter().filter(|problem| !later(&problem.rule)).collect();
                assert!(others.is_empty(), "{others:#?} in\n{}", self.imported.toml);
            }
            Err(error) => panic!("{error}"),
        }
        self
    }
}
