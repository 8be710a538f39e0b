//! The TOML file as written: every known key with its value and line, and every unknown one refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::keys;
use super::nearest;
use super::problem::Problem;
use super::value::{Node, Place};

/// Values by `section.key`.
pub type Written = BTreeMap<&'static str, Node>;

/// Reads `text`, the content of `file`.
pub fn parse(file: &Path, text: &str, problems: &mut Vec<Problem>) -> Written {
    let file: Arc<Path> = file.into();
    let place = |offset: usize| Place::File(file.clone(), line_of(text, offset));
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What follows a broken line is guesswork: only the broken lines are told.
        problems.extend(errors.iter().map(|error| Problem {
            place: place(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            value: None,
            rule: format!("this is not TOML: {}", error.message()),
        }));
        return Written::new();
    }
    let mut written = Written::new();
    for (section, content) in document.get_ref() {
        let name = section.get_ref().as_ref();
        match content.get_ref() {
            DeValue::Table(table) if keys::is_section(name) => {
                take_section(name, table, &place, &mut written, problems);
            }
            DeValue::Table(_) => {
                let near = nearest::section(name).map(|near| format!("; did you mean [{near}]?"));
                problems.push(unknown(place(section.span().start), format!("[{name}]"), "section", near));
            }
            _ => {
                let near = nearest::key(name).and_then(|near| near.split_once('.'));
                let near = near.map(|(section, key)| format!("; did you mean {key} in [{section}]?"));
                problems.push(unknown(
                    place(section.span().start),
                    name.to_owned(),
                    "key outside of all sections",
                    near,
                ));
            }
        }
    }
    written
}

fn take_section(
    section: &str,
    table: &DeTable<'_>,
    place: &dyn Fn(usize) -> Place,
    written: &mut Written,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in table {
        let name = format!("{section}.{}", key.get_ref());
        match keys::find(&name) {
            Some(known) => {
                // The line of the key: a multi-line value may begin further down.
                let mut node = Node::from_toml(value.get_ref(), value.span().start, place);
                node.place = place(key.span().start);
                written.insert(known.name, node);
            }
            None => {
                let near = nearest::key(&name).map(|near| format!("; did you mean {near}?"));
                problems.push(unknown(place(key.span().start), name, "key", near));
            }
        }
    }
}

/// The refusal of a name that nobody knows.
pub fn unknown(place: Place, key: String, what: &str, near: Option<String>) -> Problem {
    Problem { place, key, value: None, rule: format!("unknown {what}{}", near.unwrap_or_default()) }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}
