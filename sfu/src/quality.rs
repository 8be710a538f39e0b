//! How well a participant's media flows, from what its engine measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::stats::PeerStats;

use crate::route::Route;
use crate::sender::Heard;
use crate::{Config, Path, Quality, Transport};

/// Nobody is told more often.
const INTERVAL: Duration = Duration::from_secs(1);
/// From this share of lost packets on, people notice.
const POOR_LOSS: f32 = 0.05;
/// From this round trip on, people talk over each other.
const POOR_ROUND_TRIP: Duration = Duration::from_millis(400);

/// The state of one participant's link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// ICE heard nothing for a while. A hint, never a verdict: the client may be asleep.
    pub(crate) silent: bool,
    now: Option<Reading>,
    said: Option<(Reading, Instant)>,
}

/// What is told: up, down and the path.
pub(crate) type Reading = (Quality, Quality, Path);

impl Link {
    /// Takes in a measurement, of packets that go by `route`.
    pub(crate) fn measure(&mut self, stats: &PeerStats, heard: Heard, route: Option<Route>, config: &Config) {
        let slow = heard.round_trip.is_some_and(|rtt| rtt > POOR_ROUND_TRIP);
        let grade = |loss: Option<f32>| {
            if slow || loss.is_some_and(|loss| loss > POOR_LOSS) { Quality::Poor } else { Quality::Good }
        };
        let path = match route {
            Some(Route { transport: Transport::Tcp, .. }) => Path::Tcp,
            Some(route) if is_relay(route.remote, config) => Path::Relay,
            _ => Path::Udp,
        };
        self.now = Some((grade(stats.ingress_loss_fraction), grade(heard.loss), path));
    }

    /// What to say now, if it differs from what was said and enough time passed.
    pub(crate) fn report(&mut self, now: Instant) -> Option<Reading> {
        let (up, down, path) = self.now?;
        let reading = if self.silent { (Quality::Lost, Quality::Lost, path) } else { (up, down, path) };
        if self.said.is_some_and(|(said, at)| said == reading || now.saturating_duration_since(at) < INTERVAL) {
            return None;
        }
        self.said = Some((reading, now));
        Some(reading)
    }
}

fn is_relay(remote: SocketAddr, config: &Config) -> bool {
    let (addresses, ports) = &config.relays;
    addresses.contains(&remote.ip()) && ports.contains(&remote.port())
}
