//! Room tokens (JWT, RFC 7519): who somebody is, which room it may join, and what it may do there. Pure: a token and the
//! time in, claims out.
//!
//! ```text
//!  header.payload.signature
//!     │       │       └─ by one of the keys whose algorithm the header names, and whose `kid`, where both have one
//!     │       └─ exp, nbf, iss, aud: when and where it counts; the rest: what it grants
//!     └─ alg says which keys are tried, never how: a key is bound to its algorithm when it is read
//! ```

mod key;
mod mint;
#[cfg(test)]
mod tests;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::config::Secret;
pub use key::{Key, keys_of_jwks, keys_of_pem};
pub use mint::{Order, Signer};

/// The longest token that is read, in bytes.
pub const LONGEST: usize = 8 * 1024;
/// How far the issuer's clock may be from ours, in seconds.
const LEEWAY_SECS: f64 = 5.0;
/// The room of a token that is good for every room.
const EVERY_ROOM: &str = "*";

/// What tokens are checked by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The keys, of which one must have signed.
    pub keys: Vec<Key>,
    /// Where more keys are published.
    pub url: Option<String>,
    /// The keys that were fetched from there.
    pub fetched: Vec<Key>,
    /// The shared secret among the keys, which also signs.
    pub secret: Option<Secret>,
    /// The issuer that tokens must name.
    pub issuer: Option<String>,
    /// The audience that must be among those that tokens name.
    pub audience: Option<String>,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// None of the keys signed it; one that is not fetched yet may have.
    #[error("the token is signed by none of the keys of [tokens]")]
    Stranger,
    /// It is no token of ours.
    #[error("{0}")]
    Invalid(&'static str),
}

/// What a token says of whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The identity, `sub`.
    pub identity: Option<String>,
    /// The only room that it is good for; `None`: every room.
    pub room: Option<String>,
    /// What others see.
    pub name: Option<String>,
    /// What it may do, as written; `None`: what is usual.
    pub grants: Option<Vec<String>>,
    /// The most participants of a room that is made with it.
    pub max_participants: Option<u32>,
    /// How long a room that is made with it may live, in seconds.
    pub ttl_seconds: Option<u64>,
}

impl Claims {
    /// Whether it is good for the room of this name.
    pub fn opens(&self, room: &str) -> bool {
        self.room.as_deref().is_none_or(|only| only == room)
    }

    /// Whether it grants this.
    pub fn grants(&self, grant: &str) -> bool {
        match &self.grants {
            Some(grants) => grants.iter().any(|given| given == grant),
            None => ["publish", "subscribe", "message"].contains(&grant),
        }
    }
}

/// The payload as written (RFC 7519 §4.1, and our own claims).
#[derive(Deserialize)]
struct Payload {
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    room: Option<String>,
    name: Option<String>,
    grants: Option<Vec<String>>,
    max_participants: Option<u32>,
    ttl_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Tokens {
    /// Checks a token at `unix_secs` seconds since 1970.
    ///
    /// # Errors
    /// Whatever it lacks, in words for whoever issues tokens; they tell nothing of the keys.
    pub fn verify(&self, unix_secs: u64, token: &str) -> Result<Claims, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Invalid("the token is longer than 8 KiB"));
        }
        let payload = self.signed(token)?;
        let now = unix_secs as f64;
        let expires = payload.exp.ok_or(TokenError::Invalid("the token has no exp"))?;
        if now > expires + LEEWAY_SECS {
            return Err(TokenError::Expired);
        }
        if payload.nbf.is_some_and(|begins| now + LEEWAY_SECS < begins) {
            return Err(TokenError::Invalid("the token is not valid yet; compare the clocks"));
        }
        if self.issuer.is_some() && payload.iss != self.issuer {
            return Err(TokenError::Invalid("the token is of another issuer than tokens.issuer"));
        }
        if self.audience.as_ref().is_some_and(|wanted| !payload.names_audience(wanted)) {
            return Err(TokenError::Invalid("the token is for another audience than tokens.audience"));
        }
        Ok(Claims {
            identity: payload.sub.filter(|identity| !identity.is_empty()),
            room: payload.room.filter(|room| room != EVERY_ROOM),
            name: payload.name,
            grants: payload.grants,
            max_participants: payload.max_participants,
            ttl_seconds: payload.ttl_seconds,
        })
    }

    /// The payload, if one of the keys signed it.
    fn signed(&self, token: &str) -> Result<Payload, TokenError> {
        let unreadable =
            TokenError::Invalid("that is no token: three parts with dots, signed RS256, ES256, EdDSA or HS256");
        let header = decode_header(token).map_err(|_| unreadable)?;
        if header.crit.is_some() {
            return Err(TokenError::Invalid("the token has extensions (crit) that this server does not know"));
        }
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA | Algorithm::HS256) {
            return Err(unreadable);
        }
        let bears = |key: &&Key| key.id().zip(header.kid.as_deref()).is_none_or(|(id, kid)| id == kid);
        let validation = signature_only(header.alg);
        let keys = self.keys.iter().chain(&self.fetched);
        let candidates = keys.filter(|key| key.algorithm() == header.alg).filter(bears);
        let mut signed =
            candidates.filter_map(|key| decode::<serde_json::Value>(token, key.verifier(), &validation).ok());
        let Some(data) = signed.next() else {
            return Err(TokenError::Stranger);
        };
        serde_json::from_value(data.claims).map_err(|_| TokenError::Invalid("a claim of the token has the wrong type"))
    }
}

impl Payload {
    fn names_audience(&self, wanted: &str) -> bool {
        match &self.aud {
            None => false,
            Some(Audience::One(audience)) => audience == wanted,
            Some(Audience::Several(audiences)) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// The library checks the signature, by this algorithm alone. The rest is ours, by a clock that tests own.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}
