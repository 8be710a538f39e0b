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
        Ok(Box::new(Heard(inner)))
    }
}

#[derive(Debug)]
struct Heard(Box<dyn DtlsInstance>);

impl DtlsInstance for Heard {
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let material = KeyingMaterial::new(material);
            NOTED.set(Some(Keys { profile: *profile, material, is_client: self.0.is_active() }));
        }
        output
    }

    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
