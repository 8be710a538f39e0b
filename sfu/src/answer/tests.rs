//! What is changed in answers.

use super::*;

/// As the engine writes it.
const ANSWER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 5 192.0.2.1 9 typ host ufrag old\r\n\
    a=ice-ufrag:old\r\na=ice-pwd:oldpwd\r\na=mid:0\r\na=recvonly\r\na=msid:s0 t0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=msid:s1 t1\r\na=ssrc:5 cname:c\r\na=ssrc:5 msid:s1 t1\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=msid:s2 t2\r\na=ssrc:6 msid:s2 t2\r\n";

/// The same with the candidate in every section.
fn expected() -> String {
    let candidate = "a=candidate:1 1 udp 5 192.0.2.1 9 typ host ufrag old\r\n";
    let mut answer = ANSWER.replace(candidate, "");
    for mid in ["a=mid:0\r\n", "a=mid:1\r\n", "a=mid:2\r\n"] {
        answer = answer.replace(mid, &format!("{mid}{candidate}a=end-of-candidates\r\n"));
    }
    answer
}

#[test]
fn every_section_says_where_we_are_and_that_this_is_all() {
    let finished = finish("", ANSWER, &SlotRequest::default(), &Credentials { ufrag: "old", password: "oldpwd" });
    assert_eq!(finished, expected());
}

#[test]
fn slots_of_one_index_share_a_stream() {
    let slots = SlotRequest { audio: vec!["1".to_owned()], video: vec!["2".to_owned()] };
    let finished = finish("", ANSWER, &slots, &Credentials { ufrag: "old", password: "oldpwd" });
    assert_eq!(finished, expected().replace("msid:s1 ", "msid:slot0 ").replace("msid:s2 ", "msid:slot0 "));
}

#[test]
fn our_credentials_replace_the_engines() {
    let finished = finish("", ANSWER, &SlotRequest::default(), &Credentials { ufrag: "new", password: "newpwd" });
    assert_eq!(finished, expected().replace("old", "new"));
}

#[test]
fn codecs_come_in_the_offers_order_but_h264_behind_vp8() {
    let answer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 108 98\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
        a=rtpmap:108 H264/90000\r\na=rtpmap:98 VP9/90000\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    let offer =
        |types: &str| format!("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF {types}\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n");
    let lines = |types: &str| media_lines(&offer(types), answer)[0].clone();
    assert_eq!(lines("98 96 97 108"), "m=video 9 UDP/TLS/RTP/SAVPF 98 96 97 108");
    assert_eq!(lines("108 98 96 97"), "m=video 9 UDP/TLS/RTP/SAVPF 98 96 97 108");
    assert_eq!(media_lines(&offer("96"), answer)[1], "m=video 9 UDP/TLS/RTP/SAVPF 96");
}
