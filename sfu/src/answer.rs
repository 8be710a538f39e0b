//! What is changed in an engine's answer before it is sent.

use crate::SlotRequest;

/// ICE credentials that the engine wrote and those that hold.
pub(crate) struct Credentials<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) password: &'a str,
}

/// Gives the slots of one index one media stream, so that browsers keep lips in sync, puts the credentials right, and
/// says in every section where we are.
///
/// A section that the client made carries no `a=msid`, and the engine invents a stream for each; it never reads them
/// back (RFC 8830 §2). After an ICE restart it also invents the credentials, from numbers that can be guessed.
/// Candidates stand in the first section only, which is enough for browsers; other clients read each section by itself.
/// The codecs come in the offer's order: a browser sends the first of the answer.
pub(crate) fn finish(offer: &str, answer: &str, slots: &SlotRequest, credentials: &Credentials<'_>) -> String {
    let streams = streams(answer, slots);
    let mut media = media_lines(offer, answer).into_iter();
    let candidates: Vec<&str> = answer.lines().filter(|line| is_candidate(line)).collect();
    let mut stream: Option<&str> = None;
    let mut sections = streams.iter();
    let mut finished = String::with_capacity(answer.len() * 2);
    for line in answer.lines().filter(|line| !is_candidate(line)) {
        if line.starts_with("m=") {
            stream = sections.next().and_then(Option::as_deref);
            finished.extend([media.next().as_deref().unwrap_or(line), "\r\n"]);
            continue;
        }
        if line.starts_with("a=ice-ufrag:") {
            finished.extend(["a=ice-ufrag:", credentials.ufrag]);
        } else if line.starts_with("a=ice-pwd:") {
            finished.extend(["a=ice-pwd:", credentials.password]);
        } else if let Some((head, track, stream)) = stream.and_then(|stream| with_stream(line, stream)) {
            finished.extend([head, stream, " ", track]);
        } else {
            finished.push_str(line);
        }
        finished.push_str("\r\n");
        if line.starts_with("a=mid:") {
            push_candidates(&mut finished, &candidates, credentials.ufrag);
        }
    }
    finished
}

fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:")
}

/// All of our candidates; there will be no others (RFC 8840 §8.2).
fn push_candidates(finished: &mut String, candidates: &[&str], ufrag: &str) {
    for candidate in candidates {
        match candidate.split_once(" ufrag ") {
            Some((head, _)) => finished.extend([head, " ufrag ", ufrag]),
            None => finished.push_str(candidate),
        }
        finished.push_str("\r\n");
    }
    finished.push_str("a=end-of-candidates\r\n");
}

/// The `m=` lines of the answer with the payload types in the order of the offer, but H264 behind VP8: some browsers name it
/// first without being asked, and not everyone can decode it.
fn media_lines(offer: &str, answer: &str) -> Vec<String> {
    let mut offered = offer.lines().filter(|line| line.starts_with("m="));
    let mut lines = Vec::new();
    for section in answer.split("\r\nm=").skip(1) {
        let (line, attributes) = section.split_once("\r\n").unwrap_or((section, ""));
        let order: Vec<&str> = offered.next().map(|line| line.split(' ').skip(3).collect()).unwrap_or_default();
        let is = |payload_type: &str, codec: &str| attributes.contains(&format!("a=rtpmap:{payload_type} {codec}/"));
        let mut words: Vec<&str> = line.split(' ').collect();
        let types = words.split_off(words.len().min(3));
        let has_vp8 = types.iter().any(|one| is(one, "VP8"));
        let mut types: Vec<_> = types
            .into_iter()
            .map(|one| (has_vp8 && is(one, "H264"), order.iter().position(|other| *other == one), one))
            .collect();
        types.sort_by_key(|(is_last, at, _)| (*is_last, at.unwrap_or(usize::MAX)));
        words.extend(types.iter().map(|(_, _, one)| *one));
        lines.push(format!("m={}", words.join(" ")));
    }
    lines
}

/// The stream of each section, in order, where it is a slot.
fn streams(answer: &str, slots: &SlotRequest) -> Vec<Option<String>> {
    let mut streams = Vec::new();
    for line in answer.lines() {
        if line.starts_with("m=") {
            streams.push(None);
        } else if let (Some(mid), Some(stream)) = (line.strip_prefix("a=mid:"), streams.last_mut()) {
            let index = [&slots.audio, &slots.video].into_iter().find_map(|mids| mids.iter().position(|m| m == mid));
            *stream = index.map(|index| format!("slot{index}"));
        }
    }
    streams
}

/// The line up to its stream, its track, and the stream to put between, if it is an msid line.
fn with_stream<'a>(line: &'a str, stream: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let at = if line.starts_with("a=msid:") {
        "a=msid:".len()
    } else if line.starts_with("a=ssrc:") {
        line.find(" msid:")? + " msid:".len()
    } else {
        return None;
    };
    let (_, track) = line[at..].split_once(' ')?;
    Some((&line[..at], track, stream))
}

#[cfg(test)]
mod tests;
