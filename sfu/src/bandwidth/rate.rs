//! How much comes through, by the client's clock.

use std::collections::VecDeque;

/// Over how long it is counted, in microseconds, and how much of that there must be.
const WINDOW: i64 = 400_000;
const LEAST: i64 = 100_000;

/// What came lately.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When, and how many bytes.
    packets: VecDeque<(i64, u32)>,
    bytes: u64,
}

impl Rate {
    /// So many bytes came at this time, in microseconds.
    pub(super) fn add(&mut self, came: i64, bytes: u32) {
        self.packets.push_back((came, bytes));
        self.bytes += u64::from(bytes);
        while let Some((first, bytes)) = self.packets.front().copied().filter(|(first, _)| came - first > WINDOW) {
            debug_assert!(first < came);
            self.packets.pop_front();
            self.bytes -= u64::from(bytes);
        }
    }

    /// Bits per second, where there was enough to tell.
    pub(super) fn bits_per_second(&self) -> Option<f64> {
        let ((first, bytes), (last, _)) = (self.packets.front()?, self.packets.back()?);
        let passed = last - first;
        // What came with the first came before it.
        (passed >= LEAST).then(|| (self.bytes - u64::from(*bytes)) as f64 * 8e6 / passed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_lately_is_told_once_there_is_enough() {
        let mut rate = Rate::default();
        (0..10).for_each(|index| rate.add(index * 10_000, 1000));
        assert_eq!(rate.bits_per_second(), None);
        (10..100).for_each(|index| rate.add(index * 10_000, 1000));
        assert_eq!(rate.bits_per_second(), Some(800_000.0));
        (200..300).for_each(|index| rate.add(index * 10_000, 500));
        assert_eq!(rate.bits_per_second(), Some(400_000.0));
    }
}
