//! Keys set by environment variables, `ROUNDTURN_SECTION__KEY`, over what the file says.

use toml::de::DeValue;

use super::file::{Written, unknown};
use super::keys::{self, Form, Key};
use super::nearest;
use super::problem::Problem;
use super::value::{Node, Place, Value};

/// This process's environment. Variables that are not UTF-8 are none of ours.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Takes every `ROUNDTURN_SECTION__KEY` over into `written`. Names without the double underscore are not ours to
/// judge: container platforms make some of their own from a service's name. But one that is a key's in all other respects
/// was meant.
pub fn overlay(env: &[(String, String)], written: &mut Written, problems: &mut Vec<Problem>) {
    for (variable, text) in env {
        let Some(rest) = variable.strip_prefix("ROUNDTURN_") else { continue };
        if !rest.contains("__") {
            let is_meant = |key: &&Key| key.variable().replace("__", "_") == *variable;
            if let Some(meant) = keys::KEYS.iter().find(is_meant) {
                let hint = Some(format!("; did you mean {}, with two underscores?", meant.variable()));
                problems.push(unknown(Place::Variable(variable.clone()), meant.name.to_owned(), "variable", hint));
            }
            continue;
        }
        let name = rest.replacen("__", ".", 1).to_ascii_lowercase();
        let place = Place::Variable(variable.clone());
        match keys::find(&name) {
            Some(key) if key.form == Form::Secret && text.is_empty() => problems.push(Problem {
                place,
                key: key.name.to_owned(),
                value: None,
                rule: "is empty; give the secret, or leave the variable out".to_owned(),
            }),
            Some(key) => {
                written.insert(key.name, value_of(key.form, text, &place));
            }
            None => {
                let near = nearest::key(&name).and_then(keys::find);
                let near = near.map(|near| format!("; did you mean {}?", near.variable()));
                problems.push(unknown(place, name, "key", near));
            }
        }
    }
}

/// Reads a variable by its key's form: texts are bare, lists are TOML or separated by commas.
fn value_of(form: Form, text: &str, place: &Place) -> Node {
    let toml = || DeValue::parse(text).ok().map(|value| Node::from_toml(value.get_ref(), 0, &|_| place.clone()));
    let bare = |text: &str| Node { value: Value::Text(text.to_owned()), place: place.clone() };
    let list = || toml().filter(|node| matches!(node.value, Value::List(_)));
    match form {
        Form::Text | Form::Secret => bare(text),
        Form::Texts | Form::SecretTexts => list().unwrap_or_else(|| {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(bare).collect();
            Node { value: Value::List(items), place: place.clone() }
        }),
        Form::TextOrTexts => list().unwrap_or_else(|| bare(text)),
        Form::Number | Form::Flag | Form::Users | Form::Secrets => toml().unwrap_or_else(|| bare(text)),
    }
}
