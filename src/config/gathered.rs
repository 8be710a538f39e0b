//! Everything that is written, from the file and the environment, before anything is decided.

use std::path::{Path, PathBuf};

use super::environment;
use super::file::{self, Written};
use super::problem::{ConfigError, Problem};
use super::value::Place;

/// Where the configuration is looked for when nobody names a file.
pub const DEFAULT_FILE: &str = "/etc/roundturn/roundturn.toml";

/// The largest configuration file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// All that is written, and nothing decided yet.
#[derive(Clone)]
pub struct Gathered {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The known keys.
    pub written: Written,
    /// All variables.
    pub env: Vec<(String, String)>,
    /// What is wrong already.
    pub problems: Vec<Problem>,
}

impl Gathered {
    /// From where [`Settings::load`] looks.
    ///
    /// # Errors
    /// A named file that cannot be read.
    pub fn load(path: Option<&Path>, env: Vec<(String, String)>) -> Result<Self, ConfigError> {
        let named = path.map(Path::to_path_buf).or_else(|| variable(&env, "ROUNDTURN_CONFIG").map(PathBuf::from));
        let file = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Self::new(Some((&file, &bytes)), env)),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(Self::new(None, env)),
            Err(source) => Err(ConfigError::Read { file, source }),
        }
    }

    /// From the content of a file, if there is one, and the variables of `env` over it.
    pub fn new(source: Option<(&Path, &[u8])>, env: Vec<(String, String)>) -> Self {
        let mut problems = Vec::new();
        let mut written = match source {
            Some((file, bytes)) => read(file, bytes, &mut problems),
            None => Written::new(),
        };
        environment::overlay(&env, &mut written, &mut problems);
        Self { file: source.map(|(file, _)| file.to_path_buf()), written, env, problems }
    }
}

/// The text of a file, if it is text of a sensible length.
fn read(file: &Path, bytes: &[u8], problems: &mut Vec<Problem>) -> Written {
    let mut refuse = |line: usize, rule: String| {
        problems.push(Problem { place: Place::File(file.into(), line), key: String::new(), value: None, rule });
    };
    if bytes.len() > LONGEST_FILE {
        refuse(1, format!("a configuration must be at most {LONGEST_FILE} bytes"));
        return Written::new();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => file::parse(file, text, problems),
        Err(error) => {
            let before = bytes.iter().take(error.valid_up_to());
            refuse(1 + before.filter(|byte| **byte == b'\n').count(), "must be UTF-8".to_owned());
            Written::new()
        }
    }
}

/// A variable that is set, and not to nothing.
pub fn variable(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
}
