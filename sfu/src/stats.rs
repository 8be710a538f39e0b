//! Plain counters: written on the way of a packet, read once a second by whoever exports them.

use crate::first_frame::FirstFrames;
use crate::guard::Excess;

/// Monotonic counters and current gauges of one [`Sfu`](crate::Sfu).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms open now.
    pub rooms: u64,
    /// Participants now.
    pub participants: u64,
    /// Participants whose media can flow now: ICE and DTLS are up.
    pub connected: u64,
    /// Audio tracks published now.
    pub audio_tracks: u64,
    /// Video tracks published now.
    pub video_tracks: u64,
    /// RTP packets of published audio, counter.
    pub audio_packets_in: u64,
    /// Their payload in bytes, counter.
    pub audio_bytes_in: u64,
    /// RTP packets of published video, counter.
    pub video_packets_in: u64,
    /// Their payload in bytes, counter.
    pub video_bytes_in: u64,
    /// Audio packets handed to subscribers, counter.
    pub audio_packets_out: u64,
    /// Their payload in bytes, counter.
    pub audio_bytes_out: u64,
    /// Video packets handed to subscribers, counter; without retransmissions.
    pub video_packets_out: u64,
    /// Their payload in bytes, counter.
    pub video_bytes_out: u64,
    /// Keyframe requests sent to publishers, counter.
    pub keyframe_requests_out: u64,
    /// Keyframe requests that subscribers sent, counter.
    pub keyframe_requests_in: u64,
    /// NACKs sent to publishers, counter, a second behind.
    pub nacks_out: u64,
    /// NACKs that subscribers sent, counter.
    pub nacks_in: u64,
    /// Datagrams that were nobody's, counter.
    pub unknown_datagrams: u64,
    /// Datagrams of participants at rest, to whom and from whom no media flows: checks and reports, counter.
    pub at_rest: u64,
    /// Offers that were answered, counter.
    pub offers_accepted: u64,
    /// Offers that were refused, counter.
    pub offers_rejected: u64,
    /// Engines that failed, by a panic or beyond repair, counter.
    pub failures: u64,
    /// Datagrams of participants that sent more than any call needs, counter.
    pub limited: Limited,
    /// Messages that came on data channels, counter.
    pub messages_in: u64,
    /// Messages that were sent on data channels, one for each receiver, counter.
    pub messages_out: u64,
    /// Messages on data channels that were not sent on, counter.
    pub messages_dropped: MessagesDropped,
    /// How long subscribers waited for pictures.
    pub first_frames: FirstFrames,
    /// Data channels that were closed because a message on them was lost, counter.
    pub channels_closed: u64,
}

/// Datagrams that were not read, by what there were too many of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limited {
    /// Datagrams of any kind.
    pub packets: u64,
    /// ICE checks from addresses that had proven nothing yet.
    pub checks: u64,
    /// DTLS records.
    pub records: u64,
    /// Packets of new SSRCs.
    pub streams: u64,
}

/// Messages that were not sent on, by whose doing it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagesDropped {
    /// The sender may not send messages.
    pub forbidden: u64,
    /// The sender sent too much, or too large a message.
    pub sender: u64,
    /// A receiver's link had no room; one for each receiver.
    pub receiver: u64,
}

impl Limited {
    pub(crate) fn count(&mut self, excess: Excess) {
        *match excess {
            Excess::Packets => &mut self.packets,
            Excess::Checks => &mut self.checks,
            Excess::Records => &mut self.records,
            Excess::Streams => &mut self.streams,
        } += 1;
    }
}
