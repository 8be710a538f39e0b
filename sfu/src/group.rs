//! The last group of pictures of an encoding: what somebody who comes in the middle of it needs to see something at once.

use std::sync::Arc;

use str0m::rtp::RtpPacket;

use crate::codec::Glance;

/// A group that becomes larger is not kept: nobody is helped by a burst that takes seconds.
const BYTES: usize = 300_000;
/// The same in packets.
const PACKETS: usize = 400;

/// Packets from a keyframe on, in the order of their arrival.
#[derive(Default)]
pub(crate) struct Group {
    packets: Vec<Arc<RtpPacket>>,
    bytes: usize,
}

impl Group {
    /// A packet came.
    pub(crate) fn add(&mut self, packet: &Arc<RtpPacket>, glance: &Glance) {
        // Every layer of a picture may begin with one.
        let is_same_picture = |first: &Arc<RtpPacket>| first.header.timestamp == packet.header.timestamp;
        if glance.keyframe && !self.packets.first().is_some_and(is_same_picture) {
            self.clear();
        } else if self.packets.is_empty() {
            return;
        }
        self.bytes += packet.payload.len();
        self.packets.push(Arc::clone(packet));
        if self.bytes > BYTES || self.packets.len() > PACKETS {
            self.clear();
        }
    }

    /// What there is, the keyframe first; nothing where it was too much.
    pub(crate) fn packets(&self) -> &[Arc<RtpPacket>] {
        &self.packets
    }

    /// Forgets all: another stream begins.
    pub(crate) fn clear(&mut self) {
        self.packets = Vec::new();
        self.bytes = 0;
    }
}
