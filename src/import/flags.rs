//! coturn's command line, as `getopt_long` reads it.

use std::path::PathBuf;

use super::given::Entry;
use super::lines::unknown;
use super::note::{Kind, Notes, Place};
use super::options::{self, Argument, Known, OPTIONS};

/// Which configuration file a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChoice {
    /// None is named: coturn's default.
    Default,
    /// `-c FILE`.
    Named(PathBuf),
    /// `-n`: none at all.
    None,
}

/// Which configuration file the words ask for.
pub fn file_choice(words: &[String]) -> FileChoice {
    let mut choice = FileChoice::Default;
    for (index, word) in words.iter().enumerate() {
        match (word.as_str(), words.get(index + 1)) {
            ("-n", _) => return FileChoice::None,
            ("-c", Some(file)) => choice = FileChoice::Named(file.into()),
            _ => {}
        }
    }
    choice
}

/// Reads the words. `-c`, `-n` and `-h` are for [`file_choice`] and for nobody.
pub fn read(words: &[String], notes: &mut Notes) -> Vec<Entry> {
    let mut reader = Reader { words: words.iter().map(String::as_str), entries: Vec::new(), notes };
    let mut first = true;
    while let Some(word) = reader.words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            reader.long(long);
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty() && word != "--") {
            reader.letters(letters);
        } else if !(first && word.ends_with("turnserver")) && word != "--" {
            // `--no-tls true`: getopt takes no separate word for a flag, and leaves it aside.
            reader.notes.say(Kind::Unknown, "word", Place::Flag, "a word that belongs to no option; coturn ignores it");
        }
        first = false;
    }
    reader.entries
}

struct Reader<'a, I> {
    words: I,
    entries: Vec<Entry>,
    notes: &'a mut Notes,
}

impl<'w, I: Iterator<Item = &'w str>> Reader<'_, I> {
    /// `--name`, `--name=value`, or `--name value` where a value is needed.
    fn long(&mut self, long: &str) {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let Some(option) = by_beginning(name) else { return unknown(name, Place::Flag, self.notes) };
        let value = match (option.argument, value) {
            (_, Some(value)) => Some(value),
            (Argument::Value, None) => self.words.next(),
            (Argument::Flag | Argument::Optional, None) => Some(""),
        };
        self.push(option, value);
    }

    /// `-a`, `-af`, `-u name:password`, `-uname:password`.
    fn letters(&mut self, letters: &str) {
        for (at, letter) in letters.char_indices() {
            if letter == 'n' || letter == 'h' {
                continue;
            }
            let rest = &letters[at + letter.len_utf8()..];
            if letter == 'c' {
                if rest.is_empty() {
                    self.words.next();
                }
                return;
            }
            let Some(option) = OPTIONS.iter().find(|option| option.letter == Some(letter)) else {
                unknown(&letter.to_string(), Place::Flag, self.notes);
                return;
            };
            if option.letter_takes_word() {
                let value = if rest.is_empty() { self.words.next() } else { Some(rest) };
                return self.push(option, value);
            }
            self.push(option, Some(""));
        }
    }

    fn push(&mut self, option: &'static Known, value: Option<&str>) {
        let value = value.map(|value| value.trim().to_owned());
        let entry = Entry { option, value: value.clone().unwrap_or_default(), place: Place::Flag };
        if value.is_none() {
            self.notes.add(Kind::Unknown, &entry, "it needs a value, and the command line ends there");
        } else {
            self.entries.push(entry);
        }
    }
}

/// The option with this name, or the only one that begins with it.
fn by_beginning(name: &str) -> Option<&'static Known> {
    options::find(name).or_else(|| {
        let mut beginning = OPTIONS.iter().filter(|option| !name.is_empty() && option.name.starts_with(name));
        beginning.next().filter(|_| beginning.next().is_none())
    })
}
