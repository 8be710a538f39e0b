//! How an engine is set up: codecs, header extensions, addresses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, FormatParams};
use str0m::media::Frequency;
use str0m::net::TcpType;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, IceCreds, Rtc, RtcConfig};

use crate::Transport;
use crate::dependency;
use crate::handshake;
use crate::participant::MESSAGE;
use crate::route::Source;

/// How often an engine reports how it fares.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// Makes engines that share one certificate.
pub(crate) struct Engines {
    crypto: Arc<CryptoProvider>,
    certificate: Option<DtlsCert>,
}

impl Engines {
    pub(crate) fn new(now: Instant) -> Self {
        let crypto = Arc::new(handshake::provider());
        let certificate = crypto.dtls_provider.generate_certificate();
        let engines = Self { crypto, certificate };
        // Its wall clock begins with the first engine. Ours, which reports of what leaves, begins now.
        drop(engines.build(now, IceCreds::new(), &[]));
        engines
    }

    /// An engine that answers under these credentials at these addresses.
    pub(crate) fn build(&self, now: Instant, credentials: IceCreds, addresses: &[Source]) -> Rtc {
        let mut config = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_sctp_max_message_size(MESSAGE as u32)
            .set_local_ice_credentials(credentials)
            .set_stats_interval(Some(STATS_INTERVAL))
            .set_extension_map(extensions())
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true);
        if let Some(certificate) = &self.certificate {
            config = config.set_dtls_cert(certificate.clone());
        }
        // In which order they are answered, the offer says.
        let codecs = config.codec_config();
        codecs.add_h264(108.into(), Some(109.into()), true, 0x42_e01f);
        codecs.add_h264(127.into(), Some(121.into()), true, 0x42_001f);
        let vp9 = FormatParams { profile_id: Some(0), ..FormatParams::default() };
        codecs.add_config(98.into(), Some(99.into()), Codec::Vp9, Frequency::NINETY_KHZ, None, vp9);
        codecs.enable_av1(true);
        let mut rtc = config.build(now);
        for address in addresses {
            add_address(&mut rtc, *address);
        }
        rtc
    }
}

/// Announces an address from now on.
pub(crate) fn add_address(rtc: &mut Rtc, address: Source) {
    if let Some(candidate) = candidate(address) {
        rtc.add_local_candidate(candidate);
    }
}

/// Stops announcing and using an address.
pub(crate) fn remove_address(rtc: &mut Rtc, address: Source) {
    if let Some(candidate) = candidate(address) {
        rtc.direct_api().invalidate_candidate(&candidate);
    }
}

/// Where streams are listened for, nobody connects from (RFC 6544 §4.1).
fn candidate((transport, address): Source) -> Option<Candidate> {
    match transport {
        Transport::Udp => Candidate::host(address, "udp").ok(),
        Transport::Tcp => Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build().ok(),
    }
}

/// Only what is used or forwarded, under the numbers that Chromium gives them, as far as they have one. What an offer
/// numbers otherwise is renumbered; what it lacks is not answered, so nobody sends it.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(1, Extension::AudioLevel);
    map.set(2, Extension::AbsoluteSendTime);
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(5, Extension::PlayoutDelay);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map.set(13, Extension::VideoOrientation);
    map.set(15, dependency::extension());
    map.set(16, Extension::AbsoluteCaptureTime);
    map
}
