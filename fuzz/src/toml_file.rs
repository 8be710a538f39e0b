//! The configuration file: settings, or refusals that each name a line of it.

use std::path::Path;

use roundturn::config::{ConfigError, Place, Settings};

/// Whatever is written is decided or refused, and nothing panics.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Settings::parse(Path::new("r.toml"), &text, &[]) {
        Ok(settings) => assert!(settings.warnings(0).iter().all(|warning| !warning.is_empty())),
        Err(ConfigError::Refused(problems)) => {
            let lines = text.lines().count() + 1;
            assert!(!problems.is_empty());
            for problem in &problems {
                let Place::File(_, line) = problem.place else { panic!("{problem}") };
                assert!((1..=lines).contains(&line), "{problem}");
                assert!(!problem.rule.is_empty());
            }
        }
        Err(error) => panic!("{error}"),
    }
}
