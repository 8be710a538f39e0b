//! Memory of packets that have left, for those that are to leave: it is warm, and asking for other costs more than sealing.

/// What is kept at most: more than a batch is never under way.
const KEPT: usize = 512;
/// A buffer that holds a packet of a picture, and one that is too large to be kept.
const PACKET: usize = 1400;
const LARGE: usize = 4096;

/// Spare buffers, the last one that came first.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    spare: Vec<Vec<u8>>,
}

impl Buffers {
    /// An empty buffer with room for a packet.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_else(|| Vec::with_capacity(PACKET))
    }

    /// A buffer that is needed no more.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < KEPT && (PACKET..LARGE).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_taken_empty_where_a_packet_fits() {
        let mut buffers = Buffers::default();
        let mut first = buffers.take();
        first.extend([1; 1300]);
        let place = first.as_ptr();
        buffers.give(first);
        buffers.give(vec![0; 100]);
        buffers.give(vec![0; LARGE]);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert!(buffers.spare.is_empty(), "the others are too small or too large");
    }
}
