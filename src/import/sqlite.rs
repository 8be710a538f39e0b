//! coturn's SQLite database, read by the `sqlite3` program.
//!
//! It runs once in the life of an installation, on a host where Debian's coturn has brought `sqlite3` along. That is
//! not worth a C library, or a reader of a foreign file format, in the daemon.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

use super::rows::{Database, Row, UserRow};

/// The most rows of one table that are read.
const MOST_ROWS: usize = 100_000;

/// The tables and the columns that are read, in the order of their fields.
const TABLES: [(&str, &[&str]); 7] = [
    ("turnusers_lt", &["realm", "name", "hmackey"]),
    ("turn_secret", &["realm", "value"]),
    ("allowed_peer_ip", &["realm", "ip_range"]),
    ("denied_peer_ip", &["realm", "ip_range"]),
    ("turn_realm_option", &["realm", "opt || '=' || value"]),
    ("turn_origin_to_realm", &["origin"]),
    ("oauth_key", &["kid"]),
];

/// Why a database could not be read.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// It is not there, or not for us.
    #[error("{path} cannot be read: {source}")]
    Open {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The program is missing.
    #[error("the sqlite3 program is needed to read {path} ({source}); install it (apt install sqlite3) and try again")]
    NoProgram {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The program did not like it.
    #[error("{path} is no database of coturn's: {said}")]
    Refused {
        /// The database.
        path: PathBuf,
        /// What the program said.
        said: String,
    },
}

/// Reads a database of coturn's. Tables that are missing are empty.
///
/// # Errors
/// [`DatabaseError`] where the file or the program is missing, or the file is no such database.
pub fn read_database(path: &Path) -> Result<Database, DatabaseError> {
    std::fs::File::open(path).map_err(|source| DatabaseError::Open { path: path.to_owned(), source })?;
    let tables = ask(path, "SELECT hex(name) FROM sqlite_master WHERE type = 'table'")?;
    let tables: Vec<String> = tables.lines().map(unhex).collect();
    let mut database = Database::default();
    let mut any = false;
    for (table, columns) in TABLES {
        if tables.iter().any(|name| name == table) {
            any = true;
            let columns: Vec<String> = columns.iter().map(|column| format!("hex({column})")).collect();
            let answer = ask(path, &format!("SELECT {} FROM {table} LIMIT {MOST_ROWS}", columns.join(", ")))?;
            answer.lines().for_each(|line| take(&mut database, table, line));
        }
    }
    if any {
        Ok(database)
    } else {
        Err(DatabaseError::Refused { path: path.to_owned(), said: "none of coturn's tables is in it".to_owned() })
    }
}

/// One query; every column comes in hexadecimal digits, so that no value can look like a separator.
fn ask(path: &Path, query: &str) -> Result<String, DatabaseError> {
    // An absolute path cannot be taken for an option.
    let file = std::path::absolute(path).map_err(|source| DatabaseError::Open { path: path.to_owned(), source })?;
    let options =
        ["-readonly", "-batch", "-noheader", "-list", "-separator", "|", "-init", "/dev/null"].map(OsStr::new);
    let output = Command::new("sqlite3")
        .args(options)
        .args([file.as_os_str(), OsStr::new(query)])
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DatabaseError::NoProgram { path: path.to_owned(), source })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(DatabaseError::Refused { path: path.to_owned(), said })
    }
}

fn take(database: &mut Database, table: &str, line: &str) {
    let mut columns = line.split('|').map(unhex);
    let mut column = || columns.next().unwrap_or_default();
    let rows = match table {
        "turnusers_lt" => {
            return database.users.push(UserRow { realm: column(), name: column(), key: column() });
        }
        "turn_origin_to_realm" => return database.origins += 1,
        "oauth_key" => return database.oauth_keys += 1,
        "turn_secret" => &mut database.secrets,
        "allowed_peer_ip" => &mut database.allowed_peers,
        "denied_peer_ip" => &mut database.denied_peers,
        _ => &mut database.realm_options,
    };
    rows.push(Row { realm: column(), value: column() });
}

fn unhex(digits: &str) -> String {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0);
    let bytes: Vec<u8> = digits
        .trim()
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | value(*digit)))
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
