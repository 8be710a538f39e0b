//! NAT behaviour discovery (RFC 5780): answers from another address or port, to another port, and large ones.

use std::net::SocketAddr;

use crate::error::Code;
use crate::message::{Message, attribute};
use crate::method::{Refusal, Request, Success, refuse_unknown_but};
use crate::{Client, Transport};

/// The two addresses and two ports of a server that helps clients to find out how their NAT behaves: of one family, and
/// different in both. It must be reached at all four combinations over UDP, and answer from each.
///
/// ```text
///                  primary port      alternate port
///  primary IP      listener          ┐
///  alternate IP    ┐ for discovery   ┘ for discovery
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    /// Where clients come first.
    pub primary: SocketAddr,
    /// The other address and the other port.
    pub alternate: SocketAddr,
}

/// How a Binding request is answered, beside the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Discovered {
    /// Where the answer comes from: RESPONSE-ORIGIN.
    pub(crate) origin: SocketAddr,
    /// Where it would come from if both address and port were to change: OTHER-ADDRESS.
    pub(crate) other: SocketAddr,
    /// The port of the client's that it goes to.
    pub(crate) port: u16,
    /// How many bytes of PADDING it carries.
    pub(crate) padding: usize,
}

/// The longest PADDING of an answer: more than fits into one Ethernet frame, which is all that it is to find out.
const MOST_PADDING: usize = 1500;

/// Those that mean something here only.
const KNOWN: [u16; 3] = [attribute::CHANGE_REQUEST, attribute::RESPONSE_PORT, attribute::PADDING];

impl Discovery {
    /// All four, the primary first.
    pub fn sockets(&self) -> [SocketAddr; 4] {
        let [primary, alternate] = [self.primary, self.alternate];
        let at = |ip: SocketAddr, port: SocketAddr| SocketAddr::new(ip.ip(), port.port());
        [primary, at(primary, alternate), at(alternate, primary), alternate]
    }

    /// Whether `client` has sent to one of the four.
    pub(crate) fn is_reached_by(&self, client: &Client) -> bool {
        client.transport == Transport::Udp && self.sockets().contains(&client.local)
    }

    /// How a Binding request that came to one of the four is answered (RFC 5780 §6).
    ///
    /// # Errors
    /// 400 for what is malformed or contradicts itself, 420.
    pub(crate) fn answer(&self, request: &Request<'_>) -> Result<Success, Refusal> {
        let message = &request.message;
        refuse_unknown_but(message, &KNOWN)?;
        let (changes_address, changes_port) = changes(message)?;
        let port = response_port(message)?;
        let padding = message.attribute(attribute::PADDING).map_or(0, <[u8]>::len);
        // RFC 5780 §6.1: a large answer to a port that may be somebody else's.
        if port.is_some() && padding > 0 {
            return Err(Code::BadRequest.into());
        }
        let local = request.from.local;
        Ok(Success::Discovered(Discovered {
            origin: self.changed(local, changes_address, changes_port),
            other: self.changed(local, true, true),
            port: port.unwrap_or(request.from.remote.port()),
            // The RFC wants the length of our own MTU whatever the request has: as much as the client itself has sent
            // shows as well whether fragments reach it, and gives nobody a larger answer than request.
            padding: padding.min(MOST_PADDING),
        }))
    }

    /// One of the four, seen from another.
    fn changed(&self, at: SocketAddr, address: bool, port: bool) -> SocketAddr {
        let ip_of = if (at.ip() == self.primary.ip()) == address { self.alternate } else { self.primary };
        let port_of = if (at.port() == self.primary.port()) == port { self.alternate } else { self.primary };
        SocketAddr::new(ip_of.ip(), port_of.port())
    }
}

impl Discovered {
    /// Who the answer to `client` is for, and where it leaves from.
    pub(crate) fn way(&self, client: Client) -> Client {
        Client { remote: SocketAddr::new(client.remote.ip(), self.port), local: self.origin, ..client }
    }
}

/// Whether CHANGE-REQUEST (RFC 5780 §7.2) asks for another address, another port.
fn changes(message: &Message<'_>) -> Result<(bool, bool), Refusal> {
    match message.attribute(attribute::CHANGE_REQUEST) {
        None => Ok((false, false)),
        Some([_, _, _, flags]) => Ok((flags & 0x04 != 0, flags & 0x02 != 0)),
        Some(_) => Err(Code::BadRequest.into()),
    }
}

/// RESPONSE-PORT (RFC 5780 §7.5): two bytes, which some count together with their padding.
fn response_port(message: &Message<'_>) -> Result<Option<u16>, Refusal> {
    match message.attribute(attribute::RESPONSE_PORT) {
        None => Ok(None),
        Some([high, low] | [high, low, _, _]) => match u16::from_be_bytes([*high, *low]) {
            0 => Err(Code::BadRequest.into()),
            port => Ok(Some(port)),
        },
        Some(_) => Err(Code::BadRequest.into()),
    }
}
