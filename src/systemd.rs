//! What systemd is told (`sd_notify`), where systemd started us.

use std::time::Duration;

use sd_notify::NotifyState;

/// Tells the service manager how the daemon fares; elsewhere it does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notifier(());

impl Notifier {
    /// A notifier for this process.
    pub fn new() -> Self {
        Self(())
    }

    /// Everything listens.
    pub fn ready(&self, status: &str) {
        send(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// Settings are read anew. [`Self::ready`] is to follow.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(since) => send(&[NotifyState::Reloading, since]),
            Err(error) => tracing::debug!(%error, "systemd is not told of the reload"),
        }
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        send(&[NotifyState::Status(status)]);
    }

    /// The end has begun.
    pub fn stopping(&self, status: &str) {
        send(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    /// All is well. To be sent at least every [`Self::watchdog_interval`], and only when every shard has made progress.
    pub fn alive(&self) {
        send(&[NotifyState::Watchdog]);
    }

    /// How often [`Self::alive`] is expected: half of what the unit's `WatchdogSec` allows; `None` without a watchdog.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|allowed| allowed / 2)
    }
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd takes no notification");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_systemd_nothing_happens() {
        let notifier = Notifier::new();
        notifier.ready("listening");
        notifier.status("three calls");
        notifier.alive();
        notifier.reloading();
        notifier.stopping("bye");
        assert_eq!(notifier.watchdog_interval(), None);
    }
}
