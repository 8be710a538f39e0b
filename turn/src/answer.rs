//! Answers: what a method decided, as a message to its client.

use crate::Transmit;
use crate::error::Code;
use crate::message::{Class, Encoder, Key, attribute};
use crate::method::{Refusal, Request, Success};
use crate::server::Server;

impl Server {
    /// Queues the answer to `request`. It is signed with `key` where the client has proved that it knows it, and carries a
    /// FINGERPRINT where the request did (RFC 8489 §7.3).
    pub(crate) fn answer(&mut self, request: &Request<'_>, outcome: Result<Success, Refusal>, key: Option<&Key>) {
        let responses = self.stats.responses.of_mut(request.from.transport);
        responses.up(request.method, outcome.as_ref().err().map(|refusal| refusal.code));
        let mut bytes = Vec::new();
        let class = if outcome.is_ok() { Class::Success } else { Class::Error };
        let message = &request.message;
        let encoder = Encoder::new(&mut bytes, class, message.method(), message.transaction());
        let encoder = match &outcome {
            Ok(success) => grant(encoder, request, success),
            Err(refusal) => self.refuse(encoder, request, refusal, key.is_some()),
        };
        let encoder = match key {
            Some(key) => encoder.integrity(key),
            None => encoder,
        };
        if message.has_fingerprint() {
            encoder.fingerprint();
        }
        self.transmits.push_back(Transmit { to: request.from, bytes });
    }

    /// A stranger gets the bare code, and what it needs for a proof.
    fn refuse<'a>(
        &self,
        encoder: Encoder<'a>,
        request: &Request<'_>,
        refusal: &Refusal,
        is_proven: bool,
    ) -> Encoder<'a> {
        let phrase = if is_proven { refusal.code.phrase() } else { "" };
        let encoder = encoder.error_code(refusal.code.number(), phrase);
        match refusal.code {
            Code::UnknownAttribute => encoder.unknown_attributes(&refusal.unknown),
            Code::Unauthenticated | Code::StaleNonce => {
                let nonce = self.nonces.issue(self.unix_secs(request.now), request.from.remote);
                encoder
                    .attribute(attribute::REALM, self.config.realm.as_bytes())
                    .attribute(attribute::NONCE, nonce.as_bytes())
            }
            _ => encoder,
        }
    }
}

fn grant<'a>(encoder: Encoder<'a>, request: &Request<'_>, success: &Success) -> Encoder<'a> {
    let mapped = request.from.remote;
    match *success {
        Success::Mapped => encoder.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped),
        Success::Allocated { relayed, lifetime_secs } => encoder
            .xor_address(attribute::XOR_RELAYED_ADDRESS, relayed)
            .number(attribute::LIFETIME, lifetime_secs)
            .xor_address(attribute::XOR_MAPPED_ADDRESS, mapped),
        Success::Refreshed { lifetime_secs } => encoder.number(attribute::LIFETIME, lifetime_secs),
        Success::Permitted => encoder,
    }
}
