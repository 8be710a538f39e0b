//! `roundturn import`: a `roundturn.toml` from coturn's configuration, command line and database.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::cli;
use crate::import::{ConfigFile, FileChoice, Imported, Input, Kind, Note, Place, file_choice, import, read_database};

/// Where coturn's packages keep its configuration.
const FILES: [&str; 2] = ["/etc/turnserver.conf", "/etc/coturn/turnserver.conf"];
/// The longest configuration that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// `import`
#[derive(Debug, Args)]
pub struct Arguments {
    /// coturn's configuration [default: /etc/turnserver.conf; none with `-- -n`]
    pub file: Option<PathBuf>,
    /// Read this user database too; Debian's is /var/lib/turn/turndb
    #[arg(long, value_name = "FILE")]
    pub sqlite: Option<PathBuf>,
    /// How the answer looks.
    #[command(flatten)]
    pub output: cli::Json,
    /// coturn's command line, after `--`
    #[arg(last = true, value_name = "FLAGS", allow_hyphen_values = true)]
    pub flags: Vec<String>,
}

/// Prints the TOML to stdout, and to stderr what needs a decision; exit code 1 where something was refused.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let file = file(arguments)?;
    let database = arguments.sqlite.as_deref().map(read_database).transpose()?;
    let imported = import(&Input {
        file: file.as_ref().map(|(path, text)| ConfigFile { path, text }),
        flags: &arguments.flags,
        database: database.as_ref(),
    });
    if arguments.output.json {
        super::print(&format!("{:#}", in_json(&imported)));
    } else {
        super::print(&imported.toml);
    }
    // On a terminal the notes have just been read, at the end of the TOML, and in JSON they stand anyway.
    if !arguments.output.json && !std::io::stdout().is_terminal() {
        let _ = std::io::stderr().write_all(summary(&imported).as_bytes());
    }
    Ok(if imported.is_refused() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The configuration file and its text, where there is one.
fn file(arguments: &Arguments) -> anyhow::Result<Option<(PathBuf, String)>> {
    let choice = match &arguments.file {
        Some(path) => FileChoice::Named(path.clone()),
        None => file_choice(&arguments.flags),
    };
    match choice {
        FileChoice::Named(path) => read(&path).map(|text| Some((path, text))),
        FileChoice::None => Ok(None),
        FileChoice::Default => match FILES.iter().map(Path::new).find(|path| path.exists()) {
            Some(path) => read(path).map(|text| Some((path.to_owned(), text))),
            None => {
                let other = !arguments.flags.is_empty() || arguments.sqlite.is_some();
                ensure!(other, "there is no {}; name the file, or give coturn's flags after --", FILES[0]);
                Ok(None)
            }
        },
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        bytes.len() as u64 <= LONGEST_FILE,
        "{shown} is larger than {LONGEST_FILE} bytes: no configuration of coturn's"
    );
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn in_json(imported: &Imported) -> Value {
    let note = |note: &Note| {
        let (line, place) = match note.place {
            Place::Line(line) => (Some(line), "file"),
            Place::Flag => (None, "command_line"),
            Place::Database => (None, "database"),
            Place::Absent => (None, "absent"),
        };
        json!({
            "kind": note.kind.to_string(), "option": note.option, "place": place, "line": line, "text": note.text,
        })
    };
    let notes: Vec<_> = imported.notes.iter().map(note).collect();
    json!({ "ok": !imported.is_refused(), "toml": imported.toml, "notes": notes, "same": imported.same })
}

/// How much of what, and every note that asks for a decision.
fn summary(imported: &Imported) -> String {
    let count = |kind| imported.notes.iter().filter(|note| note.kind == kind).count();
    let urgent = imported.notes.iter().filter(|note| note.kind <= Kind::Unknown);
    let lines: String = urgent.map(|note| format!("{note}\n")).collect();
    format!(
        "{lines}{} refused, {} unknown, {} changed, {} dropped; all of it stands at the end of the file.\n",
        count(Kind::Refused),
        count(Kind::Unknown),
        count(Kind::Changed),
        count(Kind::Dropped)
    )
}
