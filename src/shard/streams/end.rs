//! Why a stream ends: each is a counter.

/// Why a stream ends, or was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shard) enum End {
    /// The client has closed it.
    Closed,
    /// The kernel says that it is broken.
    Reset,
    /// No whole message came in time after it was opened.
    Silent,
    /// It has had no allocation, and nothing was said on it, for too long.
    Idle,
    /// What came is no message, or one that is too long.
    Garbage,
    /// TLS failed, or was due and did not come.
    Tls,
    /// A trusted proxy's header is malformed.
    Proxy,
    /// The client does not read its answers.
    Unread,
    /// The same client has opened another one.
    Replaced,
    /// The peer that it was joined to, or the allocation, is gone.
    Peer,
    /// There are too many, in all or from its prefix.
    Refused,
}

impl End {
    /// Every reason, in the order of its counter.
    pub(in crate::shard) const ALL: [Self; 11] = [
        Self::Closed,
        Self::Reset,
        Self::Silent,
        Self::Idle,
        Self::Garbage,
        Self::Tls,
        Self::Proxy,
        Self::Unread,
        Self::Replaced,
        Self::Peer,
        Self::Refused,
    ];

    /// Its name in metrics.
    pub(in crate::shard) fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Idle => "idle",
            Self::Garbage => "garbage",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Unread => "unread",
            Self::Replaced => "replaced",
            Self::Peer => "peer",
            Self::Refused => "refused",
        }
    }
}

/// Monotonic counters of one shard's streams, and how many there are.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::shard) struct Counters {
    /// Open now: at listeners of any kind, and at those for TLS only.
    pub(in crate::shard) open: [u64; 2],
    /// Ended, by [`End::ALL`].
    pub(in crate::shard) ended: [u64; End::ALL.len()],
    /// TLS handshakes that succeeded, and those that failed.
    pub(in crate::shard) handshakes: [u64; 2],
    /// Media lost because a client does not read fast enough.
    pub(in crate::shard) lost: u64,
}

impl Counters {
    pub(in crate::shard) fn end(&mut self, end: End) {
        self.ended[end as usize] += 1;
    }
}
