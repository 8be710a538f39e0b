//! Making tokens, for tests and for sites whose application does not.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use crate::config::Secret;

/// What a token is to say. What is absent is left out of it.
#[derive(Debug, Default, Serialize)]
pub struct Order {
    /// When it ends, in seconds since 1970.
    pub exp: u64,
    /// The room, or `*`.
    pub room: String,
    /// The identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// What others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<String>>,
    /// The issuer that this server asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The audience that this server asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
}

/// What signs tokens.
pub struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    /// By a shared secret: HS256.
    pub fn of_secret(secret: &Secret) -> Self {
        Self { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret.expose().as_bytes()) }
    }

    /// By a private key in PEM (PKCS #8, or PKCS #1 for RSA): RS256, ES256 or EdDSA, as the key is.
    ///
    /// # Errors
    /// A rule for people, when it is none.
    pub fn of_pem(pem: &str) -> Result<Self, String> {
        if pem.contains("-----BEGIN EC PRIVATE KEY-----") {
            return Err(
                "is in the format SEC 1; `openssl pkcs8 -topk8 -nodes -in FILE` makes one that can be read".to_owned()
            );
        }
        let bytes = pem.as_bytes();
        let kinds = [
            (EncodingKey::from_ec_pem(bytes), Algorithm::ES256),
            (EncodingKey::from_ed_pem(bytes), Algorithm::EdDSA),
            (EncodingKey::from_rsa_pem(bytes), Algorithm::RS256),
        ];
        let found = kinds.into_iter().find_map(|(key, algorithm)| Some(Self { algorithm, key: key.ok()? }));
        found.ok_or_else(|| "is no private key by RSA, P-256 or Ed25519 in PEM".to_owned())
    }

    /// The token.
    ///
    /// # Errors
    /// When the key turns out to be unfit, an RSA key of less than 2048 bits for one.
    pub fn sign(&self, order: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        encode(&Header::new(self.algorithm), order, &self.key)
    }
}
