//! Reads keys by their form, falls back to their defaults, and collects every refusal.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::file::Written;
use super::keys::{self, KEYS};
use super::problem::Problem;
use super::value::{Node, Place, Value};

/// What was written, and what is wrong with it so far. A read gives `None` where it refused.
pub struct Reader {
    written: Written,
    problems: Vec<Problem>,
}

impl Reader {
    /// Checks the forms, and that keys which this version does not act on are left alone.
    pub fn new(written: Written, problems: Vec<Problem>) -> Self {
        let mut reader = Self { written, problems };
        for key in KEYS {
            let Some(node) = reader.written.get(key.name).cloned() else { continue };
            if !key.form.fits(&node.value) {
                let rule = format!("{}. {} The default is {}", key.form.words(), key.doc, key.default);
                reader.refuse(key.name, &node, rule);
            } else if !key.available && node.value.to_string() != default_of(key.name).value.to_string() {
                let rule = format!("not available in this version; leave it out (the default is {})", key.default);
                reader.refuse(key.name, &node, rule);
            }
        }
        reader
    }

    /// The key's value, or its default.
    pub fn node(&self, key: &'static str) -> Node {
        self.written.get(key).cloned().unwrap_or_else(|| default_of(key))
    }

    /// Every key that was written.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// The elements of a list, or the one text.
    pub fn items(&self, key: &'static str) -> Vec<Node> {
        let node = self.node(key);
        match node.value {
            Value::List(items) => items,
            _ => vec![node],
        }
    }

    /// Refuses a value.
    pub fn refuse(&mut self, key: &str, node: &Node, rule: impl Into<String>) {
        let hidden = keys::find(key).is_none_or(keys::Key::is_secret);
        let value = (!hidden).then(|| node.value.to_string());
        self.problems.push(Problem { place: node.place.clone(), key: key.to_owned(), value, rule: rule.into() });
    }

    /// A text that obeys `rule`.
    pub fn text<T>(&mut self, key: &'static str, rule: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let node = self.node(key);
        self.judge(key, &node, rule)
    }

    /// Texts that each obey `rule`; every one that does not is refused.
    pub fn texts<T>(&mut self, key: &'static str, rule: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let decided: Vec<_> = self.items(key).iter().map(|item| self.judge(key, item, &rule)).collect();
        decided.into_iter().collect()
    }

    /// A number in a range.
    pub fn number<T: TryFrom<i64>>(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        let node = self.node(key);
        let Value::Number(number) = node.value else { return None };
        let decided = range.contains(&number).then(|| T::try_from(number).ok()).flatten();
        if decided.is_none() {
            self.refuse(key, &node, format!("must be from {} to {}", range.start(), range.end()));
        }
        decided
    }

    /// True or false.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.node(key).value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// Everything refused, in the order of its places.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }

    fn judge<T>(&mut self, key: &str, node: &Node, rule: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let Value::Text(text) = &node.value else { return None };
        rule(text).map_err(|rule| self.refuse(key, node, rule)).ok()
    }
}

/// The default of a known key.
pub fn default_of(name: &str) -> Node {
    let default = keys::find(name).and_then(|key| DeValue::parse(key.default).ok());
    match default {
        Some(value) => Node::from_toml(value.get_ref(), 0, &|_| Place::Default),
        None => Node { value: Value::Other(String::new()), place: Place::Default },
    }
}
