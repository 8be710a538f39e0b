//! How files look.

use std::fs;
use std::path::Path;

use crate::assert_none;
use crate::tree::{File, files, find, rust_below};

/// A file has one job; one that is longer has two.
const MOST_LINES: usize = 400;

#[test]
fn files_are_short() {
    let is_long = |file: &&File| file.lines.len() > MOST_LINES;
    let files = files(&["rs", "js", "mjs", "py", "sh", "css"]);
    let long = files.iter().filter(is_long).map(|file| format!("{}: {} lines", file.path, file.lines.len()));
    assert_none(&format!("a file has at most {MOST_LINES} lines"), &long.collect::<Vec<_>>());
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let begins = |file: &&File| {
        let first = file.lines.first().map(String::as_str).unwrap_or_default();
        !first.starts_with("//! ") && !first.starts_with("#!")
    };
    let files = files(&["rs"]);
    let bare = files.iter().filter(begins).map(|file| file.path.clone());
    assert_none("the first line of a file says what it is for", &bare.collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later() {
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let code = [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("dbg", "!")];
    let attributes = [concat!("#[ig", "nore"), concat!("allow(dead", "_code")];
    let mut violations = Vec::new();
    for file in files(&["rs", "js", "mjs", "py", "sh", "css", "html"]) {
        let lines = || file.lines.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()));
        violations.extend(find(&file, lines(), &notes));
        let plain = lines().filter(|(_, line)| code.iter().chain(&attributes).any(|text| line.contains(text)));
        violations.extend(plain.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    assert_none("no notes for later, no dead code, no ignored tests", &violations);
}

#[test]
fn tests_do_not_sleep() {
    let sleeps = [concat!("thread::", "sleep"), concat!("time::", "sleep"), concat!("park_", "timeout")];
    let tests = rust_below(&["tests/", "src/", "turn/", "sfu/"]);
    let in_tests = tests.iter().flat_map(|file| {
        let shipped = file.shipped().last().map_or(0, |(number, _)| number);
        find(file, file.code().filter(|(number, _)| *number > shipped), &sleeps)
    });
    assert_none("tests own time and never sleep", &in_tests.collect::<Vec<_>>());
}

#[test]
fn the_readme_names_every_part() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut parts = Vec::new();
    for entry in fs::read_dir(root.join("src")).unwrap() {
        parts.push(entry.unwrap().file_name().to_string_lossy().into_owned());
    }
    for folder in ["turn", "sfu", "web", "conf", "systemd", "benches", "fuzz", "tests", "docs"] {
        if root.join(folder).is_dir() {
            parts.push(folder.to_owned());
        }
    }
    parts.sort();
    let is_missing = |part: &&String| !readme.contains(part.as_str());
    let missing = parts.iter().filter(is_missing).cloned().collect::<Vec<_>>();
    assert_none("README.md's map names every part", &missing);
}
