//! Values as written, each with the place where it was written.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeValue;

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// What.
    pub value: Value,
    /// Where.
    pub place: Place,
}

/// A value as written.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A TOML date and time.
    Moment(String),
    /// What no key takes: a fraction, or a number beyond 64 bits.
    Other(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Vec<(String, Node)>),
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file, at a line counted from 1.
    File(Arc<Path>, usize),
    /// In an environment variable.
    Variable(String),
    /// Nowhere.
    Default,
}

impl Node {
    /// Takes a parsed TOML value over; `place` tells where a byte offset of the source is.
    pub fn from_toml(value: &DeValue<'_>, offset: usize, place: &dyn Fn(usize) -> Place) -> Self {
        let node = |value: &toml::Spanned<DeValue<'_>>| Self::from_toml(value.get_ref(), value.span().start, place);
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                i64::from_str_radix(&digits, number.radix()).map_or(Value::Other(digits), Value::Number)
            }
            DeValue::Float(number) => Value::Other(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(moment) => Value::Moment(moment.to_string()),
            DeValue::Array(items) => Value::List(items.iter().map(node).collect()),
            DeValue::Table(table) => {
                Value::Table(table.iter().map(|(name, value)| (name.get_ref().to_string(), node(value))).collect())
            }
        };
        Self { value, place: place(offset) }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Moment(text) | Self::Other(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, item.value)?;
                }
                f.write_str("]")
            }
            Self::Table(entries) => {
                f.write_str("{")?;
                for (index, (name, node)) in entries.iter().enumerate() {
                    write!(f, "{} {name} = {}", if index == 0 { "" } else { "," }, node.value)?;
                }
                f.write_str(if entries.is_empty() { "}" } else { " }" })
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, line) => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}
