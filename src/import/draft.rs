//! The `roundturn.toml` that is being written.

use std::fmt::Write as _;

use super::Input;
use super::note::{Kind, Note};

/// The sections, in the order of `conf/roundturn.toml`.
const SECTIONS: [&str; 11] =
    ["listen", "address", "ports", "relay", "auth", "auth.users", "peers", "limits", "tls", "shards", "log"];

/// Keys with values that are TOML already, by section.
#[derive(Default)]
pub struct Draft {
    lines: Vec<(&'static str, String)>,
}

impl Draft {
    /// Sets `section.key`, which nobody sets twice, to a value written by [`text`], [`texts`] or a number.
    pub fn set(&mut self, section: &'static str, key: &str, value: impl std::fmt::Display) {
        self.lines.push((section, format!("{} = {value}", name(key))));
    }

    /// Adds a comment to a section.
    pub fn comment(&mut self, section: &'static str, words: &str) {
        self.lines.push((section, format!("# {}", printable(words))));
    }

    /// Sets `section.key` in a comment: for what was off in coturn.
    pub fn set_off(&mut self, section: &'static str, key: &str, value: impl std::fmt::Display) {
        self.lines.push((section, format!("# {} = {value}", name(key))));
    }

    /// The whole file.
    pub fn render(&self, input: &Input<'_>, notes: &[Note], same: &[String]) -> String {
        let mut out = String::from("# roundturn.toml, made by `roundturn import`");
        if let Some(file) = input.file {
            out.push_str(&printable(&format!(" from {}", file.path.display())));
        }
        out.push_str(
            ".\n# Keys that are not here have their defaults. Check it with `roundturn --config FILE check`.\n",
        );
        for section in SECTIONS {
            let mut lines = self.lines.iter().filter(|(of, _)| *of == section).peekable();
            if lines.peek().is_some() {
                let _ = write!(out, "\n[{section}]\n");
            }
            for (_, line) in lines {
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push_str(&footer(notes, same));
        out
    }
}

/// A TOML string.
pub fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML list of strings; on several lines once it is long.
pub fn texts<S: AsRef<str>>(values: &[S]) -> String {
    lines(&values.iter().map(|value| text(value.as_ref())).collect::<Vec<_>>())
}

/// A TOML list of values that are TOML already.
pub fn lines(values: &[String]) -> String {
    if values.len() <= 3 && values.iter().map(String::len).sum::<usize>() <= 90 {
        return format!("[{}]", values.join(", "));
    }
    let rows: String = values.iter().map(|value| format!("    {value},\n")).collect();
    format!("[\n{rows}]")
}

/// What became of the rest, as comments.
fn footer(notes: &[Note], same: &[String]) -> String {
    let mut out = String::new();
    if !notes.is_empty() {
        out.push_str("\n# What is not as it was:\n");
    }
    for note in notes {
        let _ = writeln!(out, "#   {}", printable(&note.to_string()));
        if note.kind == Kind::Refused {
            out.push_str("#   ^ decide about this one before you start\n");
        }
    }
    if !same.is_empty() {
        let _ = writeln!(out, "\n# Needs no setting, because it always is so: {}", printable(&same.join(", ")));
    }
    out
}

/// A key, quoted where TOML wants that.
fn name(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { text(key) }
}

/// Words for a comment: TOML allows no control characters there.
fn printable(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
