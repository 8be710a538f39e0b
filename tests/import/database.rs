//! coturn's SQLite user database.

use std::path::{Path, PathBuf};
use std::process::Command;

use roundturn::import::{Database, DatabaseError, Kind, Row, UserRow, read_database};

use crate::support::with_database;

const KEY: &str = "bc807ee29df3c9ffa736523fb2c4e8ee";
const SECRET: &str = "a secret of sixteen bytes and more";

fn row(realm: &str, value: &str) -> Row {
    Row { realm: realm.to_owned(), value: value.to_owned() }
}

fn user(realm: &str, name: &str) -> UserRow {
    UserRow { realm: realm.to_owned(), name: name.to_owned(), key: KEY.to_owned() }
}

#[test]
fn users_of_the_realm_come_with_their_keys() {
    let database =
        Database { users: vec![user("example.org", "alice"), user("elsewhere.org", "bob")], ..Database::default() };
    let outcome = with_database("lt-cred-mech\nrealm=example.org\n", &database);
    outcome.has("auth.users", &format!("{{ alice = {{ key = \"0x{KEY}\" }} }}"));
    assert_eq!(outcome.options(Kind::Refused), ["realm"], "bob's realm would need a daemon of its own");
}

#[test]
fn the_only_realm_of_the_database_is_the_realm() {
    let database = Database { users: vec![user("example.org", "alice")], ..Database::default() };
    with_database("lt-cred-mech\n", &database).notes(&[], &["user"], &[]).has("auth.realm", r#""example.org""#);
}

#[test]
fn secrets_and_limits_and_peers_of_the_database_are_added() {
    let database = Database {
        secrets: vec![row("example.org", SECRET), row("example.org", "another secret of its own")],
        denied_peers: vec![row("", "10.0.0.0-10.255.255.255")],
        realm_options: vec![row("example.org", "user-quota=7"), row("example.org", "max-bps=1000")],
        ..Database::default()
    };
    with_database("use-auth-secret\nrealm=example.org\nuser-quota=12\n", &database)
        .notes(&[], &["max-bps"], &[])
        .has("peers.deny", r#"["10.0.0.0/8"]"#)
        .has("limits.allocations_per_user", "7")
        .has("limits.user_rate", "8000")
        .has(
            "auth.secrets",
            &format!(r#"[{{ name = "coturn-1", value = "{SECRET}" }}, {{ name = "coturn-2", value = "another secret of its own" }}]"#),
        );
}

#[test]
fn secrets_that_coturn_did_not_use_stay_unused() {
    let database = Database { secrets: vec![row("example.org", SECRET)], ..Database::default() };
    let outcome = with_database("lt-cred-mech\nuser=alice:wonder\nrealm=example.org\n", &database);
    outcome.notes(&[], &["user"], &["turn_secret"]).lacks("auth.secret").has("auth.users", r#"{ alice = "wonder" }"#);
}

#[test]
fn a_user_name_with_a_colon_is_refused() {
    let database = Database { users: vec![user("example.org", "a:b")], ..Database::default() };
    let outcome = with_database("lt-cred-mech\nuser=alice:wonder\nrealm=example.org\n", &database);
    outcome.has("auth.users", r#"{ alice = "wonder" }"#);
    assert_eq!(outcome.options(Kind::Refused), ["turnusers_lt"]);
}

/// A database of the test's own, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("roundturn-import-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn sql(&self, statements: &str) -> std::io::Result<bool> {
        Ok(Command::new("sqlite3").arg(&self.0).arg(statements).status()?.success())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_database_file_is_read_or_the_missing_program_is_named() {
    let scratch = Scratch::new("turndb");
    let made = scratch.sql(
        "CREATE TABLE turnusers_lt (realm varchar(127) default '', name varchar(512), hmackey char(128), PRIMARY KEY (realm,name));
         CREATE TABLE turn_secret (realm varchar(127) default '', value varchar(256), primary key (realm,value));
         CREATE TABLE turn_realm_option (realm varchar(127) default '', opt varchar(32), value varchar(128), primary key (realm,opt));
         INSERT INTO turnusers_lt VALUES ('example.org', 'al|ice ☃', 'bc807ee29df3c9ffa736523fb2c4e8ee');
         INSERT INTO turn_secret VALUES ('example.org', 'with | and ''quotes'' and
a second line');
         INSERT INTO turn_realm_option VALUES ('example.org', 'user-quota', '7');",
    );
    if made.is_err() {
        std::fs::write(&scratch.0, b"").unwrap();
        assert!(matches!(read_database(&scratch.0), Err(DatabaseError::NoProgram { .. })));
        return;
    }
    let database = read_database(&scratch.0).unwrap();
    assert!(database.users == [UserRow { realm: "example.org".into(), name: "al|ice ☃".into(), key: KEY.into() }]);
    assert!(database.secrets == [row("example.org", "with | and 'quotes' and\na second line")]);
    assert!(database.realm_options == [row("example.org", "user-quota=7")]);
    assert!(database.denied_peers.is_empty(), "a missing table is an empty one");
}

#[test]
fn what_is_no_database_of_coturns_is_refused() {
    let scratch = Scratch::new("text");
    std::fs::write(&scratch.0, "static-auth-secret=x\n").unwrap();
    let error = read_database(&scratch.0).err().unwrap();
    assert!(error.to_string().contains(&scratch.0.display().to_string()), "{error}");
    let missing = read_database(Path::new("/nonexistent/turndb")).err().unwrap();
    assert!(matches!(missing, DatabaseError::Open { .. }), "{missing}");
}
