//! DTLS 1.2 as a server, for clients that may have a certificate by RSA.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::{SignatureScheme, default_provider};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_dtls::state::State;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, KeyingMaterial, ProtocolVersion, SrtpProfile,
};
use sync_wrapper::SyncWrapper;

/// RFC 5764 §4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Where the one client is, as far as the endpoint is told: it tells clients apart by their addresses.
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
/// The content type of alerts.
const ALERT: u8 = 21;
/// The time that is asked for where nothing is waited for.
const LATER: Duration = Duration::from_secs(3600);

/// What is read of records that are not sealed, and before the handshake has ended, in bytes: the implementation keeps some of it,
/// as long as it lives. A client says all it has to say in some 3 kB, and repeats it a few times where it must.
const UNSEALED: usize = 64 * 1024;

/// What is negotiated, the best first, each with the bytes of keys and salts for both ways.
const PROFILES: [(SrtpProtectionProfile, SrtpProfile, usize); 3] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProfile::AEAD_AES_128_GCM, 2 * (16 + 12)),
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, SrtpProfile::AEAD_AES_256_GCM, 2 * (32 + 12)),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, SrtpProfile::AES128_CM_SHA1_80, 2 * (16 + 14)),
];

/// One handshake, and what is sent under its keys.
pub(super) struct Older {
    /// Engines want what can be shared between threads, though they do not share it.
    endpoint: SyncWrapper<Endpoint>,
    now: Instant,
    told: VecDeque<Told>,
    /// What may still come of [`UNSEALED`].
    pub(super) unsealed_left: usize,
    is_connected: bool,
    is_closing: bool,
    /// Whether all that was to be sent has been taken.
    is_drained: bool,
}

/// What the engine is to be told, in this order.
enum Told {
    Packet(Vec<u8>),
    Certificate(Vec<u8>),
    Keys(KeyingMaterial, SrtpProfile),
    Connected,
    Data(Vec<u8>),
    Closed,
}

impl Told {
    /// The bytes that the engine needs room for.
    fn len(&self) -> usize {
        match self {
            Self::Packet(bytes) | Self::Certificate(bytes) | Self::Data(bytes) => bytes.len(),
            Self::Keys(..) | Self::Connected | Self::Closed => 0,
        }
    }
}

impl Older {
    /// `None`: the certificate is none that handshakes can be signed with.
    pub(super) fn new(certificate: &DtlsCert, now: Instant) -> Option<Self> {
        let config = Arc::new(config(certificate)?);
        let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2);
        let endpoint = SyncWrapper::new(Endpoint::new(here, Default::default(), Some(config)));
        let told = VecDeque::new();
        Some(Self {
            endpoint,
            now,
            told,
            unsealed_left: UNSEALED,
            is_connected: false,
            is_closing: false,
            is_drained: false,
        })
    }

    fn endpoint(&mut self) -> &mut Endpoint {
        self.endpoint.get_mut()
    }

    /// Whether a datagram is to be read. What anybody can send must not end a handshake: an alert that is not sealed is as if it had not
    /// come. Nor may it pile up: no handshake comes to a second change of keys.
    fn admit(&mut self, packet: &[u8]) -> bool {
        let mut is_unsealed = !self.is_connected;
        for (kind, epoch) in records(packet) {
            if epoch > 1 || epoch == 0 && kind == ALERT {
                return false;
            }
            is_unsealed |= epoch == 0;
        }
        let left = self.unsealed_left.checked_sub(if is_unsealed { packet.len() } else { 0 });
        self.unsealed_left = left.unwrap_or(self.unsealed_left);
        left.is_some()
    }

    /// The handshake has ended. `None`: the client has shown no certificate, or agreed to no protection of media.
    fn connect(&mut self) -> Option<()> {
        let state = self.endpoint().get_connection_state(CLIENT)?;
        let certificate = state.peer_certificates.first()?.clone();
        let (keys, profile) = keys(state)?;
        self.told.extend([Told::Certificate(certificate), Told::Keys(keys, profile), Told::Connected]);
        self.is_connected = true;
        Some(())
    }
}

impl DtlsInstance for Older {
    /// It serves only.
    fn set_active(&mut self, _: bool) {}

    fn is_active(&self) -> bool {
        false
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if self.is_closing || !self.admit(packet) {
            return Ok(());
        }
        let now = self.now;
        // What cannot be read is as if it had not come, either.
        for event in self.endpoint().read(now, CLIENT, None, packet.into()).unwrap_or_default() {
            match event {
                EndpointEvent::HandshakeComplete if self.connect().is_none() => {
                    self.close()?;
                    return Err(DtlsImplError::ConnectionClosed);
                }
                EndpointEvent::ApplicationData(data) => self.told.push_back(Told::Data(data.to_vec())),
                EndpointEvent::PeerClosed => {
                    (self.is_closing, self.is_drained) = (true, false);
                    self.told.push_back(Told::Closed);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let is_packet = matches!(self.told.front(), Some(Told::Packet(_)));
        let transmit = if is_packet { None } else { self.endpoint().poll_transmit() };
        self.is_drained = !is_packet && transmit.is_none();
        if let Some(transmit) = transmit {
            self.told.push_front(Told::Packet(transmit.message.to_vec()));
        }
        // It stays where it is: without the certificate, for one, the engine must not get to the keys.
        if let Some(needed) = self.told.front().map(Told::len).filter(|needed| *needed > buffer.len()) {
            return DtlsOutput::BufferTooSmall { needed };
        }
        let later = self.now + LATER;
        match self.told.pop_front() {
            Some(Told::Packet(packet)) => lay(&packet, buffer, DtlsOutput::Packet),
            Some(Told::Certificate(certificate)) => lay(&certificate, buffer, DtlsOutput::PeerCert),
            Some(Told::Keys(keys, profile)) => DtlsOutput::KeyingMaterial(keys, profile),
            Some(Told::Connected) => DtlsOutput::Connected,
            Some(Told::Data(data)) => lay(&data, buffer, DtlsOutput::ApplicationData),
            Some(Told::Closed) => DtlsOutput::CloseNotify,
            None => DtlsOutput::Timeout(self.endpoint().poll_timeout(&CLIENT).unwrap_or(later)),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        if self.endpoint().poll_timeout(&CLIENT).is_none_or(|deadline| deadline > now) {
            return Ok(());
        }
        self.endpoint().handle_timeout(CLIENT, now).map_err(|_| DtlsImplError::ConnectionClosed)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        if self.is_closing {
            return Err(DtlsImplError::ConnectionClosed);
        }
        if !self.is_connected {
            return Ok(0);
        }
        let now = self.now;
        let written = self.endpoint().write(now, CLIENT, data);
        written.map(|()| data.len()).map_err(|_| DtlsImplError::ConnectionClosed)
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.is_connected.then_some(ProtocolVersion::DTLS1_2)
    }

    fn is_closing(&self) -> bool {
        self.is_closing
    }

    fn is_closed(&self) -> bool {
        self.is_closing && self.is_drained
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        (self.is_closing, self.is_drained) = (true, false);
        let now = self.now;
        self.endpoint().close(now).map_err(|_| DtlsImplError::ConnectionClosed)
    }
}

impl fmt::Debug for Older {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Older").field("is_connected", &self.is_connected).finish_non_exhaustive()
    }
}

/// The certificate of whoever is there is asked for and held against the offer's fingerprint by the engine, not against
/// authorities.
fn config(certificate: &DtlsCert) -> Option<HandshakeConfig> {
    let provider = default_provider().ok()?;
    let key = provider.crypto().import_signing_key(SignatureScheme::EcdsaP256Sha256, &certificate.private_key).ok()?;
    let certificate = Certificate {
        certificate: vec![certificate.certificate.clone().into()],
        private_key: CryptoPrivateKey::from_signing_key(key),
    };
    let config = ConfigBuilder::default()
        .with_crypto_provider(provider)
        .with_certificates(vec![certificate])
        .with_srtp_protection_profiles(PROFILES.iter().map(|(profile, ..)| *profile).collect())
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true);
    config.build(false, None).ok()
}

/// The keys of media, where both know how to use them.
fn keys(state: &State) -> Option<(KeyingMaterial, SrtpProfile)> {
    let agreed = state.srtp_protection_profile();
    let (_, profile, length) = PROFILES.iter().find(|(known, ..)| *known == agreed)?;
    let material = state.export_keying_material(LABEL, &[], *length).ok()?;
    Some((KeyingMaterial::new(material.as_ref()), *profile))
}

/// Content type and epoch of a datagram's records; in epoch 0 nothing is sealed (RFC 6347 §4.1).
fn records(packet: &[u8]) -> impl Iterator<Item = (u8, u16)> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        let (header, after) = rest.split_first_chunk::<13>()?;
        let [kind, _, _, above, below, _, _, _, _, _, _, high, low] = *header;
        rest = after.get(usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default();
        Some((kind, u16::from_be_bytes([above, below])))
    })
}

/// Copies what is to be told to where the engine wants it, and where there is room for it.
fn lay<'a>(bytes: &[u8], buffer: &'a mut [u8], told: fn(&'a [u8]) -> DtlsOutput<'a>) -> DtlsOutput<'a> {
    let place = &mut buffer[..bytes.len()];
    place.copy_from_slice(bytes);
    told(place)
}
