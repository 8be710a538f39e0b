//! Numbers that stand inside a payload and are others for each receiver: which picture a packet is of.

use crate::vp9;

/// The bits of VP8's payload descriptor that say what follows (RFC 7741 §4.2).
const EXTENDED: u8 = 0x80;
const HAS_PICTURE: u8 = 0x80;
const HAS_TL0: u8 = 0x40;
/// A picture's number has 15 bits, else 7.
const LONG: u8 = 0x80;

/// Another number of the picture, and of the last picture of the lowest temporal layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patch {
    Vp8 { picture: u16, tl0: u8 },
    Vp9 { picture: u16, tl0: u8 },
}

impl Patch {
    /// Writes the numbers into a payload that has such.
    pub(crate) fn apply(self, payload: &mut [u8]) {
        match self {
            Self::Vp8 { picture, tl0 } => {
                apply_vp8(payload, picture, tl0);
            }
            Self::Vp9 { picture, tl0 } => {
                if let Some(descriptor) = vp9::Descriptor::parse(payload) {
                    descriptor.patch(payload, picture, tl0);
                }
            }
        }
    }
}

/// `X … │ I L T K … │ [M picture id] │ [TL0PICIDX] │ …`. A publisher whose numbers have seven bits is left as it is: they cannot be
/// widened in place.
fn apply_vp8(payload: &mut [u8], picture: u16, tl0: u8) -> Option<()> {
    let (first, extension) = (*payload.first()?, *payload.get(1)?);
    if first & EXTENDED == 0 {
        return None;
    }
    let mut at = 2;
    if extension & HAS_PICTURE != 0 {
        let [high, low] = picture.to_be_bytes();
        let place = payload.get_mut(at..at + 2).filter(|place| place[0] & LONG != 0)?;
        place.copy_from_slice(&[high | LONG, low]);
        at += 2;
    }
    if extension & HAS_TL0 != 0 {
        *payload.get_mut(at)? = tl0;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patched(payload: &[u8]) -> Vec<u8> {
        let mut payload = payload.to_vec();
        Patch::Vp8 { picture: 0x1234, tl0: 9 }.apply(&mut payload);
        payload
    }

    #[test]
    fn vp8_gets_both_numbers_where_it_has_them() {
        assert_eq!(patched(&[0x90, 0xe0, 0x80, 1, 2, 3, 4]), [0x90, 0xe0, 0x92, 0x34, 9, 3, 4]);
        assert_eq!(patched(&[0x90, 0x80, 0x80, 1, 2]), [0x90, 0x80, 0x92, 0x34, 2], "no TL0PICIDX");
        assert_eq!(patched(&[0x90, 0x40, 1, 2]), [0x90, 0x40, 9, 2], "no picture id");
    }

    #[test]
    fn what_has_no_place_for_them_is_left_alone() {
        for payload in [&[0x10, 0xe0, 0x80, 1, 2][..], &[0x90, 0xe0, 0x01, 2, 3], &[0x90, 0xe0, 0x80], &[]] {
            assert_eq!(patched(payload), payload);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(mut payload: Vec<u8>, picture in 0u16..0x8000, tl0: u8) {
            Patch::Vp8 { picture, tl0 }.apply(&mut payload);
            Patch::Vp9 { picture, tl0 }.apply(&mut payload);
        }
    }
}
