//! How far a participant's media has come, for whoever asks later why it came no further.

/// What a call passes through after its offer, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// A check of the client reached us and was answered (RFC 8445 §7.3).
    Checked,
    /// The client nominated a path (RFC 8445 §8.1.1): our answers reach it.
    Nominated,
    /// DTLS is up: media can flow.
    Connected,
    /// A media packet went either way.
    Packet,
    /// A picture began, either way.
    Keyframe,
    /// The client reported what it received (RFC 3550 §6.4).
    Report,
}

/// Which of them were reached.
#[derive(Debug, Default)]
pub(crate) struct Stages(u8);

impl Stages {
    /// Notes a stage; whether that is new.
    pub(crate) fn reach(&mut self, stage: Stage) -> bool {
        let bit = 1 << stage as u8;
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new
    }
}
