//! `[tokens]`: the keys that room tokens are checked with, wherever they are kept.

use std::path::Path;

use super::reader::Reader;
use super::rules;
use super::secret::Secret;
use crate::tokens::{Key, Tokens, keys_of_jwks, keys_of_pem};

/// The longest file of keys that is read, in bytes.
const LONGEST_FILE: u64 = 256 * 1024;

/// What tokens are checked by; none where no key is configured.
pub fn tokens(reader: &mut Reader) -> Option<Option<Tokens>> {
    let secret = reader.text("tokens.secret", |text| match text {
        "" => Ok(None),
        text => Key::of_secret(text).map(|key| Some((key, Secret::new(text)))),
    });
    let files = reader.texts("tokens.keys", |text| {
        rules::path(text)?.map_or_else(|| Ok(Vec::new()), |path| keys(&path, keys_of_pem))
    });
    let set = reader.text("tokens.jwks", |text| match text {
        text if text.contains("://") => url(text).map(|()| (Some(text.to_owned()), Vec::new())),
        text => {
            let found = rules::path(text)?.map_or_else(|| Ok(Vec::new()), |path| keys(&path, keys_of_jwks));
            found.map(|keys| (None, keys))
        }
    });
    let optional = |text: &str| Ok(Some(text.to_owned()).filter(|text| !text.is_empty()));
    let issuer = reader.text("tokens.issuer", optional);
    let audience = reader.text("tokens.audience", optional);
    let (secret_key, secret) = secret?.unzip();
    let (url, published) = set?;
    let keys: Vec<Key> = secret_key.into_iter().chain(files?.into_iter().flatten()).chain(published).collect();
    let (issuer, audience) = (issuer?, audience?);
    if keys.is_empty() && url.is_none() {
        let alone =
            [("tokens.issuer", &issuer), ("tokens.audience", &audience)].into_iter().find(|(_, value)| value.is_some());
        if let Some((key, _)) = alone {
            let node = reader.node(key);
            reader.refuse(key, &node, "needs a key that tokens are checked with: keys, secret or jwks of [tokens]");
            return None;
        }
        return Some(None);
    }
    Some(Some(Tokens { keys, url, fetched: Vec::new(), secret, issuer, audience }))
}

/// Whoever could change the keys on their way could sign tokens.
fn url(text: &str) -> Result<(), String> {
    let is_here = |rest: &str| {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| host == *name || host.starts_with(&format!("{name}:")))
    };
    match text.split_once("://") {
        Some(("https", rest)) if !rest.is_empty() => Ok(()),
        Some(("http", rest)) if is_here(rest) => Ok(()),
        _ => Err("must be a file, or an https:// URL; http:// only to this host itself".to_owned()),
    }
}

fn keys(path: &Path, read: impl Fn(&str) -> Result<Vec<Key>, String>) -> Result<Vec<Key>, String> {
    let fault = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(|error| fault(&error))?.len();
    if size > LONGEST_FILE {
        return Err(fault(&format!("it has {size} bytes, more than any file of keys")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
    read(&text).map_err(|rule| format!("{} {rule}", path.display()))
}
