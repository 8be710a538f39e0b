//! The VP9 payload descriptor (RFC 9628 §4.2): layers, picture numbers, heights.

/// What stands before a VP9 payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Descriptor {
    /// The picture's number, with the place where it stands and whether it has 15 bits.
    picture: Option<(u16, usize, bool)>,
    /// The number of the last picture of the lowest temporal layer, with its place.
    tl0: Option<(u8, usize)>,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// Whether this packet is the first of its layer's frame, and whether it is the last.
    pub(crate) starts: bool,
    pub(crate) ends: bool,
    /// Whether the frame needs an earlier picture.
    pub(crate) inter_picture: bool,
    /// Whether the frame needs the layer below it.
    pub(crate) inter_layer: bool,
    /// Whether one may go up to this temporal layer here.
    pub(crate) switching_up: bool,
    /// The height of each spatial layer, where said.
    pub(crate) heights: [Option<u16>; 8],
}

impl Descriptor {
    /// Reads a descriptor. `None`: it is cut off.
    ///
    /// ```text
    ///  I P L F B E V Z │ M picture id │ T T T U S S S D │ TL0PICIDX │ P_DIFF N … │ scalability structure
    ///        always    │     if I     │      if L       │ L and not F│  F and P   │         if V
    /// ```
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut next = || {
            at += 1;
            payload.get(at - 1).copied().map(|byte| (byte, at - 1))
        };
        let (flags, _) = next()?;
        let is = |bit: u8| flags & bit != 0;
        let mut read = Self { starts: is(0x08), ends: is(0x04), inter_picture: is(0x40), ..Self::default() };
        if is(0x80) {
            let (high, place) = next()?;
            let long = high & 0x80 != 0;
            let low = if long { u16::from(next()?.0) } else { 0 };
            let high = u16::from(high & 0x7f);
            read.picture = Some((if long { high << 8 | low } else { high }, place, long));
        }
        if is(0x20) {
            let (layers, _) = next()?;
            (read.temporal, read.spatial) = (layers >> 5, layers >> 1 & 7);
            (read.switching_up, read.inter_layer) = (layers & 0x10 != 0, layers & 1 != 0);
            if !is(0x10) {
                read.tl0 = Some(next()?);
            }
        }
        if is(0x10) && is(0x40) {
            // Up to three references; the last bit of each says whether another follows.
            for _ in 0..3 {
                if next()?.0 & 1 == 0 {
                    break;
                }
            }
        }
        if is(0x02) {
            let (structure, _) = next()?;
            if structure & 0x10 != 0 {
                for height in read.heights.iter_mut().take(usize::from(structure >> 5) + 1) {
                    let [_, _, high, low] = [next()?.0, next()?.0, next()?.0, next()?.0];
                    *height = Some(u16::from_be_bytes([high, low]));
                }
            }
        }
        Some(read)
    }

    /// Whether a decoder that knows nothing can begin here.
    pub(crate) fn starts_keyframe(&self) -> bool {
        self.starts && !self.inter_picture && self.spatial == 0
    }

    pub(crate) fn picture_id(&self) -> Option<u16> {
        self.picture.map(|(id, _, _)| id)
    }

    /// How many bits the picture's number has, as a mask.
    pub(crate) fn picture_mask(&self) -> u16 {
        if self.picture.is_some_and(|(_, _, long)| !long) { 0x7f } else { 0x7fff }
    }

    pub(crate) fn tl0_pic_idx(&self) -> Option<u8> {
        self.tl0.map(|(index, _)| index)
    }

    /// Writes other numbers into the payload that this was read from.
    pub(crate) fn patch(&self, payload: &mut [u8], picture: u16, tl0: u8) {
        if let Some((_, place, long)) = self.picture {
            let [high, low] = picture.to_be_bytes();
            if !long {
                payload.get_mut(place).into_iter().for_each(|byte| *byte = low & 0x7f);
            } else if let Some(bytes) = payload.get_mut(place..place + 2) {
                bytes.copy_from_slice(&[high | 0x80, low]);
            }
        }
        if let Some((_, place)) = self.tl0 {
            payload.get_mut(place).into_iter().for_each(|byte| *byte = tl0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_keyframe_of_three_layers_tells_their_heights() {
        // I, L, B, V; picture 0x1234; temporal 0, spatial 0; TL0PICIDX 9; three layers with their sizes.
        let mut payload = vec![0xaa, 0x92, 0x34, 0x00, 9, 0x50];
        for (width, height) in [(320_u16, 180_u16), (640, 360), (1280, 720)] {
            payload.extend(width.to_be_bytes());
            payload.extend(height.to_be_bytes());
        }
        let read = Descriptor::parse(&payload).unwrap();
        assert!(read.starts_keyframe() && !read.ends);
        assert_eq!((read.picture_id(), read.tl0_pic_idx()), (Some(0x1234), Some(9)));
        assert_eq!(read.heights[..4], [Some(180), Some(360), Some(720), None]);
    }

    #[test]
    fn an_upper_layer_is_no_keyframe_and_names_its_place() {
        // I, P, L, E; picture 5 in seven bits; temporal 2, up, spatial 1, inter-layer; TL0PICIDX 7.
        let read = Descriptor::parse(&[0xe4, 5, 0b0101_0011, 7, 0]).unwrap();
        assert_eq!((read.spatial, read.temporal), (1, 2));
        assert!(read.switching_up && read.inter_layer && read.inter_picture && read.ends && !read.starts);
        assert!(!read.starts_keyframe());
        assert_eq!(read.picture_mask(), 0x7f);
        assert!(!Descriptor::parse(&[0xa8, 5, 0b0000_0010, 7]).unwrap().starts_keyframe(), "layer 1 needs layer 0");
    }

    #[test]
    fn flexible_mode_has_references_in_place_of_tl0() {
        // I, P, L, F, B; picture 5; layers; two references.
        let read = Descriptor::parse(&[0xf8, 5, 0x00, 0x03, 0x04, 0]).unwrap();
        assert_eq!(read.tl0_pic_idx(), None);
        assert_eq!(Descriptor::parse(&[0xf8, 5, 0x00, 0x03]), None, "a reference is missing");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..48), id in any::<u16>(), tl0: u8) {
            if let Some(read) = Descriptor::parse(&bytes) {
                let mut patched = bytes;
                read.patch(&mut patched, id & read.picture_mask(), tl0);
                let again = Descriptor::parse(&patched).unwrap();
                prop_assert_eq!(again.picture_id(), read.picture_id().map(|_| id & read.picture_mask()));
                prop_assert_eq!(again.tl0_pic_idx(), read.tl0_pic_idx().map(|_| tl0));
                prop_assert_eq!((again.spatial, again.temporal, again.heights), (read.spatial, read.temporal, read.heights));
            }
        }
    }
}
