//! `[auth] users`: names, each with a password or with the key that it becomes.

use std::collections::HashMap;

use roundturn_turn::StaticUser;

use super::keys::Form;
use super::reader::Reader;
use super::value::{Node, Value};

/// The longest USERNAME (RFC 8489 §14.3), in bytes.
const LONGEST_USERNAME: usize = 508;

/// What a user's key looks like.
const KEY_RULE: &str = "must be { key = \"0x…\" } with 32 (MD5) or 64 (SHA-256) hexadecimal digits";

/// The static users; every one that breaks a rule is refused.
pub fn users(reader: &mut Reader) -> Option<HashMap<String, StaticUser>> {
    let node = reader.node("auth.users");
    let Value::Table(entries) = &node.value else { return None };
    // What has another form was refused as it was read.
    if !Form::Users.fits(&node.value) {
        return None;
    }
    let mut users = HashMap::new();
    for (name, entry) in entries {
        match named(name).and_then(|()| proof(&entry.value)) {
            Ok(user) => drop(users.insert(name.clone(), user)),
            Err(rule) => reader.refuse(&format!("auth.users.{name}"), entry, rule),
        }
    }
    (users.len() == entries.len()).then_some(users)
}

fn named(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > LONGEST_USERNAME {
        Err("a user's name must be 1 to 508 bytes")
    } else if name.contains(':') {
        Err("a user's name must not contain a colon: such names are credentials with an expiry")
    } else if name.chars().all(|c| c.is_ascii_digit()) {
        Err("a user's name must not be a number: such names are credentials with an expiry")
    } else {
        Ok(())
    }
}

fn proof(value: &Value) -> Result<StaticUser, &'static str> {
    let fields = match value {
        Value::Text(password) if password.is_empty() => return Err("the password must not be empty"),
        Value::Text(password) => return Ok(StaticUser::Password(password.clone())),
        Value::Table(fields) => fields,
        _ => return Err(KEY_RULE),
    };
    let [(field, Node { value: Value::Text(key), .. })] = fields.as_slice() else { return Err(KEY_RULE) };
    let digits = key.strip_prefix("0x").filter(|_| field == "key").ok_or(KEY_RULE)?;
    match digits.len() {
        32 => bytes(digits).map(StaticUser::Md5Key),
        64 => bytes(digits).map(StaticUser::Sha256Key),
        _ => None,
    }
    .ok_or(KEY_RULE)
}

/// `N` bytes from as many pairs of hexadecimal digits.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        *byte = (digit(0)? << 4 | digit(1)?) as u8;
    }
    Some(bytes)
}
