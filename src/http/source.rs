//! Whom a request comes from: the other end of its connection, or whom a proxy on this host speaks for; and what it shows.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// The address of the other end of a connection, put into each request by whoever accepted it.
#[derive(Debug, Clone, Copy)]
pub struct OtherEnd(pub SocketAddr);

/// The address that a request is counted for.
///
/// A proxy on this host is believed in its `X-Forwarded-For`, and nobody else: anyone can write that header. It is read
/// from its end, which the nearest proxy wrote, past further proxies of this host.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let other_end = parts.extensions.get::<OtherEnd>().map(|OtherEnd(address)| address.ip().to_canonical());
        // Nobody serves this router but by connections.
        let other_end = other_end.unwrap_or(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED));
        Ok(Self(source(other_end, &parts.headers)))
    }
}

fn source(other_end: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut source = other_end;
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for word in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !source.is_loopback() {
            break;
        }
        let Some(address) = address(word.trim()) else { break };
        source = address.to_canonical();
    }
    source
}

/// What `Authorization: Bearer` holds (RFC 6750 §2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, shown) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| shown.trim()).filter(|shown| !shown.is_empty())
}

/// An address, also with brackets or a port.
fn address(word: &str) -> Option<IpAddr> {
    let bare = || word.trim_start_matches('[').trim_end_matches(']').parse().ok();
    bare().or_else(|| word.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(other_end: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        source(other_end.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_proxy_on_this_host_is_believed_and_nobody_else() {
        assert_eq!(seen("127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("::1", &["[2001:db8::9]"]), "2001:db8::9");
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_the_client_itself_wrote_is_not_believed() {
        assert_eq!(seen("127.0.0.1", &["198.51.100.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9, 127.0.0.1"]), "203.0.113.9", "two proxies in a row");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1, nonsense"]), "127.0.0.1");
    }

    #[test]
    fn addresses_may_come_with_a_port_and_as_ipv6() {
        assert_eq!(seen("127.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::9]:4711"]), "2001:db8::9");
        assert_eq!(seen("127.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }
}
