//! `[auth]`: the secrets, wherever they are kept.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base64::Engine as _;
use roundturn_turn::Validity;

use super::keys::SECRET_FIELDS;
use super::nearest;
use super::reader::Reader;
use super::rules;
use super::secret::Secret;
use super::settings::NamedSecret;
use super::value::{Node, Value};

/// The shortest secret, in bytes.
const SHORTEST: usize = 16;
/// The longest secret file that is read, in bytes.
const LONGEST_FILE: u64 = 4096;

/// The configured secrets, newest first; empty where there are none. `credentials` is systemd's credential directory,
/// which serves when the configuration names no secret.
pub fn secrets(reader: &mut Reader, credentials: Option<&Path>) -> Option<Vec<NamedSecret>> {
    let inline = reader.text("auth.secret", |text| Ok(text.to_owned()))?;
    let file = reader.text("auth.secret_file", rules::path)?;
    let list = reader.node("auth.secrets");
    let Value::List(entries) = &list.value else { return None };
    let several =
        [!inline.is_empty(), file.is_some(), !entries.is_empty()].into_iter().filter(|given| *given).count() > 1;
    if several {
        let key = if entries.is_empty() { "auth.secret_file" } else { "auth.secrets" };
        let node = reader.node(key);
        reader.refuse(key, &node, "only one of secret, secret_file and secrets may be set; remove the others");
        return None;
    }
    if !inline.is_empty() {
        let node = reader.node("auth.secret");
        return one(reader, "auth.secret", &node, "secret", inline);
    }
    if !entries.is_empty() {
        return named(reader, entries);
    }
    let node = reader.node("auth.secret_file");
    let found = credentials.map(|directory| directory.join("auth-secret")).filter(|path| path.exists());
    let Some(path) = file.or(found) else { return Some(Vec::new()) };
    match read(&path) {
        Ok(text) => one(reader, "auth.secret_file", &node, "file", text),
        Err(rule) => {
            reader.refuse("auth.secret_file", &node, rule);
            None
        }
    }
}

/// A random secret of 32 bytes.
pub fn random() -> Result<NamedSecret, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let value = base64::engine::general_purpose::STANDARD.encode(bytes);
    Ok(NamedSecret { name: "random".to_owned(), value: Secret::new(value), validity: Validity::default() })
}

fn one(reader: &mut Reader, key: &str, node: &Node, name: &str, value: String) -> Option<Vec<NamedSecret>> {
    let value = long_enough(value).map_err(|rule| reader.refuse(key, node, rule)).ok()?;
    Some(vec![NamedSecret { name: name.to_owned(), value, validity: Validity::default() }])
}

fn long_enough(value: String) -> Result<Secret, String> {
    if value.len() < SHORTEST {
        let length = value.len();
        return Err(format!(
            "a secret must have {SHORTEST} bytes or more, this one has {length}; `openssl rand -base64 32` makes one"
        ));
    }
    Ok(Secret::new(value))
}

fn named(reader: &mut Reader, entries: &[Node]) -> Option<Vec<NamedSecret>> {
    let decided: Vec<_> = entries.iter().enumerate().map(|(index, entry)| entry_of(reader, index, entry)).collect();
    let secrets: Vec<NamedSecret> = decided.into_iter().collect::<Option<_>>()?;
    for (index, secret) in secrets.iter().enumerate() {
        if secrets.iter().take(index).any(|other| other.name == secret.name) {
            let key = format!("auth.secrets[{index}].name");
            reader.refuse(&key, &entries[index], "two secrets must not have the same name");
            return None;
        }
    }
    Some(secrets)
}

fn entry_of(reader: &mut Reader, index: usize, entry: &Node) -> Option<NamedSecret> {
    let at = |field: &str| format!("auth.secrets[{index}].{field}");
    let Value::Table(fields) = &entry.value else {
        reader.refuse(
            &format!("auth.secrets[{index}]"),
            entry,
            "must be a table with name, value, and perhaps not_before and not_after",
        );
        return None;
    };
    let (mut name, mut value, mut validity, mut refused) = (None, None, Validity::default(), false);
    for (field, node) in fields {
        let refusal = match (field.as_str(), &node.value) {
            ("name", Value::Text(text)) if !text.is_empty() => {
                name = Some(text.clone());
                continue;
            }
            ("value", Value::Text(text)) => match long_enough(text.clone()) {
                Ok(secret) => {
                    value = Some(secret);
                    continue;
                }
                Err(rule) => rule,
            },
            ("not_before" | "not_after", moment) => match unix_seconds(moment) {
                Some(seconds) => {
                    let end = if field == "not_after" { &mut validity.not_after } else { &mut validity.not_before };
                    *end = Some(seconds);
                    continue;
                }
                None => "must be a time like \"2027-01-01T00:00:00Z\", or seconds since 1970".to_owned(),
            },
            ("name" | "value", _) => "must be a text in quotes, and not empty".to_owned(),
            (field, _) => match nearest::nearest(field, SECRET_FIELDS.into_iter()) {
                Some(near) => format!("unknown field; did you mean {near}?"),
                None => format!("unknown field; a secret has {}", SECRET_FIELDS.join(", ")),
            },
        };
        refused = true;
        reader.refuse(&at(field), node, refusal);
    }
    if !refused && (name.is_none() || value.is_none()) {
        reader.refuse(&format!("auth.secrets[{index}]"), entry, "must have a name and a value");
    }
    if let Validity { not_before: Some(begin), not_after: Some(end) } = validity
        && begin >= end
    {
        refused = true;
        reader.refuse(&at("not_before"), entry, "must be before not_after: such a secret is never accepted");
    }
    Some(NamedSecret { name: name?, value: value?, validity }).filter(|_| !refused)
}

/// Reads a secret file without its last line break.
fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if !metadata.is_file() || metadata.len() > LONGEST_FILE {
        return Err(format!("{shown} must be a file of at most {LONGEST_FILE} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        let (owner, group, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        format!(
            "{shown} cannot be read: {error}; it belongs to user {owner}, group {group}, with mode {mode:04o}{}",
            std::fs::metadata("/proc/self")
                .map(|own| format!(", and this process is user {}", own.uid()))
                .unwrap_or_default()
        )
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// RFC 3339, or seconds since 1970.
fn unix_seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(seconds) => u64::try_from(*seconds).ok(),
        Value::Text(text) | Value::Moment(text) => text.parse().ok().or_else(|| crate::moment::unix_seconds(text)),
        _ => None,
    }
}
