//! The long-term credential mechanism, server side (RFC 8489 §9.2.4), and what a TURN server adds (RFC 8656 §5).

use crate::error::Code;
use crate::message::{Key, attribute};
use crate::method::{Refusal, Request, RequestMethod};
use crate::server::Server;
use crate::stats::AuthFailure;

/// Who made a request, proved.
pub(crate) struct Proven<'a> {
    pub(crate) username: &'a str,
    /// Signs the answer.
    pub(crate) key: Key,
}

/// The longest USERNAME (RFC 8489 §14.3).
const LONGEST_USERNAME: usize = 508;

impl Server {
    /// Proves who made `request`.
    ///
    /// ```text
    ///  no MESSAGE-INTEGRITY           ──► 401 challenge
    ///  no USERNAME, REALM or NONCE    ──► 400
    ///  nonce old or another client's  ──► 438 challenge
    ///  name unknown, revoked, expired,
    ///    or another key               ──► 401 challenge
    ///  not the allocation's user      ──► 441
    /// ```
    ///
    /// # Errors
    /// The refusal; it carries no integrity, since nothing is proved.
    pub(crate) fn authenticate<'a>(&mut self, request: &Request<'a>) -> Result<Proven<'a>, Refusal> {
        let message = &request.message;
        if !message.has_integrity() {
            return Err(Code::Unauthenticated.into());
        }
        let username = message.attribute(attribute::USERNAME).ok_or(Code::BadRequest)?;
        let nonce = message.attribute(attribute::NONCE).ok_or(Code::BadRequest)?;
        if message.attribute(attribute::REALM).is_none() || username.len() > LONGEST_USERNAME {
            return Err(Code::BadRequest.into());
        }
        let unix_secs = self.unix_secs(request.now);
        if !self.nonces.is_fresh(nonce, unix_secs, request.from.remote) {
            self.stats.auth_failures.up(AuthFailure::StaleNonce);
            return Err(Code::StaleNonce.into());
        }
        let username = std::str::from_utf8(username).map_err(|_| self.fail(AuthFailure::UnknownUser))?;
        let key = self.prove(request, username, unix_secs).map_err(|failure| self.fail(failure))?;
        let owner = self.table.of_client(&request.from).map(|allocation| &*allocation.username);
        if request.method != RequestMethod::Allocate && owner.is_some_and(|owner| owner != username) {
            return Err(Code::WrongCredentials.into());
        }
        Ok(Proven { username, key })
    }

    /// The key of `username`, from its allocation where it has one here. Time is asked for when an allocation is made, and
    /// where the operator is strict, always: applications that hand out a credential once and never again are common, and
    /// their calls must not end with it.
    fn prove(&self, request: &Request<'_>, username: &str, unix_secs: u64) -> Result<Key, AuthFailure> {
        let allocation = self.table.of_client(&request.from).filter(|allocation| *allocation.username == *username);
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
        match allocation {
            Some(allocation) if request.message.verify(&allocation.key) => Ok(allocation.key.clone()),
            Some(_) => Err(AuthFailure::BadIntegrity),
            None => self.credentials.prove(username, &request.message, unix_secs),
        }
    }

    fn fail(&mut self, failure: AuthFailure) -> Refusal {
        self.stats.auth_failures.up(failure);
        Code::Unauthenticated.into()
    }
}
