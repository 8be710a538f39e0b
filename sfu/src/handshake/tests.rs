//! A client with a certificate by RSA shakes hands, in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::{SignatureScheme, default_provider};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

use super::*;
use crate::tests::start;

const CERTIFICATE: &[u8] = include_bytes!("tests/rsa.certificate.der");
const KEY: &[u8] = include_bytes!("tests/rsa.key.der");

/// What a server said to the engine.
#[derive(Debug, Default)]
struct Said {
    certificate: Vec<u8>,
    keys: Vec<u8>,
    profile: Option<SrtpProfile>,
    is_connected: bool,
    data: Vec<Vec<u8>>,
    is_closed: bool,
}

/// A client, and the server that it speaks with.
struct Call {
    now: Instant,
    client: Endpoint,
    server: Older,
    said: Said,
    heard: Vec<Vec<u8>>,
    /// One in so many datagrams of the server is lost.
    loss: usize,
    sent: usize,
    /// The room that the engine has for what it is told.
    buffer: usize,
    /// Which byte of a datagram is changed to what, and whether it ends there.
    forgeries: Vec<(prop::sample::Index, u8, bool)>,
}

fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 49160))
}

impl Call {
    fn new(shows_certificate: bool, profile: SrtpProtectionProfile, loss: usize) -> Self {
        let (provider, now) = (default_provider().unwrap(), start());
        let key = provider.crypto().import_signing_key(SignatureScheme::RsaPkcs1Sha256, KEY).unwrap();
        let private_key = CryptoPrivateKey::from_signing_key(key);
        let certificate = Certificate { certificate: vec![CERTIFICATE.to_vec().into()], private_key };
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(if shows_certificate { vec![certificate] } else { Vec::new() })
            .with_srtp_protection_profiles(vec![profile])
            .with_insecure_skip_verify(true);
        let config = Arc::new(config.build(true, None).unwrap());
        let mut client = Endpoint::new(SocketAddr::from(([192, 0, 2, 2], 5000)), Default::default(), None);
        client.connect(now, server_address(), config, None).unwrap();
        let ours = Listening.generate_certificate().unwrap();
        let server = Older::new(&ours, now).unwrap();
        Self {
            now,
            client,
            server,
            said: Said::default(),
            heard: Vec::new(),
            loss,
            sent: 0,
            buffer: 2000,
            forgeries: Vec::new(),
        }
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 10 {
            self.now += Duration::from_millis(10);
            let _ = self.client.handle_timeout(server_address(), self.now);
            let _ = self.server.handle_timeout(self.now);
            while let Some(datagram) = self.client.poll_transmit() {
                if let Some((at, byte, is_cut)) = self.forgeries.pop() {
                    let mut forged = datagram.message.to_vec();
                    let at = at.index(forged.len());
                    forged[at] = byte;
                    forged.truncate(if is_cut { at + 1 } else { forged.len() });
                    let _ = self.server.handle_packet(&forged);
                }
                let _ = self.server.handle_packet(&datagram.message);
            }
            for datagram in self.take() {
                self.sent += 1;
                if self.loss > 0 && self.sent.is_multiple_of(self.loss) {
                    continue;
                }
                let events = self.client.read(self.now, server_address(), None, datagram[..].into());
                for event in events.unwrap_or_default() {
                    if let EndpointEvent::ApplicationData(data) = event {
                        self.heard.push(data.to_vec());
                    }
                }
            }
        }
    }

    /// What the server sends; what it says is noted.
    fn take(&mut self) -> Vec<Vec<u8>> {
        let (mut buffer, mut packets) = (vec![0; self.buffer], Vec::new());
        loop {
            match self.server.poll_output(&mut buffer) {
                DtlsOutput::Packet(packet) => packets.push(packet.to_vec()),
                DtlsOutput::PeerCert(certificate) => self.said.certificate = certificate.to_vec(),
                DtlsOutput::KeyingMaterial(keys, profile) => {
                    (self.said.keys, self.said.profile) = (keys.to_vec(), Some(profile));
                }
                DtlsOutput::Connected => self.said.is_connected = true,
                DtlsOutput::ApplicationData(data) => self.said.data.push(data.to_vec()),
                DtlsOutput::CloseNotify => self.said.is_closed = true,
                DtlsOutput::Timeout(_) | DtlsOutput::BufferTooSmall { .. } => return packets,
                other => panic!("{other:?}"),
            }
        }
    }

    fn keys_of_client(&self) -> Vec<u8> {
        let state = self.client.get_connection_state(server_address()).unwrap();
        state.export_keying_material("EXTRACTOR-dtls_srtp", &[], self.said.keys.len()).unwrap().as_ref().to_vec()
    }
}

#[test]
fn a_client_with_a_certificate_by_rsa_is_taken_and_both_have_the_same_keys() {
    let profiles = [
        (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProfile::AEAD_AES_128_GCM, 56),
        (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, SrtpProfile::AEAD_AES_256_GCM, 88),
        (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, SrtpProfile::AES128_CM_SHA1_80, 60),
    ];
    for (offered, agreed, length) in profiles {
        let mut call = Call::new(true, offered, 0);
        assert_eq!(call.server.send_application_data(b"early"), Ok(0));
        call.run(200);
        assert!(call.said.is_connected && !call.server.is_active());
        assert_eq!(call.said.certificate, CERTIFICATE, "the engine holds it against the offer");
        assert_eq!((call.said.profile, call.said.keys.len()), (Some(agreed), length));
        assert_eq!(call.said.keys, call.keys_of_client());
        assert_eq!(call.server.protocol_version(), Some(ProtocolVersion::DTLS1_2));
    }
}

#[test]
fn data_goes_both_ways_until_one_closes() {
    let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
    call.run(200);
    assert_eq!(call.server.send_application_data(b"from the server"), Ok(15));
    call.client.write(call.now, server_address(), b"from the client").unwrap();
    call.run(20);
    assert_eq!(
        (&call.said.data[..], &call.heard[..]),
        (&[b"from the client".to_vec()][..], &[b"from the server".to_vec()][..])
    );
    call.client.close(call.now).unwrap();
    call.run(20);
    assert!(call.said.is_closed && call.server.is_closed());
    assert!(call.server.send_application_data(b"late").is_err());
}

#[test]
fn a_handshake_survives_losses() {
    for loss in 3..8 {
        let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, loss);
        call.run(20_000);
        assert!(call.said.is_connected, "one of {loss} lost");
    }
}

#[test]
fn whoever_shows_no_certificate_is_not_connected() {
    let mut call = Call::new(false, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
    call.run(5_000);
    assert!(!call.said.is_connected && call.said.keys.is_empty() && call.said.certificate.is_empty());
}

#[test]
fn what_cannot_be_read_ends_nothing() {
    let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
    for junk in [&[][..], &[22], &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3], &[21, 254, 253]] {
        assert!(call.server.handle_packet(junk).is_ok());
    }
    call.run(200);
    assert!(call.said.is_connected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Somebody else sends what looks like the client's, changed or cut off, before each of its datagrams.
    #[test]
    fn forged_datagrams_break_nothing_and_say_no_goodbye(
        forgeries in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..30),
    ) {
        let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
        call.forgeries = forgeries;
        call.run(30_000);
        prop_assert!(!call.said.is_closed);
    }
}

/// The engine goes on where it was told of an error, and would find keys without the certificate that they stand for.
#[test]
fn a_certificate_that_the_engine_has_no_room_for_lets_nothing_else_through() {
    let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
    call.buffer = CERTIFICATE.len() - 1;
    call.run(2_000);
    assert!(!call.said.is_connected && call.said.keys.is_empty());
    call.buffer = CERTIFICATE.len();
    call.run(20);
    assert!(call.said.is_connected && call.said.certificate == CERTIFICATE);
}

/// What is not sealed may be anybody's, and is kept until the handshake makes sense of it.
#[test]
fn what_is_not_sealed_is_read_up_to_a_limit() {
    let record = |epoch: u8| [&[22, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9, 0, 200][..], &[7; 200]].concat();
    for is_connected in [false, true] {
        let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
        call.run(if is_connected { 200 } else { 0 });
        let before = call.server.unsealed_left;
        (0..1_000).for_each(|_| call.server.handle_packet(&record(2)).unwrap());
        assert_eq!(call.server.unsealed_left, before, "no handshake comes so far");
        (0..1_000).for_each(|_| call.server.handle_packet(&record(0)).unwrap());
        assert!(call.server.unsealed_left < record(0).len());
        call.client.write(call.now, server_address(), b"sealed").unwrap();
        call.run(20);
        assert_eq!(call.said.data.len(), usize::from(is_connected));
    }
}

#[test]
fn a_server_that_closes_tells_the_client_before_it_is_closed() {
    let mut call = Call::new(true, SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, 0);
    call.run(200);
    call.server.close().unwrap();
    assert!(call.server.is_closing() && !call.server.is_closed());
    assert!(!call.take().is_empty());
    assert!(call.server.is_closed());
}
