//! Strings in the languages of other programs.

use std::fmt::Write as _;

/// JSON and YAML.
pub fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lua.
pub fn lua(text: &str) -> String {
    escaped(text, |out, c| {
        let _ = write!(out, "\\{:03}", u32::from(c));
    })
}

/// libconfig, as Janus reads it.
pub fn libconfig(text: &str) -> String {
    escaped(text, |out, c| {
        let _ = write!(out, "\\x{:02x}", u32::from(c));
    })
}

/// An attribute of XML, with its quotes.
pub fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!("\"{text}\"")
}

/// One word of a shell.
pub fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Text in double quotes, in which a backslash escapes quotes, backslashes and, as `control` does it, control characters.
fn escaped(text: &str, control: impl Fn(&mut String, char)) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii_control() => control(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
