//! What an Allocate asks for, and what of it contradicts itself (RFC 8656 §7.2, checks 5 to 9).

use crate::Family;
use crate::error::Code;
use crate::message::{Message, attribute};

/// The relays that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish<'a> {
    /// RESERVATION-TOKEN: the port that was kept for it.
    Reserved(&'a [u8]),
    /// One relay, of its own family where it names none.
    One(Option<Family>, Port),
    /// ADDITIONAL-ADDRESS-FAMILY: one of each family.
    Both(Port),
}

/// Which port of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Any,
    /// EVEN-PORT
    Even,
    /// EVEN-PORT with R set: the next port is to be kept, too.
    EvenAndNext,
}

impl<'a> Wish<'a> {
    /// # Errors
    /// 400 for what is malformed or contradicts itself, 440 for a family that nobody has.
    pub(super) fn read(message: &Message<'a>) -> Result<Self, Code> {
        let requested = message.attribute(attribute::REQUESTED_ADDRESS_FAMILY);
        let additional = message
            .attribute(attribute::ADDITIONAL_ADDRESS_FAMILY)
            .or_else(|| message.attribute(attribute::ADDITIONAL_ADDRESS_FAMILY_DRAFT));
        let even = message.attribute(attribute::EVEN_PORT);
        if let Some(token) = message.attribute(attribute::RESERVATION_TOKEN) {
            let is_alone = requested.is_none() && additional.is_none() && even.is_none();
            return if is_alone { Ok(Self::Reserved(token)) } else { Err(Code::BadRequest) };
        }
        if requested.is_some() && additional.is_some() {
            return Err(Code::BadRequest);
        }
        let family = requested.map(family).transpose()?;
        let port = match even {
            None => Port::Any,
            Some([flags]) if flags & 0x80 == 0 => Port::Even,
            Some([_]) => Port::EvenAndNext,
            Some(_) => return Err(Code::BadRequest),
        };
        match additional {
            None => Ok(Self::One(family, port)),
            // IPv4 is what everybody has: only IPv6 can be additional.
            Some([0x02, _, _, _]) if port != Port::EvenAndNext => Ok(Self::Both(port)),
            Some(_) => Err(Code::BadRequest),
        }
    }
}

fn family(value: &[u8]) -> Result<Family, Code> {
    match value {
        [0x01, _, _, _] => Ok(Family::V4),
        [0x02, _, _, _] => Ok(Family::V6),
        [_, _, _, _] => Err(Code::AddressFamilyNotSupported),
        _ => Err(Code::BadRequest),
    }
}
