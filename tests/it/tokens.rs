//! Room tokens by keys that somebody else publishes, and changes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::program::Program;

const EC: &str = include_str!("../../src/tokens/tests/ec.pem");
const ED: &str = include_str!("../../src/tokens/tests/ed.pem");

#[test]
fn a_published_key_counts_once_it_is_fetched_and_until_it_is_replaced() {
    let issuer = Issuer::start();
    let program = Program::start(&format!("[tokens]\njwks = {:?}\n", issuer.url));
    let (old, new) = (Signing::ec("old"), Signing::ed("new"));
    // Nobody answers yet as a key set: a token is refused, and asked about again soon.
    program.says("tokens.jwks: ");
    assert_eq!(program.status("/api/rooms/nowhere", &old.token()), 401);
    issuer.publish(&[&old]);
    program.until(|| program.status("/api/rooms/nowhere", &old.token()) == 404);
    // A token of a key that is not known has the set fetched again.
    issuer.publish(&[&old, &new]);
    program.until(|| program.status("/api/rooms/nowhere", &new.token()) == 404);
    assert_eq!(program.status("/api/rooms/nowhere", &old.token()), 404);
    // While nothing useful is published, what was fetched counts; then the old one does not any more.
    issuer.publish(&[]);
    let stranger = Signing { id: "stranger", ..Signing::ec("") };
    assert_eq!(program.status("/api/rooms/nowhere", &stranger.token()), 401);
    program.says("holds no key for RS256");
    assert_eq!(program.status("/api/rooms/nowhere", &old.token()), 404);
    issuer.publish(&[&new]);
    program.until(|| {
        program.status("/api/rooms/nowhere", &stranger.token());
        program.status("/api/rooms/nowhere", &old.token()) == 401
    });
    assert_eq!(program.status("/api/rooms/nowhere", &new.token()), 404);
}

#[test]
fn a_key_that_is_added_by_sighup_counts_at_once() {
    let program = Program::start("");
    assert_eq!(program.status("/api/rooms/nowhere", "none"), 404, "open");
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tokens/tests/ec.pub.pem");
    program.reconfigure(&format!("[tokens]\nkeys = [{key:?}]\n"));
    program.says("changed: tokens.keys");
    program.until(|| program.status("/api/rooms/nowhere", "none") == 401);
    assert_eq!(program.status("/api/rooms/nowhere", &Signing::ec("").token()), 404);
}

/// A key pair.
struct Signing {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signing {
    fn ec(id: &'static str) -> Self {
        Self { id, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_pem(EC.as_bytes()).unwrap() }
    }

    fn ed(id: &'static str) -> Self {
        Self { id, algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_pem(ED.as_bytes()).unwrap() }
    }

    /// Good until the year 2100, for every room.
    fn token(&self) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, &json!({"exp": 4_102_444_800_u64}), &self.key).unwrap()
    }

    fn published(&self) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = self.id.into();
        jwk
    }
}

/// Whoever publishes keys: a web server with one document.
struct Issuer {
    url: String,
    document: Arc<Mutex<String>>,
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let document = Arc::new(Mutex::new("no keys yet".to_owned()));
        let served = Arc::clone(&document);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let body = served.lock().unwrap().clone();
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { url, document }
    }

    fn publish(&self, keys: &[&Signing]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
        *self.document.lock().unwrap() = json!({ "keys": keys }).to_string();
    }
}
