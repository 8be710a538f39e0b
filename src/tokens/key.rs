//! Keys that tokens are checked with, each bound to one algorithm: whoever has a public key cannot use it as a secret.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::config::Secret;

/// The shortest secret for HS256, in bytes.
const SHORTEST_SECRET: usize = 16;
/// A point of P-256, uncompressed (SEC 1 §2.3.3).
const P256_POINT: usize = 65;
/// Less than any public key of 2048 bits by RSA takes as DER.
const RSA_2048: usize = 256;

/// One key.
#[derive(Clone)]
pub struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    verifier: DecodingKey,
    /// What it was read from, to see whether it has changed.
    source: Secret,
}

impl Key {
    /// A shared secret.
    ///
    /// # Errors
    /// A rule for people, when it is too short.
    pub fn of_secret(secret: &str) -> Result<Self, String> {
        if secret.len() < SHORTEST_SECRET {
            let length = secret.len();
            return Err(format!(
                "a secret for tokens must have {SHORTEST_SECRET} bytes or more, this one has {length}; \
                 `openssl rand -base64 32` makes one"
            ));
        }
        let verifier = DecodingKey::from_secret(secret.as_bytes());
        Ok(Self { id: None, algorithm: Algorithm::HS256, verifier, source: Secret::new(secret) })
    }

    /// Its `kid`.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The only algorithm that it checks.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn verifier(&self) -> &DecodingKey {
        &self.verifier
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.algorithm == other.algorithm && self.source == other.source
    }
}

impl Eq for Key {}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The public keys of a PEM file, one or several.
///
/// # Errors
/// A rule for people, when there is none, or one that no token can be checked with.
pub fn keys_of_pem(text: &str) -> Result<Vec<Key>, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err("holds a private key, which is for whoever issues tokens; put its public key there: \
                    `openssl pkey -in FILE -pubout`"
            .to_owned());
    }
    let blocks = text.split_inclusive("-----END").collect::<Vec<_>>();
    let mut keys = Vec::new();
    for (begin, end) in blocks.iter().zip(blocks.iter().skip(1)) {
        let Some(start) = begin.find("-----BEGIN") else { continue };
        let end = end.split_inclusive('\n').next().unwrap_or_default();
        keys.push(key_of_block(&format!("{}{end}", &begin[start..]))?);
    }
    if keys.is_empty() {
        return Err("holds no public key in PEM, which begins with -----BEGIN PUBLIC KEY-----".to_owned());
    }
    Ok(keys)
}

fn key_of_block(pem: &str) -> Result<Key, String> {
    let bytes = pem.as_bytes();
    let kinds = [
        (DecodingKey::from_ec_pem(bytes), Algorithm::ES256),
        (DecodingKey::from_ed_pem(bytes), Algorithm::EdDSA),
        (DecodingKey::from_rsa_pem(bytes), Algorithm::RS256),
    ];
    let found = kinds.into_iter().find_map(|(key, algorithm)| Some((key.ok()?, algorithm)));
    let Some((verifier, algorithm)) = found else {
        return Err("holds something else than public keys by RSA, P-256 or Ed25519 in PEM".to_owned());
    };
    let size = verifier.try_get_as_bytes().map_or(0, <[u8]>::len);
    match algorithm {
        Algorithm::ES256 if size != P256_POINT => Err("holds a key of another curve than P-256".to_owned()),
        Algorithm::RS256 if size < RSA_2048 => Err("holds an RSA key of less than 2048 bits".to_owned()),
        _ => Ok(Key { id: None, algorithm, verifier, source: Secret::new(pem) }),
    }
}

/// The keys of a JSON Web Key Set (RFC 7517 §5) that tokens can be checked with; others in it are passed over, as §5 says.
///
/// # Errors
/// A rule for people, when it is no set, or there is none that serves.
pub fn keys_of_jwks(text: &str) -> Result<Vec<Key>, String> {
    let set: JwkSet = serde_json::from_str(text)
        .map_err(|_| "is no JSON Web Key Set, which is an object with \"keys\" (RFC 7517)".to_owned())?;
    let keys: Vec<Key> = set.keys.iter().filter_map(key_of_jwk).collect();
    if keys.is_empty() {
        return Err("holds no key for RS256, ES256, EdDSA or HS256 signatures".to_owned());
    }
    Ok(keys)
}

fn key_of_jwk(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return None,
    };
    let named = match jwk.common.key_algorithm {
        None => Some(algorithm),
        Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
        Some(KeyAlgorithm::ES256) => Some(Algorithm::ES256),
        Some(KeyAlgorithm::EdDSA) => Some(Algorithm::EdDSA),
        Some(KeyAlgorithm::HS256) => Some(Algorithm::HS256),
        Some(_) => None,
    };
    let verifier = DecodingKey::from_jwk(jwk).ok().filter(|_| named == Some(algorithm))?;
    let source = Secret::new(serde_json::to_string(jwk).unwrap_or_default());
    Some(Key { id: jwk.common.key_id.clone(), algorithm, verifier, source })
}
