//! The key that somebody probably meant.

use super::keys::KEYS;

/// The name of the key nearest to `written` (`section.key`), if one is near; otherwise one of the same
/// name in another section.
pub fn key(written: &str) -> Option<&'static str> {
    let last = written.rsplit('.').next().unwrap_or(written);
    let names = || KEYS.iter().map(|key| key.name);
    nearest(written, names()).or_else(|| names().find(|name| name.rsplit('.').next() == Some(last)))
}

/// The name of the section nearest to `written`, if one is near.
pub fn section(written: &str) -> Option<&'static str> {
    nearest(written, KEYS.iter().map(super::keys::Key::section))
}

/// The candidate with the fewest edits, as long as they are few for the length of the word.
pub fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 4).max(2);
    if written.len() > 100 {
        return None;
    }
    candidates
        .map(|name| (distance(written, name), name))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap neighbours) from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for row in 1..=from.len() {
        let mut line = vec![row];
        for column in 1..=to.len() {
            let replace = above[column - 1] + usize::from(from[row - 1] != to[column - 1]);
            let mut edits = replace.min(above[column] + 1).min(line[column - 1] + 1);
            let swapped = row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if swapped {
                edits = edits.min(before[column - 2] + 1);
            }
            line.push(edits);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[to.len()]
}
