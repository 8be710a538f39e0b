//! Vectors of the RFCs, and both ends of a handshake.

use str0m::crypto::dtls::KeyingMaterial;

use super::*;
use crate::handshake::provider;

const PROFILES: [(SrtpProfile, usize); 3] = [
    (SrtpProfile::AES128_CM_SHA1_80, 2 * (16 + 14)),
    (SrtpProfile::AEAD_AES_128_GCM, 2 * (16 + 12)),
    (SrtpProfile::AEAD_AES_256_GCM, 2 * (32 + 12)),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Both ends of a handshake: the client's and the server's.
fn ends(profile: SrtpProfile, length: usize) -> (Srtp, Srtp) {
    let material: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
    let end = |is_client| {
        let keys = Keys { profile, material: KeyingMaterial::new(&material), is_client };
        Srtp::new(&provider(), &keys).unwrap()
    };
    (end(true), end(false))
}

#[test]
fn session_keys_are_those_of_rfc_3711_appendix_b_3() {
    let (key, salt) = (bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), bytes("0EC675AD498AFEEBB6960B3AABE6"));
    let (master, crypto) = (Master { key: &key, salt: &salt }, provider());
    let derive = |label| master.derive::<20>(crypto.srtp_provider, label);
    assert_eq!(derive(0)[..16], bytes("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derive(2)[..14], bytes("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(derive(1)[..], bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

#[test]
fn a_packet_is_sealed_as_in_rfc_7714_section_16_1_1() {
    let (mut srtp, _) = ends(SrtpProfile::AEAD_AES_128_GCM, 56);
    let key: [u8; 16] = std::array::from_fn(|byte| byte as u8);
    let salt = bytes("517569642070726f2071756f").try_into().unwrap();
    srtp.rtp = Cipher::Gcm128 { salt, cipher: provider().srtp_provider.aead_aes_128_gcm().create_cipher(key, true) };
    let payload = bytes("47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573");
    let sealed = srtp.seal(bytes("8040f17b 8041f8d3 5501a0b2"), 0x5501_a0b2, 0xf17b, &payload).unwrap();
    let expected = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
                    51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
    assert_eq!(sealed, bytes(expected));
}

#[test]
fn what_one_end_reports_the_other_reads() {
    for (profile, length) in PROFILES {
        let (mut client, mut server) = ends(profile, length);
        let report: Vec<u8> = [0x81, 201, 0, 7].into_iter().chain(0..28).collect();
        for _ in 0..3 {
            let sealed = client.seal_rtcp(&report).unwrap();
            assert_ne!(sealed[8..report.len()], report[8..], "{profile:?}");
            assert_eq!(server.open_rtcp(&sealed).as_deref(), Some(&report[..]), "{profile:?}");
            assert_eq!(client.open_rtcp(&sealed), None, "its own, {profile:?}");
            let sealed = server.seal_rtcp(&report).unwrap();
            assert_eq!(client.open_rtcp(&sealed).as_deref(), Some(&report[..]), "{profile:?}");
        }
    }
}

#[test]
fn what_was_changed_or_cut_off_is_not_read() {
    for (profile, length) in PROFILES {
        let (mut client, mut server) = ends(profile, length);
        let report: Vec<u8> = [0x81, 201, 0, 7].into_iter().chain(0..28).collect();
        let sealed = client.seal_rtcp(&report).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(server.open_rtcp(&changed), None, "{profile:?}, byte {at}");
            assert_eq!(server.open_rtcp(&sealed[..at]), None, "{profile:?}, {at} bytes");
        }
        assert!(server.open_rtcp(&sealed).is_some(), "what was forged counts for nothing, {profile:?}");
    }
}

#[test]
fn what_came_before_is_not_read_again() {
    for (profile, length) in PROFILES {
        let (mut client, mut server) = ends(profile, length);
        let report: Vec<u8> = [0x81, 201, 0, 7].into_iter().chain(0..28).collect();
        let sealed: Vec<_> = (0..3).map(|_| client.seal_rtcp(&report).unwrap()).collect();
        for (at, is_new) in [(0, true), (2, true), (1, true), (1, false), (2, false), (0, false)] {
            assert_eq!(server.open_rtcp(&sealed[at]).is_some(), is_new, "{profile:?}, {at}");
        }
    }
}

#[test]
fn the_same_packet_is_sealed_differently_at_every_number() {
    for (profile, length) in PROFILES {
        let (mut server, _) = ends(profile, length);
        let mut seal = |ssrc, sequence| server.seal(vec![0x80; 12], ssrc, sequence, &[7; 40]).unwrap();
        let sealed = [seal(1, 5), seal(1, 6), seal(2, 5), seal(1, 5 + (1 << 16))];
        for (at, one) in sealed.iter().enumerate() {
            assert_eq!(one[..12], [0x80; 12]);
            assert!(sealed[..at].iter().all(|other| other[12..52] != one[12..52]), "{profile:?}");
        }
        assert_eq!(seal(1, 5), sealed[0]);
    }
}
