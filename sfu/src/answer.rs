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
pub(crate) fn finish(answer: &str, slots: &SlotRequest, credentials: &Credentials<'_>) -> String {
    let streams = streams(answer, slots);
    let candidates: Vec<&str> = answer.lines().filter(|line| is_candidate(line)).collect();
    let mut stream: Option<&str> = None;
    let mut sections = streams.iter();
    let mut finished = String::with_capacity(answer.len() * 2);
    for line in answer.lines().filter(|line| !is_candidate(line)) {
        if line.starts_with("m=") {
            stream = sections.next().and_then(Option::as_deref);
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
