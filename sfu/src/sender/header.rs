//! RTP headers with their extensions (RFC 3550 §5.1, RFC 8285).
//!
//! ```text
//!  │ V=2 X │ M, type │ sequence │ timestamp │ SSRC │ 0xbede, words │ id, length-1 │ value │ … │ zeros │
//!                                                    0x1000          id │ length            where an id or a value asks for it
//! ```

/// Version 2 with an extension.
const VERSION: u8 = 0x80;
const EXTENDED: u8 = 0x10;
const PADDED: u8 = 0x20;
const MARKER: u8 = 0x80;
const ONE_BYTE: [u8; 2] = [0xbe, 0xde];
const TWO_BYTES: [u8; 2] = [0x10, 0x00];
/// What the short form can name, and how long its values are.
const SHORT_IDS: u8 = 14;
const SHORT_VALUE: usize = 16;

/// The fixed part of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) marker: bool,
    /// Whether padding follows.
    pub(super) is_padded: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

impl Header {
    /// The bytes of the header with these extensions, by id and value, in a buffer that was empty.
    pub(super) fn write<'a>(
        &self,
        extensions: impl Iterator<Item = (u8, &'a [u8])> + Clone,
        mut bytes: Vec<u8>,
    ) -> Vec<u8> {
        let has_extensions = extensions.clone().next().is_some();
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        bytes.push(VERSION | flag(has_extensions, EXTENDED) | flag(self.is_padded, PADDED));
        bytes.push(self.payload_type & !MARKER | flag(self.marker, MARKER));
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        if !has_extensions {
            return bytes;
        }
        let mut each = extensions.clone();
        let is_short = each.all(|(id, value)| id <= SHORT_IDS && (1..=SHORT_VALUE).contains(&value.len()));
        bytes.extend(if is_short { ONE_BYTE } else { TWO_BYTES });
        let at = bytes.len();
        bytes.extend([0; 2]);
        for (id, value) in extensions {
            if is_short {
                bytes.push(id << 4 | (value.len() as u8 - 1));
            } else {
                bytes.extend([id, value.len() as u8]);
            }
            bytes.extend_from_slice(value);
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let words = ((bytes.len() - at - 2) / 4) as u16;
        bytes[at..at + 2].copy_from_slice(&words.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { marker: true, is_padded: false, payload_type: 111, sequence: 0x0102, timestamp: 0x0304_0506, ssrc: 7 };

    #[test]
    fn short_extensions_take_one_byte_each() {
        let bytes = HEADER.write([(1, &[0x85][..]), (4, b"a1")].into_iter(), Vec::new());
        assert_eq!(bytes[..12], [0x90, 0xef, 1, 2, 3, 4, 5, 6, 0, 0, 0, 7]);
        assert_eq!(bytes[12..], [0xbe, 0xde, 0, 2, 0x10, 0x85, 0x41, b'a', b'1', 0, 0, 0]);
    }

    #[test]
    fn an_id_above_fourteen_takes_the_long_form() {
        let bytes = HEADER.write([(1, &[0x85][..]), (16, &[9; 8])].into_iter(), Vec::new());
        assert_eq!(bytes[12..19], [0x10, 0x00, 0, 4, 1, 1, 0x85]);
        assert_eq!((bytes[19..21].to_vec(), bytes.len()), (vec![16, 8], 12 + 4 + 16));
    }

    #[test]
    fn without_extensions_there_is_the_fixed_part_only() {
        assert_eq!(
            Header { marker: false, ..HEADER }.write([].into_iter(), Vec::new()),
            [0x80, 111, 1, 2, 3, 4, 5, 6, 0, 0, 0, 7]
        );
    }
}
