//! Tokens that count and those that do not, for each algorithm and each claim.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a secret of more than 16 bytes";
const NOW: u64 = 1_795_176_000;
const RSA: [&str; 2] = [include_str!("tests/rsa.pem"), include_str!("tests/rsa.pub.pem")];
const EC: [&str; 2] = [include_str!("tests/ec.pem"), include_str!("tests/ec.pub.pem")];
const ED: [&str; 2] = [include_str!("tests/ed.pem"), include_str!("tests/ed.pub.pem")];

fn tokens(keys: Vec<Key>) -> Tokens {
    Tokens { keys, ..Tokens::default() }
}

fn by_secret() -> Tokens {
    tokens(vec![Key::of_secret(SECRET).unwrap()])
}

fn signed(claims: &Value) -> String {
    Signer::of_secret(&Secret::new(SECRET)).sign(claims).unwrap()
}

/// A token of any header; the signature is a secret's.
fn forged(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn invalid(tokens: &Tokens, token: &str) -> &'static str {
    match tokens.verify(NOW, token) {
        Err(TokenError::Invalid(why)) => why,
        Err(TokenError::Stranger) => "stranger",
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_algorithm_checks_what_its_key_signed() {
    let claims = json!({"exp": NOW + 60, "sub": "ana", "room": "r"});
    let all: Vec<Key> = [RSA, EC, ED].iter().flat_map(|[_, public]| keys_of_pem(public).unwrap()).collect();
    let all = tokens(all);
    for [private, public] in [RSA, EC, ED] {
        let token = Signer::of_pem(private).unwrap().sign(&claims).unwrap();
        for keys in [tokens(keys_of_pem(public).unwrap()), all.clone()] {
            let read = keys.verify(NOW, &token).unwrap();
            assert_eq!((read.identity.as_deref(), read.room.as_deref()), (Some("ana"), Some("r")));
        }
        assert_eq!(invalid(&by_secret(), &token), "stranger");
    }
    assert!(by_secret().verify(NOW, &signed(&claims)).is_ok());
    let several = keys_of_pem(&format!("# ours\n{}\n{}", RSA[1], EC[1])).unwrap();
    assert_eq!(several.iter().map(Key::algorithm).collect::<Vec<_>>(), [Algorithm::RS256, Algorithm::ES256]);
}

#[test]
fn a_public_key_is_no_secret_and_no_algorithm_is_none() {
    let claims = json!({"exp": NOW + 60, "room": "*", "grants": ["moderate"]});
    let keys = tokens(keys_of_pem(RSA[1]).unwrap());
    let by_public_key = forged(&json!({"alg":"HS256"}), &claims, RSA[1].as_bytes());
    assert_eq!(invalid(&keys, &by_public_key), "stranger");
    for header in [
        json!({"alg":"none"}),
        json!({"alg":"None"}),
        json!({"alg":"HS384"}),
        json!({"alg":"RS512"}),
        json!({"alg":""}),
        json!({}),
        json!({"alg":"HS256","crit":["b64"],"b64":false}),
    ] {
        invalid(&by_secret(), &forged(&header, &claims, SECRET.as_bytes()));
    }
    let unsigned = forged(&json!({"alg":"none"}), &claims, b"");
    invalid(&by_secret(), &format!("{}.", unsigned.rsplit_once('.').unwrap().0));
    let bare = signed(&claims);
    invalid(&by_secret(), &format!("{}.", bare.rsplit_once('.').unwrap().0));
}

#[test]
fn a_token_counts_from_nbf_to_exp_with_five_seconds_of_leeway() {
    let keys = by_secret();
    let at = |claims: Value, now: u64| keys.verify(now, &signed(&claims)).map(|_| ());
    assert_eq!(at(json!({"exp": NOW}), NOW + 5), Ok(()));
    assert_eq!(at(json!({"exp": NOW}), NOW + 6), Err(TokenError::Expired));
    assert_eq!(at(json!({"exp": NOW as f64 + 0.5}), NOW + 6), Err(TokenError::Expired));
    assert_eq!(at(json!({"exp": NOW + 60, "nbf": NOW + 5}), NOW), Ok(()));
    let early = TokenError::Invalid("the token is not valid yet; compare the clocks");
    assert_eq!(at(json!({"exp": NOW + 60, "nbf": NOW + 6}), NOW), Err(early));
    assert_eq!(at(json!({"room": "r"}), NOW), Err(TokenError::Invalid("the token has no exp")));
    let wrong = TokenError::Invalid("a claim of the token has the wrong type");
    assert_eq!(at(json!({"exp": (NOW + 60).to_string()}), NOW), Err(wrong));
    assert_eq!(at(json!({"exp": NOW + 60, "grants": "publish"}), NOW), Err(wrong));
    assert_eq!(at(json!({"exp": NOW + 60, "room": 7}), NOW), Err(wrong));
}

#[test]
fn issuer_and_audience_are_checked_where_they_are_configured() {
    let keys = Tokens { issuer: Some("us".into()), audience: Some("calls".into()), ..by_secret() };
    let verdict = |claims: Value| keys.verify(NOW, &signed(&claims)).is_ok();
    assert!(verdict(json!({"exp": NOW, "iss": "us", "aud": "calls"})));
    assert!(verdict(json!({"exp": NOW, "iss": "us", "aud": ["mail", "calls"]})));
    for claims in [
        json!({"exp": NOW, "iss": "them", "aud": "calls"}),
        json!({"exp": NOW, "aud": "calls"}),
        json!({"exp": NOW, "iss": "us"}),
        json!({"exp": NOW, "iss": "us", "aud": []}),
        json!({"exp": NOW, "iss": "us", "aud": ["mail"]}),
    ] {
        assert!(!verdict(claims.clone()), "{claims}");
    }
    assert!(by_secret().verify(NOW, &signed(&json!({"exp": NOW, "iss": "them", "aud": "mail"}))).is_ok());
}

#[test]
fn what_is_granted_is_what_is_written_or_what_is_usual() {
    let keys = by_secret();
    let read = |claims: Value| keys.verify(NOW, &signed(&claims)).unwrap();
    let all = ["publish", "subscribe", "message", "moderate"];
    let granted = |claims: Value| all.map(|grant| read(claims.clone()).grants(grant));
    assert_eq!(granted(json!({"exp": NOW})), [true, true, true, false]);
    assert_eq!(granted(json!({"exp": NOW, "grants": ["moderate", "unheard of"]})), [false, false, false, true]);
    assert_eq!(granted(json!({"exp": NOW, "grants": []})), [false; 4]);
    let one = read(json!({"exp": NOW, "room": "r"}));
    assert!(one.opens("r") && !one.opens("R") && !one.opens("*"));
    assert!(read(json!({"exp": NOW, "room": "*"})).opens("r") && read(json!({"exp": NOW})).opens("r"));
}

#[test]
fn a_long_token_is_not_even_read() {
    let claims = json!({"exp": NOW, "name": "x".repeat(100_000)});
    assert_eq!(invalid(&by_secret(), &signed(&claims)), "the token is longer than 8 KiB");
}

#[test]
fn keys_of_a_set_are_found_by_their_kid_and_strangers_passed_over() {
    let jwk = |public: &str, id: &str, algorithm| {
        let key = keys_of_pem(public).unwrap().remove(0);
        let jwk = jsonwebtoken::jwk::Jwk::from_decoding_key(key.verifier(), algorithm).unwrap();
        let mut jwk = serde_json::to_value(&jwk).unwrap();
        jwk["kid"] = id.into();
        jwk
    };
    let set = json!({"keys": [jwk(RSA[1], "one", Some(Algorithm::RS256)), jwk(EC[1], "two", Some(Algorithm::ES256)), {"kty":"OKP","crv":"X25519","x":"AA"}]});
    let keys = keys_of_jwks(&set.to_string()).unwrap();
    assert_eq!(keys.iter().map(Key::id).collect::<Vec<_>>(), [Some("one"), Some("two")]);
    let keys = tokens(keys);
    let sign = |id: &str| {
        let mut header = jsonwebtoken::Header::new(Algorithm::ES256);
        header.kid = Some(id.into());
        let key = jsonwebtoken::EncodingKey::from_ec_pem(EC[0].as_bytes()).unwrap();
        jsonwebtoken::encode(&header, &json!({"exp": NOW}), &key).unwrap()
    };
    assert!(keys.verify(NOW, &sign("two")).is_ok());
    assert_eq!(invalid(&keys, &sign("three")), "stranger");
    for (text, rule) in [
        ("{}", "is no JSON Web Key Set"),
        ("nonsense", "is no JSON Web Key Set"),
        (r#"{"keys":[]}"#, "holds no key for RS256"),
    ] {
        assert!(keys_of_jwks(text).unwrap_err().starts_with(rule), "{text}");
    }
}

#[test]
fn what_is_no_key_says_what_to_do() {
    assert!(keys_of_pem(RSA[0]).unwrap_err().contains("openssl pkey -in FILE -pubout"));
    assert!(keys_of_pem("").unwrap_err().contains("BEGIN PUBLIC KEY"));
    let broken = EC[1].replace("MFk", "MFx");
    assert!(keys_of_pem(&broken).unwrap_err().contains("something else"));
    assert!(keys_of_pem(include_str!("tests/p384.pub.pem")).unwrap_err().contains("P-256"));
    assert!(keys_of_pem(include_str!("tests/rsa1024.pub.pem")).unwrap_err().contains("2048"));
    assert!(Key::of_secret("short").unwrap_err().contains("has 5"));
    let shown = format!("{:?}", Key::of_secret(SECRET).unwrap());
    assert!(!shown.contains("secret of"), "{shown}");
}

proptest! {
    #[test]
    fn nothing_but_what_was_signed_is_taken(place in 0_usize..200, change in 1_u8..=255, noise in ".{0,200}") {
        let token = signed(&json!({"exp": NOW, "sub": "ana", "room": "r", "grants": ["publish"]}));
        let mut bytes = token.clone().into_bytes();
        let place = place % bytes.len();
        bytes[place] ^= change;
        if let Ok(text) = String::from_utf8(bytes) {
            let verdict = by_secret().verify(NOW, &text);
            // The last letter of a part has bits that mean nothing.
            prop_assert!(verdict.is_err() || place + 1 == token.len(), "{text}");
        }
        prop_assert!(by_secret().verify(NOW, &noise).is_err());
    }
}
