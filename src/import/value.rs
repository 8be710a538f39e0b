//! Values as coturn reads them, and a little more leniently.

/// coturn's name and value of one line: the name ends at the first blank or `=`, a value may be in double quotes.
pub fn split(line: &str) -> (&str, &str) {
    let blank = [' ', '\t', '='];
    match line.split_once(blank) {
        Some((name, value)) => (name, unquoted(value.trim_start_matches(blank).trim_end())),
        None => (line, ""),
    }
}

/// The value without a trailing ` # comment`, if it has one. coturn itself knows no such comments.
pub fn without_comment(value: &str) -> Option<&str> {
    let start = if value.starts_with('#') {
        0
    } else {
        value.match_indices('#').map(|(at, _)| at).find(|&at| value[..at].ends_with([' ', '\t']))?
    };
    let kept = value[..start].trim_end();
    Some(kept.strip_suffix('"').unwrap_or(kept))
}

/// A boolean by coturn's rules: nothing is true. `None` where coturn would stop.
pub fn boolean(value: &str) -> Option<bool> {
    match value.chars().next() {
        None | Some('y' | 'Y' | 't' | 'T' | '1'..='9') => Some(true),
        Some('n' | 'N' | 'f' | 'F' | '0') => Some(false),
        Some(_) if value.eq_ignore_ascii_case("on") => Some(true),
        Some(_) if value.eq_ignore_ascii_case("off") => Some(false),
        Some(_) => None,
    }
}

/// The number that a value begins with, as C's `atoi` finds it.
pub fn number(value: &str) -> Option<i64> {
    let value = value.trim_start();
    let (sign, digits) = match value.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, value.strip_prefix('+').unwrap_or(value)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    Some(sign * digits[..end].parse::<i64>().ok()?)
}

/// A port other than 0.
pub fn port(value: &str) -> Option<u16> {
    number(value).and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0)
}

/// Whether this is a hole that some script was to fill: `$IP`, `<your-ip>`, `$(detect-external-ip)`.
pub fn is_placeholder(value: &str) -> bool {
    value.contains(['$', '<', '`', '{'])
}

fn unquoted(value: &str) -> &str {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').unwrap_or(rest),
        None => value,
    }
}
