//! Reads the tree and holds what the compiler does not: who may know whom, where things live, how long a file is.

mod arrows;
mod docs;
mod homes;
mod style;
mod tree;

/// Fails with every violation, one a line.
fn assert_none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}\n  {}\n", violations.join("\n  "));
}
