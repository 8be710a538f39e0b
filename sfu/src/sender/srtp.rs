//! SRTP for what leaves past an engine, and SRTCP for what comes (RFC 3711, RFC 7714).
//!
//! ```text
//!  RTP   │ header │ payload, encrypted │ tag │              RTCP  │ 8 bytes │ the rest, encrypted │ …
//!          authenticated                                             GCM: … tag │ E, index      CM: … E, index │ tag
//! ```

use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::{
    AeadAes128Gcm, AeadAes128GcmCipher, AeadAes256Gcm, AeadAes256GcmCipher, Aes128CmSha1_80, Aes128CmSha1_80Cipher,
    CryptoProvider, Sha1HmacProvider, SrtpProvider,
};

use super::replay::Replay;
use crate::handshake::Keys;

/// The part of RTCP that is not encrypted: the first header and the sender's SSRC.
const RTCP_HEADER: usize = 8;
/// The index of an RTCP packet, behind a bit that says whether it is encrypted.
const INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
const AES_BLOCK: usize = 16;
const LABELS_OF_RTP: [u8; 3] = [0, 1, 2];
const LABELS_OF_RTCP: [u8; 3] = [3, 4, 5];

/// Both directions of one participant's media: RTP and RTCP to it, RTCP from it.
#[derive(Debug)]
pub(super) struct Srtp {
    rtp: Cipher,
    rtcp_out: Cipher,
    rtcp_in: Cipher,
    rtcp_index: u32,
    came: Replay,
}

/// The session keys of one kind of packets in one direction.
#[derive(Debug)]
enum Cipher {
    Gcm128 { salt: [u8; 12], cipher: Box<dyn AeadAes128GcmCipher> },
    Gcm256 { salt: [u8; 12], cipher: Box<dyn AeadAes256GcmCipher> },
    Cm { salt: [u8; 14], key: [u8; 20], cipher: Box<dyn Aes128CmSha1_80Cipher>, hmac: &'static dyn Sha1HmacProvider },
}

impl Srtp {
    /// `None`: the handshake agreed on something else.
    pub(super) fn new(crypto: &CryptoProvider, keys: &Keys) -> Option<Self> {
        let cipher = |ours: bool, labels, encrypt| {
            let master = Master::new(keys, keys.is_client == ours)?;
            Some(master.cipher(crypto, keys.profile, labels, encrypt))
        };
        Some(Self {
            rtp: cipher(true, LABELS_OF_RTP, true)??,
            rtcp_out: cipher(true, LABELS_OF_RTCP, true)??,
            rtcp_in: cipher(false, LABELS_OF_RTCP, false)??,
            rtcp_index: 0,
            came: Replay::default(),
        })
    }

    /// Appends `payload` to the header of an RTP packet, sealed. `sequence` is the extended number, from 0 at the stream's
    /// first rollover on. `None`: the cipher failed.
    pub(super) fn seal(&mut self, header: Vec<u8>, ssrc: u32, sequence: u64, payload: &[u8]) -> Option<Vec<u8>> {
        let iv = self.rtp.rtp_iv(ssrc, sequence);
        let mut packet = header;
        let length = packet.len();
        packet.resize(length + payload.len() + self.rtp.tag(), 0);
        let (header, out) = packet.split_at_mut(length);
        match &mut self.rtp {
            Cipher::Gcm128 { cipher, .. } => cipher.encrypt(&head(&iv), header, payload, out).ok()?,
            Cipher::Gcm256 { cipher, .. } => cipher.encrypt(&head(&iv), header, payload, out).ok()?,
            Cipher::Cm { cipher, key, hmac, .. } => {
                cipher.encrypt(&iv, payload, out).ok()?;
                let sealed = length + payload.len();
                Aes128CmSha1_80::rtp_hmac(|key, parts| hmac.sha1_hmac(key, parts), key, &mut packet, sequence, sealed);
            }
        }
        Some(packet)
    }

    /// Seals a compound RTCP packet. `None`: the cipher failed.
    pub(super) fn seal_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = packet.split_at_checked(RTCP_HEADER)?;
        let index = self.rtcp_index;
        self.rtcp_index = (index + 1) % ENCRYPTED;
        let named = (index | ENCRYPTED).to_be_bytes();
        let iv = self.rtcp_out.rtcp_iv(ssrc_of(header)?, index);
        let mut aad = [0; RTCP_HEADER + INDEX];
        aad[..RTCP_HEADER].copy_from_slice(header);
        aad[RTCP_HEADER..].copy_from_slice(&named);
        let mut sealed = header.to_vec();
        sealed.resize(packet.len() + self.rtcp_out.tag(), 0);
        let out = &mut sealed[RTCP_HEADER..];
        match &mut self.rtcp_out {
            Cipher::Gcm128 { cipher, .. } => cipher.encrypt(&head(&iv), &aad, body, out).ok()?,
            Cipher::Gcm256 { cipher, .. } => cipher.encrypt(&head(&iv), &aad, body, out).ok()?,
            Cipher::Cm { cipher, key, hmac, .. } => {
                cipher.encrypt(&iv, body, out).ok()?;
                sealed.truncate(packet.len());
                sealed.extend(named);
                let tag = hmac.sha1_hmac(&key[..], &[&sealed]);
                sealed.extend(&tag[..Aes128CmSha1_80::HMAC_TAG_LEN]);
                return Some(sealed);
            }
        }
        sealed.extend(named);
        Some(sealed)
    }

    /// Opens a compound RTCP packet. `None`: it is not what the client has sent, is not encrypted, or came before.
    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let tag = self.rtcp_in.tag();
        let end = packet.len().checked_sub(INDEX + tag).filter(|end| *end >= RTCP_HEADER)?;
        let header = packet.get(..RTCP_HEADER)?;
        let at = if matches!(self.rtcp_in, Cipher::Cm { .. }) { end } else { end + tag };
        let named: [u8; INDEX] = packet.get(at..at + INDEX)?.try_into().ok()?;
        let index = u32::from_be_bytes(named);
        if index & ENCRYPTED == 0 {
            return None;
        }
        let (ssrc, index) = (ssrc_of(header)?, index ^ ENCRYPTED);
        let iv = self.rtcp_in.rtcp_iv(ssrc, index);
        let mut opened = header.to_vec();
        opened.resize(end, 0);
        let out = &mut opened[RTCP_HEADER..];
        let aads: [&[u8]; 2] = [header, &named];
        match &mut self.rtcp_in {
            Cipher::Gcm128 { cipher, .. } => {
                cipher.decrypt(&head(&iv), &aads, &packet[RTCP_HEADER..end + tag], out).ok()?;
            }
            Cipher::Gcm256 { cipher, .. } => {
                cipher.decrypt(&head(&iv), &aads, &packet[RTCP_HEADER..end + tag], out).ok()?;
            }
            Cipher::Cm { cipher, key, hmac, .. } => {
                let (sealed, tag) = packet.split_at(end + INDEX);
                if !Aes128CmSha1_80::rtcp_verify(|key, parts| hmac.sha1_hmac(key, parts), key, sealed, tag) {
                    return None;
                }
                cipher.decrypt(&iv, &packet[RTCP_HEADER..end], out).ok()?;
            }
        }
        self.came.admit(ssrc, index).then_some(opened)
    }
}

impl Cipher {
    fn tag(&self) -> usize {
        match self {
            Self::Gcm128 { .. } => AeadAes128Gcm::TAG_LEN,
            Self::Gcm256 { .. } => AeadAes256Gcm::TAG_LEN,
            Self::Cm { .. } => Aes128CmSha1_80::HMAC_TAG_LEN,
        }
    }

    /// The initialization vector of an RTP packet; GCM uses the first 12 bytes (RFC 7714 §8.1).
    fn rtp_iv(&self, ssrc: u32, sequence: u64) -> [u8; AES_BLOCK] {
        match self {
            Self::Gcm128 { salt, .. } | Self::Gcm256 { salt, .. } => {
                padded(AeadAes128Gcm::rtp_iv(*salt, ssrc, (sequence >> 16) as u32, sequence as u16))
            }
            Self::Cm { salt, .. } => Aes128CmSha1_80::rtp_iv(*salt, ssrc, sequence),
        }
    }

    /// The same of an RTCP packet (RFC 7714 §9.1).
    fn rtcp_iv(&self, ssrc: u32, index: u32) -> [u8; AES_BLOCK] {
        match self {
            Self::Gcm128 { salt, .. } | Self::Gcm256 { salt, .. } => padded(AeadAes128Gcm::rtcp_iv(*salt, ssrc, index)),
            Self::Cm { salt, .. } => Aes128CmSha1_80::rtp_iv(*salt, ssrc, u64::from(index)),
        }
    }
}

/// A master key and its salt.
struct Master<'a> {
    key: &'a [u8],
    salt: &'a [u8],
}

impl<'a> Master<'a> {
    /// Both keys come first, then both salts; in each pair the client's (RFC 5764 §4.2).
    fn new(keys: &'a Keys, of_client: bool) -> Option<Self> {
        let (key, salt) = match keys.profile {
            SrtpProfile::AES128_CM_SHA1_80 => (Aes128CmSha1_80::KEY_LEN, Aes128CmSha1_80::SALT_LEN),
            SrtpProfile::AEAD_AES_128_GCM => (AeadAes128Gcm::KEY_LEN, AeadAes128Gcm::SALT_LEN),
            SrtpProfile::AEAD_AES_256_GCM => (AeadAes256Gcm::KEY_LEN, AeadAes256Gcm::SALT_LEN),
            _ => return None,
        };
        let second = usize::from(!of_client);
        let part = |from: usize, length: usize| keys.material.get(from + second * length..from + (second + 1) * length);
        Some(Self { key: part(0, key)?, salt: part(2 * key, salt)? })
    }

    /// Session keys for the labels of encryption, authentication and salt.
    fn cipher(&self, crypto: &CryptoProvider, profile: SrtpProfile, labels: [u8; 3], encrypt: bool) -> Option<Cipher> {
        let srtp = crypto.srtp_provider;
        let [encryption, authentication, salt] = labels;
        Some(match profile {
            SrtpProfile::AES128_CM_SHA1_80 => Cipher::Cm {
                salt: self.derive(srtp, salt),
                key: self.derive(srtp, authentication),
                cipher: srtp.aes_128_cm_sha1_80().create_cipher(self.derive(srtp, encryption), encrypt),
                hmac: crypto.sha1_hmac_provider,
            },
            SrtpProfile::AEAD_AES_128_GCM => Cipher::Gcm128 {
                salt: self.derive(srtp, salt),
                cipher: srtp.aead_aes_128_gcm().create_cipher(self.derive(srtp, encryption), encrypt),
            },
            SrtpProfile::AEAD_AES_256_GCM => Cipher::Gcm256 {
                salt: self.derive(srtp, salt),
                cipher: srtp.aead_aes_256_gcm().create_cipher(self.derive(srtp, encryption), encrypt),
            },
            _ => return None,
        })
    }

    /// A session key: AES in counter mode over the salt with the label in its eighth byte (RFC 3711 §4.3).
    fn derive<const LENGTH: usize>(&self, srtp: &dyn SrtpProvider, label: u8) -> [u8; LENGTH] {
        let mut input = [0; AES_BLOCK];
        input[..self.salt.len()].copy_from_slice(self.salt);
        input[7] ^= label;
        let mut key = [0; LENGTH];
        for (round, part) in key.chunks_mut(AES_BLOCK).enumerate() {
            input[AES_BLOCK - 1] = round as u8;
            let mut block = [0; 2 * AES_BLOCK];
            if self.key.len() == AES_BLOCK {
                srtp.srtp_aes_128_ecb_round(self.key, &input, &mut block);
            } else {
                srtp.srtp_aes_256_ecb_round(self.key, &input, &mut block);
            }
            part.copy_from_slice(&block[..part.len()]);
        }
        key
    }
}

fn ssrc_of(header: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(header.get(4..RTCP_HEADER)?.try_into().ok()?))
}

fn padded(iv: [u8; 12]) -> [u8; AES_BLOCK] {
    let mut padded = [0; AES_BLOCK];
    padded[..iv.len()].copy_from_slice(&iv);
    padded
}

fn head(iv: &[u8; AES_BLOCK]) -> [u8; 12] {
    let mut head = [0; 12];
    head.copy_from_slice(&iv[..12]);
    head
}

#[cfg(test)]
mod tests;
