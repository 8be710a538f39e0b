//! The long-term credential mechanism, server side (RFC 8489 §9.2.4), and what a TURN server adds (RFC 8656 §5).

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Instant;

use crate::credential::Proof;
use crate::error::Code;
use crate::message::{Integrity, PasswordAlgorithm, attribute};
use crate::method::{Refusal, Request, RequestMethod};
use crate::nonce::Features;
use crate::server::Server;
use crate::stats::AuthFailure;
use crate::{Client, Rejection};

/// Who made a request, proved.
pub(crate) struct Proven<'a> {
    pub(crate) username: Cow<'a, str>,
    pub(crate) seal: Seal,
}

/// What an answer is signed with.
pub(crate) struct Seal {
    pub(crate) proof: Proof,
    pub(crate) integrity: Integrity,
}

/// The longest USERNAME that must be parsed (RFC 8489 §14.3).
const LONGEST_USERNAME: usize = 763;

impl Server {
    /// Proves who made `request`.
    ///
    /// ```text
    ///  no MESSAGE-INTEGRITY(-SHA256)             ──► 401 challenge
    ///  no USERNAME or USERHASH, REALM or NONCE   ──► 400
    ///  nonce old or another client's             ──► 438 challenge
    ///  PASSWORD-ALGORITHM(S) not what was agreed ──► 400
    ///  name unknown, revoked, expired,
    ///    or another key                          ──► 401 challenge
    /// ```
    ///
    /// RFC 8489 names the nonce last; as in RFC 5389 it is asked for before any key is derived, so that a stranger with a
    /// made up nonce costs one hash.
    ///
    /// # Errors
    /// The refusal; it carries no integrity, since nothing is proved.
    pub(crate) fn authenticate<'a>(&mut self, request: &Request<'a>) -> Result<Proven<'a>, Refusal> {
        let message = &request.message;
        if !message.has_integrity() {
            return Err(Code::Unauthenticated.into());
        }
        let nonce = message.attribute(attribute::NONCE).ok_or(Code::BadRequest)?;
        let has_name = [attribute::USERNAME, attribute::USERHASH].iter().any(|kind| message.attribute(*kind).is_some());
        if !has_name || message.attribute(attribute::REALM).is_none() {
            return Err(Code::BadRequest.into());
        }
        let unix_secs = self.unix_secs(request.now);
        let Some(features) = self.nonces.recognise(nonce, unix_secs, self.nonce_scope(request.from)) else {
            self.stats.auth_failures.up(AuthFailure::StaleNonce);
            return Err(Code::StaleNonce.into());
        };
        let agreed = agreed_algorithm(request, features)?;
        let username = self.username(request).ok_or_else(|| self.fail(AuthFailure::UnknownUser))?;
        let algorithm = agreed.unwrap_or(PasswordAlgorithm::Md5);
        let proof = self.prove(request, &username, algorithm, unix_secs);
        let proof = proof.map_err(|failure| self.reject(request, &username, failure))?;
        // RFC 8489 §9.2.4: whoever agreed on an algorithm, be it MD5, is answered with MESSAGE-INTEGRITY-SHA256.
        let integrity = if agreed.is_some() { Integrity::Sha256 } else { Integrity::Sha1 };
        Ok(Proven { username, seal: Seal { proof, integrity } })
    }

    /// Refuses a request on an allocation of another user (RFC 8656 §5). An Allocate there gets 437 for another reason.
    ///
    /// # Errors
    /// 441
    pub(crate) fn refuse_other_user(&self, request: &Request<'_>, username: &str) -> Result<(), Refusal> {
        let owner = self.table.of_client(&request.from).map(|allocation| &*allocation.username);
        let is_other = request.method != RequestMethod::Allocate && owner.is_some_and(|owner| owner != username);
        if is_other { Err(Code::WrongCredentials.into()) } else { Ok(()) }
    }

    /// What challenges offer.
    pub(crate) fn features(&self) -> Features {
        let password_algorithms = self.config.password_algorithms;
        // A client that is told of anonymity must use it (RFC 8489 §9.2.5), and then only known names can be found.
        Features { password_algorithms, username_anonymity: password_algorithms && self.credentials.knows_all_names() }
    }

    /// Whom a nonce for `client` is good for. One with TCP connections opens a stream for each, and must find its nonce good
    /// there: clients send several requests at once, and lose count when half of them come back with another nonce.
    pub(crate) fn nonce_scope(&self, client: Client) -> SocketAddr {
        let any_port = self.has_tcp() && client.transport.is_stream();
        SocketAddr::new(client.remote.ip(), if any_port { 0 } else { client.remote.port() })
    }

    /// The name that `request` is made in, or its hash stands for.
    fn username<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, str>> {
        if let Some(name) = request.message.attribute(attribute::USERNAME) {
            return (name.len() <= LONGEST_USERNAME).then(|| std::str::from_utf8(name).ok())?.map(Cow::Borrowed);
        }
        let name = self.credentials.name_of(request.message.attribute(attribute::USERHASH)?)?;
        Some(Cow::Owned(name.to_owned()))
    }

    /// The key of `username`, from its allocation where it has one here. Time is asked for when an allocation is made,
    /// and where the operator is strict, always: applications that hand out a credential once and never again are
    /// common, and their calls must not end with it.
    fn prove(
        &self,
        request: &Request<'_>,
        username: &str,
        algorithm: PasswordAlgorithm,
        unix_secs: u64,
    ) -> Result<Proof, AuthFailure> {
        let allocation = match self.wanted_connection(request) {
            None => self.table.of_client(&request.from),
            Some(id) => self.slot_of_connection(id).and_then(|slot| self.table.get(slot)),
        };
        let allocation = allocation.filter(|allocation| *allocation.username == *username);
        let is_opening = request.method == RequestMethod::Allocate && allocation.is_none();
        if let Some(expires) = self.credentials.expiry(username)
            && (is_opening || self.config.strict_expiry)
        {
            if self.revoked.contains(expires, username) {
                return Err(AuthFailure::Revoked);
            }
            if expires <= unix_secs {
                return Err(AuthFailure::Expired);
            }
        }
        let proof = allocation.map(|allocation| &allocation.proof);
        // Whoever took a secret or a user out of the configuration wants to see the end of what was made with it.
        if proof.is_some_and(|proof| !self.credentials.knows(proof.origin)) {
            return Err(AuthFailure::Revoked);
        }
        // The algorithm changes during an allocation when a reload changes what is offered.
        match proof.filter(|proof| proof.key.algorithm() == algorithm) {
            Some(proof) if request.message.verify(&proof.key) => Ok(proof.clone()),
            Some(_) => Err(AuthFailure::BadIntegrity),
            None => self.credentials.prove(username, algorithm, &request.message, unix_secs),
        }
    }

    /// How long `username` may have an allocation for: where the operator is strict, no longer than its credential is good.
    pub(crate) fn most_lifetime_secs(&self, now: Instant, username: &str) -> u32 {
        let most = self.config.limits.max_lifetime_secs;
        let expires = self.credentials.expiry(username).filter(|_| self.config.strict_expiry);
        let left = expires.map(|expires| expires.saturating_sub(self.unix_secs(now)));
        left.and_then(|left| left.try_into().ok()).map_or(most, |left: u32| left.min(most))
    }

    fn reject(&mut self, request: &Request<'_>, username: &str, failure: AuthFailure) -> Refusal {
        let (expires, unix_secs) = (self.credentials.expiry(username), self.unix_secs(request.now));
        let (client, username) = (request.from, username.to_owned());
        self.rejection = Some(Rejection { client, username, failure, expires, unix_secs });
        self.fail(failure)
    }

    fn fail(&mut self, failure: AuthFailure) -> Refusal {
        self.stats.auth_failures.up(failure);
        Code::Unauthenticated.into()
    }
}

/// The algorithm that client and server agreed on, if algorithms were offered with the nonce and the client took them up:
/// it must then repeat the offer, which nobody on the way can have thinned out unnoticed (RFC 8489 §9.2.4).
fn agreed_algorithm(request: &Request<'_>, features: Features) -> Result<Option<PasswordAlgorithm>, Refusal> {
    let offer = request.message.attribute(attribute::PASSWORD_ALGORITHMS);
    let choice = request.message.attribute(attribute::PASSWORD_ALGORITHM);
    match (features.password_algorithms, offer, choice) {
        (false, ..) | (true, None, None) => Ok(None),
        (true, Some(offer), Some(choice)) if *offer == PasswordAlgorithm::OFFERED => {
            PasswordAlgorithm::decode(choice).map(Some).ok_or(Code::BadRequest.into())
        }
        _ => Err(Code::BadRequest.into()),
    }
}
