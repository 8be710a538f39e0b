//! The importer of coturn's settings: whatever they are, the result is a configuration of ours, with notes on the rest.

use std::path::Path;

use roundturn::config::{ConfigError, Settings};
use roundturn::import::{ConfigFile, Database, Imported, Input, Row, UserRow, import};

/// The first byte says where the rest stood: in the file, on the command line, in both, or in the database.
pub fn check(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let file = Some(ConfigFile { path: Path::new("/etc/turnserver.conf"), text: &text });
    let words = || text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match kind % 4 {
        0 => check_taken(&import(&Input { file, ..Input::default() })),
        1 => check_taken(&import(&Input { flags: &words(), ..Input::default() })),
        2 => check_taken(&import(&Input { file, flags: &words(), database: None })),
        _ => {
            let database = database(&text);
            let flags = ["--use-auth-secret".to_owned()];
            check_taken(&import(&Input { flags: &flags, database: Some(&database), file: None }));
            check_taken(&import(&Input { database: Some(&database), ..Input::default() }));
        }
    }
}

/// Lines of `table,realm,value`.
fn database(text: &str) -> Database {
    let mut database = Database::default();
    for line in text.split('\n') {
        let mut fields = line.splitn(3, ',').map(str::to_owned);
        let (table, realm, value) = (fields.next(), fields.next(), fields.next());
        let (Some(table), Some(realm), Some(value)) = (table, realm, value) else { continue };
        let row = Row { realm, value };
        match &*table {
            "user" => database.users.push(UserRow { realm: row.realm, name: row.value.clone(), key: row.value }),
            "secret" => database.secrets.push(row),
            "allow" => database.allowed_peers.push(row),
            "deny" => database.denied_peers.push(row),
            _ => database.realm_options.push(row),
        }
    }
    database
}

/// The daemon takes it, but for what a note says.
fn check_taken(imported: &Imported) {
    imported.toml.parse::<toml::Table>().unwrap_or_else(|error| panic!("{error} in\n{}", imported.toml));
    match Settings::parse(Path::new("roundturn.toml"), &imported.toml, &[]) {
        Ok(_) => {}
        Err(ConfigError::Refused(problems)) => {
            let users = imported.toml.contains("{ key = \"0x");
            let is_known = |rule: &str, key: &str| {
                rule.starts_with("not available in this version") || users && key.starts_with("auth.users")
            };
            let others: Vec<_> = problems.iter().filter(|p| !is_known(&p.rule, &p.key)).collect();
            assert!(others.is_empty(), "{others:#?} in\n{}", imported.toml);
        }
        Err(error) => panic!("{error}"),
    }
}
