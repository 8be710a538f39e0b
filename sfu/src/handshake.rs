//! DTLS handshakes (RFC 5764): who speaks them with a client, and the keys of media that come of them.
//!
//! ```text
//!  the client's first message ──► DTLS 1.3, or what browsers offer ──► the engine's own implementation
//!                             └─► what OpenSSL offers by itself ─────► one that takes certificates by RSA, too
//! ```

mod hello;
mod older;

use std::cell::Cell;
use std::time::Instant;

use str0m::config::CryptoProvider;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, from_feature_flags};

use older::Older;

thread_local! {
    /// What the engine that is driven on this thread was given last. Engines are driven one at a time, and whoever drives
    /// one takes it from here: a handshake gives its keys to the engine alone, and str0m knows providers for all engines only,
    /// none for one.
    static NOTED: Cell<Option<Keys>> = const { Cell::new(None) };
}

/// What a handshake agreed on (RFC 5764 §4.2).
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) profile: SrtpProfile,
    pub(crate) material: KeyingMaterial,
    /// Whether we were the client: then the first of each pair of keys is ours.
    pub(crate) is_client: bool,
}

/// str0m's own cryptography, with an ear at the handshakes.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Listening, ..from_feature_flags() }
}

/// The keys that came since the last call.
pub(crate) fn take() -> Option<Keys> {
    NOTED.take()
}

#[derive(Debug)]
struct Listening;

impl DtlsProvider for Listening {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = from_feature_flags().dtls_provider.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(Heard { inner, undecided: Some(certificate.clone()), now, waits_for: None }))
    }
}

/// A handshake that is listened to. It is polled with every packet of media, and has nothing to say unless it was told something:
/// what it waits for then is the same as before.
#[derive(Debug)]
struct Heard {
    inner: Box<dyn DtlsInstance>,
    /// Our certificate, as long as the client's first message has not decided who speaks with it.
    undecided: Option<DtlsCert>,
    now: Instant,
    waits_for: Option<Instant>,
}

impl DtlsInstance for Heard {
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        if let Some(deadline) = self.waits_for {
            return DtlsOutput::Timeout(deadline);
        }
        let output = self.inner.poll_output(buffer);
        match &output {
            DtlsOutput::KeyingMaterial(material, profile) => {
                let material = KeyingMaterial::new(material);
                NOTED.set(Some(Keys { profile: *profile, material, is_client: self.inner.is_active() }));
            }
            DtlsOutput::Timeout(deadline) => self.waits_for = Some(*deadline),
            _ => {}
        }
        output
    }

    fn set_active(&mut self, active: bool) {
        self.waits_for = None;
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.waits_for = None;
        self.decide(packet);
        self.inner.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.waits_for = None;
        self.now = now;
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.waits_for = None;
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.waits_for = None;
        self.inner.close()
    }
}

impl Heard {
    /// Where the client begins, its first message says whom it can speak with.
    fn decide(&mut self, packet: &[u8]) {
        let Some(is_older) = hello::is_older(packet).filter(|_| !self.inner.is_active()) else { return };
        if let Some(certificate) = self.undecided.take()
            && is_older
            && let Some(older) = Older::new(&certificate, self.now)
        {
            self.inner = Box::new(older);
        }
    }
}

#[cfg(test)]
mod tests;
