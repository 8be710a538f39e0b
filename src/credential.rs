//! Time-limited TURN credentials (draft-uberti-behave-turn-rest): made from a shared secret and nothing else.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// A user name that ends, and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// `expiry:name`, or the bare expiry.
    pub username: String,
    /// base64 of HMAC-SHA1 over the user name.
    pub password: String,
}

/// Makes credentials that are good until `expires` (seconds since 1970).
pub fn mint(secret: &[u8], expires: u64, name: Option<&str>) -> Minted {
    let username = match name {
        Some(name) => format!("{expires}:{name}"),
        None => expires.to_string(),
    };
    let password = match Hmac::<Sha1>::new_from_slice(secret) {
        Ok(mac) => {
            base64::engine::general_purpose::STANDARD.encode(mac.chain_update(&username).finalize().into_bytes())
        }
        // HMAC takes keys of every length.
        Err(_) => String::new(),
    };
    Minted { username, password }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_openssl() {
        // printf %s 1795176000:alice | openssl dgst -sha1 -hmac north-remembers!! -binary | base64
        let minted = mint(b"north-remembers!!", 1_795_176_000, Some("alice"));
        assert_eq!(minted.username, "1795176000:alice");
        assert_eq!(minted.password, "Tv+iaaNg8KrsJMbmJyvMr0Qu2BM=");
        assert_eq!(mint(b"north-remembers!!", 1_795_176_000, None).username, "1795176000");
    }
}
