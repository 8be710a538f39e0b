//! TURN credentials for those who ask over HTTP, and how often anybody may ask for something that costs.

use std::net::IpAddr;

use roundturn_turn::Prefix;

use super::rooms::NotMade;
use super::{Hub, Moment, Refusal, tokens};
use crate::signal::protocol::{ErrorCode, IceServer};
use crate::signal::stats::Api;

/// Bytes of a name: with an expiry before it, it is far from the longest USERNAME of RFC 8489, §14.3.
const NAME_BYTES: usize = 256;
/// Letters of a name that we make up: each asker is somebody else to the quotas.
const NAME_LETTERS: usize = 16;

/// A credential that is asked for over HTTP.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who asks.
    pub from: IpAddr,
    /// What was shown to prove the right to it.
    pub proof: Proof,
    /// What stands behind the expiry; one of our making where it is `None`.
    pub name: Option<String>,
    /// The route that it came by.
    pub api: Api,
}

/// What whoever asks for a credential has shown.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The API key of this number; `None`: a key that is none of ours.
    Key(Option<usize>),
    /// A token.
    Token(String),
}

/// A credential and where it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// As in `joined`.
    pub ice_servers: Vec<IceServer>,
    /// How long the credential is good for, in seconds.
    pub ttl_secs: u64,
    /// When it ends, in seconds since 1970.
    pub expires_at_secs: u64,
}

/// Who is counted: each has a bucket, except for this host itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// A program on this host, or a proxy that does not say whom it speaks for: its clients must not share one bucket.
    Local,
    /// A source address, or a /64 of IPv6.
    Source(Prefix),
    /// Whoever has this API key.
    Key(usize),
    /// Whoever has tokens of this identity, by its hash.
    Identity(u64),
}

impl Asker {
    /// Whoever asks from `address`.
    pub(super) fn at(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Local } else { Self::Source(Prefix::of(address)) }
    }
}

impl Hub {
    /// Makes a TURN credential for whoever has an API key, or a token: then it is of the token's identity.
    ///
    /// # Errors
    /// When they ask too often, the key, the token or the name is not one, no secret is accepted, or this host has no
    /// address to offer.
    pub fn issue(&mut self, now: Moment, order: &Order) -> Result<Issued, NotMade> {
        self.admit(now, Asker::at(order.from))?;
        let name = self.proven(now, order)?;
        let name = match name.as_deref() {
            None | Some("") => self.random.word(NAME_LETTERS),
            Some(name) => checked_name(name)?.to_owned(),
        };
        let credential = self.config.mint.issue(now.unix_ms, &name);
        if credential.is_void {
            let why = "no secret of auth.secrets is accepted at this time, so that no credential would be; add one and reload";
            return Err(NotMade::new(ErrorCode::Internal, why));
        }
        let ice_servers = self.config.urls.servers(&credential);
        if ice_servers.is_empty() {
            return Err(NotMade::new(ErrorCode::Internal, "this host has found no address of its own to offer"));
        }
        self.stats.count_issued(order.api);
        let ttl_secs = credential.expires_at_secs.saturating_sub(now.unix_ms / 1000);
        Ok(Issued { ice_servers, ttl_secs, expires_at_secs: credential.expires_at_secs })
    }

    /// The name that whoever asks may have a credential for.
    fn proven(&mut self, now: Moment, order: &Order) -> Result<Option<String>, NotMade> {
        match &order.proof {
            Proof::Key(key) => {
                let wrong = || NotMade::new(ErrorCode::AuthInvalid, "that is none of the keys of auth.api_keys");
                self.admit(now, Asker::Key(key.ok_or_else(wrong)?))?;
                Ok(order.name.clone())
            }
            Proof::Token(token) => {
                let closed = || NotMade::new(ErrorCode::AuthInvalid, "no key for tokens is configured here");
                let identity = self.claims(now, Some(token))?.ok_or_else(closed)?.identity;
                if let Some(identity) = &identity {
                    self.admit(now, tokens::asker(identity))?;
                }
                // An identity that is no user name still gets its relay.
                Ok(identity.filter(|identity| checked_name(identity).is_ok()))
            }
        }
    }

    /// Counts something that costs: a join, a room, a credential.
    pub(super) fn admit(&mut self, now: Moment, asker: Asker) -> Result<(), NotMade> {
        if asker == Asker::Local {
            return Ok(());
        }
        self.asked.take(now.instant, asker).map_err(|retry| NotMade {
            retry: Some(retry),
            ..NotMade::new(ErrorCode::RateLimited, "that was asked for too often; wait a little")
        })
    }
}

impl From<NotMade> for Refusal {
    fn from(not_made: NotMade) -> Self {
        Self { code: not_made.code, message: not_made.message.into() }
    }
}

impl From<Refusal> for NotMade {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}

fn checked_name(name: &str) -> Result<&str, NotMade> {
    let is_odd = |char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER;
    if name.len() > NAME_BYTES || name.contains(is_odd) {
        let rule = format!("username is UTF-8 without control characters, at most {NAME_BYTES} bytes");
        return Err(NotMade::new(ErrorCode::BadMessage, rule));
    }
    Ok(name)
}
