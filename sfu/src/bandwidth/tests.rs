//! Links of known width, measured.

use super::*;
use crate::tests::start;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;
const DELAY: Duration = Duration::from_millis(20);

/// A link that takes so many bits per second, holds back what is more, and tells every 50 ms what came.
struct Link {
    bandwidth: Bandwidth,
    began: Instant,
    now: Instant,
    width: u64,
    /// Packets of 1000 bytes that are sent in a second.
    packets: u64,
    free: Instant,
    /// When each packet of which was not told yet came, and the number of the first.
    coming: Vec<Instant>,
    base: u16,
    padding: usize,
}

impl Link {
    fn new(width: u64, packets: u64, desire: Desire) -> Self {
        let now = start();
        let mut bandwidth = Bandwidth::default();
        bandwidth.set_measured();
        bandwidth.set_desire(now, desire);
        let (coming, base) = (Vec::new(), bandwidth.number());
        Self { bandwidth, began: now, now, width, packets, free: now, coming, base, padding: 0 }
    }

    fn send(&mut self, bytes: usize) {
        self.bandwidth.sent(self.now, bytes);
        let takes = Duration::from_nanos(bytes as u64 * 8_000_000_000 / self.width);
        self.free = self.free.max(self.now) + takes;
        self.coming.push(self.free + DELAY);
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now += MILLIS(1);
            let passed = self.now.saturating_duration_since(self.began).as_millis() as u64;
            let due = passed * self.packets / 1000 - (passed - 1) * self.packets / 1000;
            (0..due).for_each(|_| self.send(1000));
            if self.bandwidth.next(self.now - MILLIS(1)).is_some_and(|at| at <= self.now) {
                let mut missing = self.bandwidth.pad(self.now);
                while missing > 0 {
                    self.send(250);
                    self.padding += 250;
                    missing = missing.saturating_sub(250);
                }
            }
            if passed.is_multiple_of(50) {
                self.tell();
            }
        }
    }

    fn tell(&mut self) {
        let came = self.coming.iter().take_while(|at| **at + DELAY <= self.now).count();
        let times: Vec<_> = self.coming.drain(..came).map(|at| Some((at - self.began).as_micros() as i64)).collect();
        self.bandwidth.learn(self.now, self.base, &times);
        self.base = self.base.wrapping_add(came as u16);
    }

    fn estimate(&self) -> u64 {
        self.bandwidth.estimate().unwrap()
    }
}

fn wants(desired: u64) -> Desire {
    Desire { minimum: 0, desired, is_held_back: true }
}

#[test]
fn a_wide_link_is_known_after_two_probes() {
    let mut link = Link::new(100_000_000, 30, wants(5_000_000));
    assert_eq!(link.estimate(), 2_500_000);
    link.run(400);
    assert!((4_000_000..7_000_000).contains(&link.estimate()), "{}", link.estimate());
}

#[test]
fn what_a_link_was_trusted_with_gives_way_to_what_was_found() {
    let mut link = Link::new(1_000_000, 20, wants(5_000_000));
    link.run(600);
    assert!((700_000..1_100_000).contains(&link.estimate()), "{}", link.estimate());
    // It widens while nobody watches anything, and what is wanted later is little.
    link.width = 100_000_000;
    link.run(4000);
    let known = link.estimate();
    assert!(known > 4_000_000, "{known}");
    link.bandwidth.begin();
    link.bandwidth.set_desire(link.now, Desire { minimum: 0, desired: 2_500_000, is_held_back: false });
    link.run(600);
    assert!(link.estimate() >= known, "a small probe says nothing against it");
}

#[test]
fn a_probe_without_feedback_is_given_up() {
    let mut bandwidth = Bandwidth::default();
    bandwidth.set_measured();
    let mut now = start();
    bandwidth.set_desire(now, wants(5_000_000));
    let mut begun = 0;
    while let Some(at) = bandwidth.next(now).filter(|at| *at < start() + MILLIS(10_000)) {
        now = now.max(at);
        let mut missing = bandwidth.pad(now);
        begun += u32::from(missing == 1);
        while missing > 0 {
            bandwidth.sent(now, 250);
            missing = missing.saturating_sub(250);
        }
    }
    assert!((6..9).contains(&begun), "{begun} probes in 10 s");
}

#[test]
fn who_is_held_back_on_a_wide_link_soon_has_what_it_wants() {
    let mut link = Link::new(100_000_000, 30, wants(20_000_000));
    link.run(3000);
    assert!(link.estimate() >= 20_000_000, "{}", link.estimate());
    let padding = link.padding;
    link.run(5000);
    assert_eq!(link.padding, padding, "and is probed no more");
}

#[test]
fn what_a_narrow_link_carries_is_found_and_held() {
    for width in [300_000, 800_000, 1_500_000] {
        // More is sent than it carries until that is known.
        let mut link = Link::new(width, width / 4000, wants(5_000_000));
        link.run(1000);
        link.packets = width * 7 / 10 / 8000;
        link.run(6000);
        let found = link.estimate();
        assert!((width * 6 / 10..width * 115 / 100).contains(&found), "{found} of {width}");
        let waits = link.free.saturating_duration_since(link.now);
        assert!(waits < MILLIS(150), "it is not filled by probes: {waits:?} at {width}");
    }
}

#[test]
fn a_link_that_widens_is_seen_and_one_that_narrows_too() {
    let mut link = Link::new(3_000_000, 250, wants(4_000_000));
    link.run(5000);
    let before = link.estimate();
    assert!((2_000_000..3_500_000).contains(&before), "{before}");
    link.width = 600_000;
    link.run(500);
    assert!(link.estimate() < 700_000, "{}", link.estimate());
    link.packets = 50;
    link.run(5000);
    link.width = 3_000_000;
    link.run(8000);
    assert!(link.estimate() > 1_800_000, "{}", link.estimate());
}

#[test]
fn a_rate_is_sustained_by_padding() {
    let desire = Desire { minimum: 1_000_000, desired: 2_000_000, is_held_back: false };
    let mut link = Link::new(100_000_000, 50, desire);
    link.run(1000);
    let before = link.padding;
    link.run(4000);
    let padded = (link.padding - before) as u64 * 8 / 4;
    assert!((550_000..650_000).contains(&padded), "600,000 are missing each second: {padded}");
    link.bandwidth.set_desire(link.now, Desire { minimum: 0, ..desire });
    let before = link.padding;
    link.run(2000);
    assert_eq!(link.padding, before);
}

#[test]
fn without_feedback_nothing_is_known() {
    let mut bandwidth = Bandwidth::default();
    bandwidth.set_desire(start(), wants(5_000_000));
    assert_eq!((bandwidth.estimate(), bandwidth.next(start())), (None, None));
    assert_eq!(bandwidth.learn_from_client(700_000), Some(700_000));
    assert_eq!(bandwidth.learn_from_client(705_000), None, "as good as the same");
    assert_eq!(bandwidth.estimate(), Some(705_000));
}

#[test]
fn what_a_client_tells_itself_holds_until_it_tells_of_packets() {
    let mut link = Link::new(10_000_000, 100, wants(5_000_000));
    assert_eq!(link.bandwidth.learn_from_client(700_000), Some(700_000));
    assert_eq!(link.estimate(), 700_000, "it said that it would tell more, and did not");
    link.run(1000);
    assert!(link.estimate() > 2_000_000, "{}", link.estimate());
    assert_eq!(link.bandwidth.learn_from_client(800_000), None);
}
