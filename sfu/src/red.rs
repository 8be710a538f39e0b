//! Opus with redundancy (RFC 2198): passed on as it is to whoever takes it, and without its older blocks to the others.
//!
//! ```text
//!  │1│ type 7 │ timestamp offset 14 │ length 10 │ … │0│ type 7 │ older blocks … │ this packet's own │
//!     a header of 4 bytes for each older block        1 byte
//! ```

use std::sync::Arc;

use str0m::format::PayloadParams;
use str0m::media::Pt;

/// A header of an older block follows another, until one without this bit.
const MORE: u8 = 0x80;
/// Bytes of the header of an older block.
const HEADER: usize = 4;
/// Older blocks of one packet: browsers send one or two.
const OLDER: usize = 16;

/// How a subscriber takes what a publisher sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outlet {
    /// The payload type that it leaves with.
    pub(crate) payload_type: Pt,
    /// The one that it is sent again with, where the client knows such.
    pub(crate) resend_type: Option<Pt>,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it came.
    Same,
    /// With redundancy, whose blocks are named by this payload type.
    Blocks(Pt),
    /// The own block of each packet only.
    Primary,
}

impl Outlet {
    /// For packets with payload type `sent` of a publisher's codec `from`, at a subscriber that takes that codec as `to`.
    pub(crate) fn new(sent: Pt, from: &PayloadParams, to: &PayloadParams) -> Self {
        let (payload_type, form) = match to.red() {
            _ if from.red() != Some(sent) => (to.pt(), Form::Same),
            Some(red) if from.pt() == to.pt() => (red, Form::Same),
            Some(red) => (red, Form::Blocks(to.pt())),
            None => (to.pt(), Form::Primary),
        };
        Self { payload_type, resend_type: to.resend(), form }
    }

    /// What leaves of a payload; shared with all others where nothing of it changes.
    pub(crate) fn payload(&self, payload: &Arc<[u8]>) -> Arc<[u8]> {
        let changed = match self.form {
            Form::Same => None,
            Form::Blocks(codec) => renamed(payload, *codec),
            Form::Primary => primary(payload).map(Arc::from),
        };
        changed.unwrap_or_else(|| Arc::clone(payload))
    }
}

/// Where the header of the own block is, and where that block begins. `None`: this is no such payload.
fn layout(payload: &[u8]) -> Option<(usize, usize)> {
    let mut older = 0;
    for block in 0..=OLDER {
        let at = block * HEADER;
        if payload.get(at)? & MORE == 0 {
            let begins = at + 1 + older;
            return (begins <= payload.len()).then_some((at, begins));
        }
        let length = payload.get(at + 2..at + HEADER)?;
        older += usize::from(u16::from_be_bytes([length[0] & 0x03, length[1]]));
    }
    None
}

fn primary(payload: &[u8]) -> Option<&[u8]> {
    let (_, begins) = layout(payload)?;
    payload.get(begins..)
}

fn renamed(payload: &[u8], codec: u8) -> Option<Arc<[u8]>> {
    let (own, _) = layout(payload)?;
    let mut copy: Arc<[u8]> = Arc::from(payload);
    for byte in Arc::get_mut(&mut copy)?.get_mut(..=own)?.iter_mut().step_by(HEADER) {
        *byte = *byte & MORE | codec & !MORE;
    }
    Some(copy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An older block of three bytes, then the own one.
    const PACKET: [u8; 10] = [0x80 | 111, 0x0f, 0x00, 3, 111, 1, 2, 3, 8, 9];

    #[test]
    fn the_own_block_stands_behind_the_older_ones() {
        assert_eq!(primary(&PACKET), Some(&[8, 9][..]));
        assert_eq!(primary(&[111, 5]), Some(&[5][..]), "no older block");
        assert_eq!(primary(&PACKET[..7]), None, "cut off");
        assert_eq!(primary(&[]), None);
    }

    #[test]
    fn blocks_are_named_anew_and_nothing_else_changes() {
        let mut expected = PACKET;
        (expected[0], expected[4]) = (0x80 | 96, 96);
        assert_eq!(renamed(&PACKET, 96).as_deref(), Some(&expected[..]));
        assert_eq!(renamed(&PACKET[..5], 96), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_its_bounds(payload: Vec<u8>, codec in 96u8..128) {
            let own = primary(&payload).map(<[u8]>::len);
            prop_assert!(own.is_none_or(|own| own < payload.len()));
            if let Some(renamed) = renamed(&payload, codec) {
                prop_assert_eq!(renamed.len(), payload.len());
                prop_assert_eq!(layout(&renamed), layout(&payload));
            }
        }
    }
}
