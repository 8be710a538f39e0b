//! Answers: what a method decided, as a message to its client.

use crate::Transmit;
use crate::auth::Seal;
use crate::discovery::Discovered;
use crate::error::Code;
use crate::message::{Class, Encoder, Integrity, PasswordAlgorithm, attribute};
use crate::method::{Refusal, Request, Success};
use crate::mobility::Ticket;
use crate::server::Server;

impl Server {
    /// Queues the answer to `request`. It is sealed where the client has proved that it knows the key, and carries a
    /// FINGERPRINT where the request did (RFC 8489 §7.3).
    pub(crate) fn answer(&mut self, request: &Request<'_>, outcome: Result<Success, Refusal>, seal: Option<&Seal>) {
        let responses = self.stats.responses.of_mut(request.from.transport);
        responses.up(request.method, outcome.as_ref().err().map(|refusal| refusal.code));
        let mut bytes = Vec::new();
        let class = if outcome.is_ok() { Class::Success } else { Class::Error };
        let message = &request.message;
        let encoder = Encoder::new(&mut bytes, class, message.method(), message.transaction());
        let encoder = match &outcome {
            Ok(success) => grant(encoder, request, success),
            Err(refusal) => self.refuse(encoder, request, refusal, seal.is_some()),
        };
        let encoder = match seal {
            Some(seal) => sealed(encoder, seal),
            None => encoder,
        };
        if message.has_fingerprint() {
            encoder.fingerprint();
        }
        let to = match &outcome {
            Ok(Success::Discovered(discovered)) => discovered.way(request.from),
            _ => request.from,
        };
        self.transmits.push_back(Transmit { to, bytes });
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
            Code::TryAlternate => self
                .alternates(request)
                .fold(encoder, |encoder, address| encoder.address(attribute::ALTERNATE_SERVER, address)),
            Code::UnknownAttribute => encoder.unknown_attributes(&refusal.unknown),
            Code::Unauthenticated | Code::StaleNonce => {
                let features = self.features();
                let nonce = self.nonces.issue(self.unix_secs(request.now), self.nonce_scope(request.from), features);
                let encoder = encoder
                    .attribute(attribute::REALM, self.config.realm.as_bytes())
                    .attribute(attribute::NONCE, nonce.as_bytes());
                if features.password_algorithms {
                    encoder.attribute(attribute::PASSWORD_ALGORITHMS, &PasswordAlgorithm::OFFERED)
                } else {
                    encoder
                }
            }
            _ => encoder,
        }
    }
}

/// Adds the proof that an answer comes from us.
pub(crate) fn sealed<'a>(encoder: Encoder<'a>, seal: &Seal) -> Encoder<'a> {
    match seal.integrity {
        Integrity::Sha1 => encoder.integrity(&seal.proof.key),
        Integrity::Sha256 => encoder.integrity_sha256(&seal.proof.key),
    }
}

fn grant<'a>(encoder: Encoder<'a>, request: &Request<'_>, success: &Success) -> Encoder<'a> {
    let mapped = request.from.remote;
    match *success {
        Success::Mapped => encoder.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped),
        Success::Discovered(Discovered { origin, other, padding, .. }) => {
            let encoder = encoder
                .xor_address(attribute::XOR_MAPPED_ADDRESS, mapped)
                .address(attribute::RESPONSE_ORIGIN, origin)
                .address(attribute::OTHER_ADDRESS, other);
            if padding > 0 { encoder.attribute(attribute::PADDING, &vec![0; padding]) } else { encoder }
        }
        Success::Allocated { relayed, granted, ticket } => {
            let relayed = relayed.into_iter().flatten();
            let encoder =
                relayed.fold(encoder, |encoder, address| encoder.xor_address(attribute::XOR_RELAYED_ADDRESS, address));
            let encoder = encoder.number(attribute::LIFETIME, granted.lifetime_secs);
            let encoder = match granted.token {
                Some(token) => encoder.attribute(attribute::RESERVATION_TOKEN, &token),
                None => encoder,
            };
            let encoder = match granted.missing {
                Some((family, code)) => encoder.address_error_code(family, code.number(), code.phrase()),
                None => encoder,
            };
            with_ticket(encoder.xor_address(attribute::XOR_MAPPED_ADDRESS, mapped), ticket)
        }
        Success::Refreshed { lifetime_secs, ticket } => {
            with_ticket(encoder.number(attribute::LIFETIME, lifetime_secs), ticket)
        }
        // A Connect is answered once it is known what came of it.
        Success::Permitted | Success::Connecting | Success::Elsewhere => encoder,
        Success::Bound { .. } => encoder,
    }
}

fn with_ticket(encoder: Encoder<'_>, ticket: Option<Ticket>) -> Encoder<'_> {
    match ticket {
        Some(ticket) => encoder.attribute(attribute::MOBILITY_TICKET, &ticket),
        None => encoder,
    }
}
