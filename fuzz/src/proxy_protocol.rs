//! PROXY protocol headers: what is there by and by means what it means at once.

use roundturn::net::proxy_protocol::parse;

/// A header is not known before it is whole, and then whatever follows.
pub fn check(bytes: &[u8]) {
    let whole = parse(bytes);
    let mut len = bytes.len();
    if let Ok(Some(header)) = whole {
        len = header.len;
        assert!(len <= bytes.len());
        for address in header.addresses.into_iter().flat_map(|(source, destination)| [source, destination]) {
            assert_eq!(address.ip(), address.ip().to_canonical());
        }
        assert_eq!(parse(&bytes[..len]), whole);
    }
    // Headers are short; nothing of what follows one is looked at.
    for part in 0..len.min(4096) {
        let part = parse(&bytes[..part]);
        assert!(part == Ok(None) || part.is_err() && part == whole, "{part:?}, then {whole:?}");
    }
}
