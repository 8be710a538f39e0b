//! What the pages for users mention exists: keys, variables, commands, metrics, files and headings.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;
use roundturn::cli::Cli;

use crate::assert_none;
use crate::tree::{File, files, rust_below};

#[test]
fn keys_are_in_the_configuration() {
    let keys = keys();
    let sections: HashSet<&str> = keys.iter().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    let is_unknown = |word: &str| {
        let name = word.split([' ', '=']).next().unwrap_or(word);
        name.split_once('.').is_some_and(|(section, _)| sections.contains(section)) && !keys.contains(name)
    };
    let mut violations = in_code(is_unknown);
    for page in pages() {
        let mut section = String::new();
        for (number, line) in fenced(&page, "toml") {
            let header = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let name = line.split_once(" = ").map(|(key, _)| format!("{section}.{key}"));
            match (header, name) {
                (Some((name, _)), _) => section = name.to_owned(),
                // Other programs have TOML too, and what stands in a table is named by whoever writes it.
                (None, Some(name)) if sections.contains(section.as_str()) && !keys.contains(&name) => {
                    violations.push(format!("{}:{number}: {name}", page.path));
                }
                _ => {}
            }
        }
    }
    assert_none("every key in docs/ and README.md is in conf/roundturn.toml", &violations);
}

#[test]
fn variables_belong_to_keys() {
    let mut known: HashSet<String> = HashSet::from(["ROUNDTURN_CONFIG".into(), "ROUNDTURN_SECTION__KEY".into()]);
    known.extend(keys().iter().map(|key| format!("ROUNDTURN_{}", key.replace('.', "__").to_ascii_uppercase())));
    let is_variable = |char: char| char.is_ascii_uppercase() || char == '_';
    let unknown = words_with("ROUNDTURN_", is_variable).into_iter().filter(|(_, name)| !known.contains(name));
    assert_none(
        "every variable sets a key",
        &unknown.map(|(place, name)| format!("{place}: {name}")).collect::<Vec<_>>(),
    );
}

#[test]
fn commands_are_understood() {
    let is_refused = |command: &str| {
        let command = command.strip_prefix("sudo ").unwrap_or(command);
        let command = command.split(['#', '>']).next().unwrap_or(command);
        let words = command.split_whitespace().map(|word| word.trim_matches('\''));
        // What stands for a value, like ADDRESS, need not be one.
        let of_names = [ErrorKind::InvalidSubcommand, ErrorKind::UnknownArgument];
        command.starts_with("roundturn ")
            && Cli::try_parse_from(words).is_err_and(|error| of_names.contains(&error.kind()))
    };
    let mut violations = in_code(is_refused);
    for page in pages() {
        let refused = fenced(&page, "sh").into_iter().filter(|(_, line)| is_refused(line));
        violations.extend(refused.map(|(number, line)| format!("{}:{number}: {line}", page.path)));
    }
    assert_none("every roundturn command has a subcommand and options that exist", &violations);
}

#[test]
fn metrics_are_exported() {
    let sources = rust_below(&["src/"]);
    let is_exported = |name: &str| {
        let quoted = format!("\"{name}\"");
        sources.iter().any(|file| file.lines.iter().any(|line| line.contains(&quoted)))
    };
    let is_metric = |char: char| char.is_ascii_lowercase() || char == '_';
    let unknown = words_with("roundturn_", is_metric).into_iter();
    let unknown = unknown.filter(|(_, name)| name != "roundturn_" && !is_exported(name));
    assert_none(
        "every metric has a name in src/",
        &unknown.map(|(place, name)| format!("{place}: {name}")).collect::<Vec<_>>(),
    );
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut violations = Vec::new();
    for page in pages() {
        let folder = root.join(&page.path);
        for (number, line) in page.lines.iter().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
                let (path, heading) = target.split_once('#').unwrap_or((target, ""));
                let file = if path.is_empty() { folder.clone() } else { folder.with_file_name(path) };
                let leads =
                    path.starts_with("http") || file.exists() && (heading.is_empty() || has_heading(&file, heading));
                if !leads {
                    violations.push(format!("{}:{}: {target}", page.path, number + 1));
                }
            }
        }
    }
    assert_none("every link in docs/ and README.md leads to a file and a heading", &violations);
}

/// README.md and everything in docs/.
fn pages() -> Vec<File> {
    let is_for_users = |file: &File| file.path == "README.md" || file.path.starts_with("docs/");
    files(&["md"]).into_iter().filter(is_for_users).collect()
}

/// `section.key` of all keys, by the file that shows them.
fn keys() -> HashSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/roundturn.toml");
    let (mut section, mut keys) = (String::new(), HashSet::new());
    for line in fs::read_to_string(path).expect("conf/roundturn.toml").lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{section}.{key}"));
        }
    }
    assert!(keys.len() > 20, "few keys: {keys:?}");
    keys
}

/// Every `word in backticks` of prose that is wrong, with its place.
fn in_code(is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for page in pages() {
        for (number, line) in page.lines.iter().enumerate().filter(|(_, line)| !line.starts_with("```")) {
            let wrong = line.split('`').skip(1).step_by(2).filter(|word| is_wrong(word));
            found.extend(wrong.map(|word| format!("{}:{}: {word}", page.path, number + 1)));
        }
    }
    found
}

/// Every word that begins with `prefix` and goes on with such characters, with its place.
fn words_with(prefix: &str, belongs: impl Fn(char) -> bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in pages() {
        for (number, line) in page.lines.iter().enumerate() {
            for (at, _) in line.match_indices(prefix) {
                let word = line[at..].chars().take_while(|char| belongs(*char)).collect();
                found.push((format!("{}:{}", page.path, number + 1), word));
            }
        }
    }
    found
}

/// The lines of all blocks in this language, with their numbers.
fn fenced<'a>(page: &'a File, language: &str) -> Vec<(usize, &'a str)> {
    let (mut inside, mut lines) = (false, Vec::new());
    for (number, line) in page.lines.iter().enumerate() {
        match line.strip_prefix("```") {
            Some(opened) => inside = !inside && opened == language,
            None if inside => lines.push((number + 1, line.as_str())),
            None => {}
        }
    }
    lines
}

/// Whether a page has a heading whose anchor is `anchor`.
fn has_heading(page: &Path, anchor: &str) -> bool {
    let slug = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    };
    let text = fs::read_to_string(page).unwrap_or_default();
    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line.trim_start_matches('#').trim()) == anchor)
}
