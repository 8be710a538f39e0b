//! The keys of media: a DTLS handshake of an engine gives them to the engine alone, so they are noted on their way.

use std::cell::Cell;
use std::time::Instant;

use str0m::config::CryptoProvider;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, from_feature_flags};

thread_local! {
    /// What the engine that is driven on this thread was given last. Engines are driven one at a time, and whoever drives
    /// one takes it from here: str0m knows providers for all engines only, none for one.
    static NOTED: Cell<Option<Keys>> = const { Cell::new(None) };
}

/// What a handshake agreed on (RFC 5764 §4.2).
#[derive(Debug)]
pub(crate) struct Keys {
    pub(super) profile: SrtpProfile,
    pub(super) material: KeyingMaterial,
    /// Whether we were the client: then the first of each pair of keys is ours.
    pub(super) is_client: bool,
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
        Ok(Box::new(Heard { inner, waits_for: None }))
    }
}

/// A handshake that is listened to. It is polled with every packet of media, and has nothing to say unless it was told something:
/// what it waits for then is the same as before.
#[derive(Debug)]
struct Heard {
    inner: Box<dyn DtlsInstance>,
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
        self.inner.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.waits_for = None;
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
