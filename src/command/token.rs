//! `roundturn token`: a token that lets somebody into a room.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::cli;
use crate::clock;
use crate::config::Settings;
use crate::signal::is_room_name;
use crate::tokens::{Order, Signer, Tokens};

/// Prints the token, and nothing else.
pub fn run(file: Option<&Path>, arguments: &cli::Token) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    let Some(tokens) = &settings.tokens else {
        bail!(
            "no key for tokens is configured; set tokens.secret (`openssl rand -base64 32` makes one), or tokens.keys"
        )
    };
    ensure!(
        arguments.room == "*" || is_room_name(&arguments.room),
        "a room's name is 1 to 128 characters from A-Z a-z 0-9 . _ -, or * for every room"
    );
    let now = clock::unix_secs();
    let order = Order {
        exp: now + arguments.ttl.as_secs(),
        room: arguments.room.clone(),
        sub: arguments.identity.clone(),
        name: arguments.name.clone(),
        grants: arguments.grants.clone(),
        iss: tokens.issuer.clone(),
        aud: tokens.audience.clone(),
    };
    let token = signer(tokens, arguments)?.sign(&order).context("the key signs no token")?;
    ensure_taken(&settings, tokens, now, &token)?;
    super::print(&token);
    Ok(ExitCode::SUCCESS)
}

fn signer(tokens: &Tokens, arguments: &cli::Token) -> anyhow::Result<Signer> {
    match (&arguments.key, &tokens.secret) {
        (Some(path), _) => {
            let pem = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Signer::of_pem(&pem).map_err(|rule| anyhow!("{} {rule}", path.display()))
        }
        (None, Some(secret)) => Ok(Signer::of_secret(secret)),
        (None, None) => {
            bail!("tokens.secret is not set: --key names the private key whose public key is in tokens.keys")
        }
    }
}

/// A token that the daemon refuses helps nobody.
fn ensure_taken(settings: &Settings, tokens: &Tokens, now: u64, token: &str) -> anyhow::Result<()> {
    let file = settings.file.as_ref().map_or_else(|| "the settings".into(), |file| file.display().to_string());
    tokens.verify(now, token).with_context(|| format!("the daemon would refuse this token by {file}"))?;
    Ok(())
}
