//! Checks that repeat what is known, answered at once (RFC 8445 §7.3, RFC 7675).
//!
//! A client that is connected goes on to check the path in use every few seconds, as long as it is there. An engine that is given
//! such a check looks at everything that it has to do, so it is given one now and then.
//!
//! ```text
//!  a check ──► the same as one that the engine answered? ── yes, its integrity holds, and others will come in time ──► answered here
//!                                                       ── no ──► the engine, and remembered if that answers
//! ```

use std::time::{Duration, Instant};

use str0m::IceCreds;
use str0m::crypto::from_feature_flags;
use str0m::ice::StunMessage;

use crate::route::Route;

/// How long an engine that hears nothing of a path believes in it.
const LIFE: Duration = Duration::from_secs(15);
/// More than any answer takes: a header, an address of IPv6, integrity and fingerprint.
const ANSWER: usize = 128;

/// The checks that one participant's client sends.
#[derive(Default)]
pub(crate) struct Checks {
    credentials: Option<IceCreds>,
    known: Option<Known>,
}

/// What the engine answered last.
struct Known {
    told: Instant,
    /// When the last one came that was answered, wherever.
    last: Instant,
    route: Route,
    username: String,
    controlling: Option<u64>,
}

impl Checks {
    /// For those of an engine that answers under these credentials.
    pub(crate) fn new(credentials: IceCreds) -> Self {
        Self { credentials: Some(credentials), known: None }
    }

    /// Whether a check with this ufrag is for that engine.
    pub(crate) fn are_for(&self, ufrag: &str) -> bool {
        self.credentials.as_ref().is_some_and(|credentials| credentials.ufrag == ufrag)
    }

    /// The engine answered this check. Whether that nominated the route (RFC 8445 §7.3.1.5).
    pub(crate) fn on_answered(&mut self, now: Instant, route: Route, bytes: &[u8]) -> bool {
        let check = StunMessage::parse(bytes).ok().filter(StunMessage::use_candidate);
        if let Some(check) = &check {
            let username = check.username().unwrap_or_default().to_owned();
            self.known = Some(Known { told: now, last: now, route, username, controlling: check.ice_controlling() });
        }
        check.is_some()
    }

    /// Its addresses have changed.
    pub(crate) fn forget(&mut self) {
        self.known = None;
    }

    /// When the engine will give up the path, as far as it was told.
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.known.as_ref().map(|known| known.told + LIFE)
    }

    /// The answer to a check that says nothing new. Of those that would come before the engine gives up the path, two are left for
    /// it: one may be lost.
    pub(crate) fn answer(&mut self, now: Instant, route: Route, bytes: &[u8]) -> Option<Vec<u8>> {
        let known = self.known.as_mut().filter(|known| known.route == route)?;
        let interval = now.saturating_duration_since(known.last);
        if now + 2 * interval >= known.told + LIFE {
            return None;
        }
        let check = StunMessage::parse(bytes).ok().filter(StunMessage::is_binding_request)?;
        let is_known = check.use_candidate()
            && check.username() == Some(&known.username)
            && check.ice_controlling() == known.controlling
            && check.ice_controlled().is_none();
        let password = self.credentials.as_ref()?.pass.as_bytes();
        if !is_known || !check.verify(password, hmac) {
            return None;
        }
        let answer = StunMessage::binding_reply(check.trans_id(), route.remote);
        known.last = now;
        let mut bytes = vec![0; ANSWER];
        let length = answer.to_bytes(Some(password), &mut bytes, hmac).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }
}

fn hmac(key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
    from_feature_flags().sha1_hmac_provider.sha1_hmac(key, payloads)
}

#[cfg(test)]
mod tests;
