//! What is changed in an engine's answer before it is sent.

use crate::SlotRequest;

/// ICE credentials that the engine wrote and those that hold.
pub(crate) struct Credentials<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) password: &'a str,
}

/// Gives the slots of one index one media stream, so that browsers keep lips in sync, and puts the credentials right.
///
/// A section that the client made carries no `a=msid`, and the engine invents a stream for each; it never reads them
/// back (RFC 8830 §2). After an ICE restart it also invents the credentials, from numbers that can be guessed.
pub(crate) fn finish(answer: &str, slots: &SlotRequest, credentials: &Credentials<'_>) -> String {
    let streams = streams(answer, slots);
    let mut stream: Option<&str> = None;
    let mut sections = streams.iter();
    let mut finished = String::with_capacity(answer.len() + 64);
    for line in answer.lines() {
        if line.starts_with("m=") {
            stream = sections.next().and_then(Option::as_deref);
        }
        if line.starts_with("a=ice-ufrag:") {
            finished.push_str("a=ice-ufrag:");
            finished.push_str(credentials.ufrag);
        } else if line.starts_with("a=ice-pwd:") {
            finished.push_str("a=ice-pwd:");
            finished.push_str(credentials.password);
        } else if let Some((candidate, _)) = line.split_once(" ufrag ").filter(|_| line.starts_with("a=candidate:")) {
            finished.push_str(candidate);
            finished.push_str(" ufrag ");
            finished.push_str(credentials.ufrag);
        } else if let Some((head, track, stream)) = stream.and_then(|stream| with_stream(line, stream)) {
            finished.extend([head, stream, " ", track]);
        } else {
            finished.push_str(line);
        }
        finished.push_str("\r\n");
    }
    finished
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
