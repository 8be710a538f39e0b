//! The files of this repository that people write, and which of their lines are code.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    pub lines: Vec<String>,
}

/// Folders that nobody writes by hand.
const SKIPPED: [&str; 4] = ["target", "node_modules", ".git", "corpus"];

/// Every file with one of these extensions, and scripts without one.
pub fn files(extensions: &[&str]) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut pending, mut files) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree") {
            let path = entry.expect("an entry of the tree").path();
            let name = path.file_name().expect("entries have names").to_string_lossy().into_owned();
            if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if let Some(file) = read(root, &path, extensions) {
                files.push(file);
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(!files.is_empty(), "no files with {extensions:?} below {}", root.display());
    files
}

/// Every Rust file below one of these paths.
pub fn rust_below(prefixes: &[&str]) -> Vec<File> {
    let is_below = |file: &File| prefixes.iter().any(|prefix| file.path.starts_with(prefix));
    files(&["rs"]).into_iter().filter(is_below).collect()
}

fn read(root: &Path, path: &PathBuf, extensions: &[&str]) -> Option<File> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    let wanted = match &extension {
        Some(extension) => extensions.contains(&extension.as_str()),
        None => extensions.contains(&"sh") && fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!")),
    };
    if !wanted {
        return None;
    }
    let text = fs::read_to_string(path).expect("source files are UTF-8");
    let path = path.strip_prefix(root).expect("the tree is below its root").to_string_lossy().replace('\\', "/");
    Some(File { path, lines: text.lines().map(str::to_owned).collect() })
}

impl File {
    /// Whether all of it is test or bench.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || self.path.split('/').any(|folder| ["tests", "benches"].contains(&folder))
    }

    /// Lines of code that ship: no comments, nothing from the first `#[cfg(test)]` on, nothing of a test file.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = match self.is_test() {
            true => 0,
            false => self.lines.iter().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(self.lines.len()),
        };
        self.code().take_while(move |(number, _)| *number <= end)
    }

    /// Lines of code without their comments, each with its number.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()));
        numbered
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
    }
}

/// Whether `word` stands in `line` with nothing of an identifier around it.
pub fn has_word(line: &str, word: &str) -> bool {
    let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    line.match_indices(word)
        .any(|(at, _)| !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next()))
}

/// Where one of these words stands in these lines.
pub fn find<'a>(file: &File, lines: impl Iterator<Item = (usize, &'a str)>, words: &[&str]) -> Vec<String> {
    let hit = |line: &str| words.iter().find(|word| has_word(line, word)).copied();
    lines.filter_map(|(number, line)| Some(format!("{}:{number}: {}", file.path, hit(line)?))).collect()
}

#[test]
fn a_word_is_not_a_part_of_another() {
    assert!(has_word("let x: Rtc = y;", "Rtc"));
    assert!(!has_word("let x: RtcConfig = y;", "Rtc"));
    assert!(has_word("use std::thread;", "std::thread"));
    assert!(!has_word("#![deny(unsafe_code)]", "unsafe"));
}
