//! Keeps what the daemon works with up to date, while it works.
//!
//! ```text
//!  SIGHUP ──────────► settings, certificate ──┐
//!  files change ────► certificate ────────────┼──► every shard is told the whole; a busy one once more
//!  interfaces ──────► addresses ──────────────┘
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::certificate::Certificate;
use super::{host, parts};
use crate::clock;
use crate::config::{Change, ConfigError, Settings, environment};
use crate::http::{ApiKeys, Origins, metrics};
use crate::ledger::Ledger;
use crate::logging::{Level, LoggingError};
use crate::nat::Addresses;
use crate::net::tls::TlsError;
use crate::shard::mailbox::{ShardSettings, Shards, ToShard};
use crate::signal::SignalHandle;
use crate::systemd::Notifier;

/// How often the certificate's files are looked at, and busy shards told again.
const EVERY: Duration = Duration::from_secs(5);

/// The interfaces are read at every so manieth of those looks: a provider's new prefix or a VPN that comes up is denied to
/// relays within half a minute.
const LOOKS: u64 = 6;

/// Everything that is kept up to date, and who is told.
pub struct Upkeep {
    /// Where settings are read, unless it is found as at the start.
    pub file: Option<PathBuf>,
    /// What is in use.
    pub settings: watch::Sender<Arc<Settings>>,
    /// What this host is called.
    pub addresses: Addresses,
    /// The certificate, if there is one.
    pub certificate: Option<Certificate>,
    /// Who moves packets.
    pub shards: Shards,
    /// Who counts allocations.
    pub ledger: Arc<Ledger>,
    /// Who knows the rooms.
    pub signal: SignalHandle,
    /// Who may ask for credentials.
    pub api_keys: ApiKeys,
    /// Which pages may use the API.
    pub origins: Origins,
    /// The level of the log.
    pub level: Level,
    /// The service manager.
    pub notifier: Notifier,
}

/// Why nothing was changed.
#[derive(Debug, Error)]
enum ReloadError {
    /// The settings are refused.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The certificate is no use.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The log takes no level.
    #[error("{0}")]
    Level(#[from] LoggingError),
    /// The reading came to no end.
    #[error("the settings could not be read to their end")]
    Broken,
}

impl Upkeep {
    /// Starts, until the handle aborts it; `hangups` ask for settings to be read anew.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn(self, hangups: Option<Signal>) -> JoinHandle<()> {
        tokio::spawn(self.run(hangups))
    }

    async fn run(mut self, mut hangups: Option<Signal>) {
        let mut tick = tokio::time::interval(EVERY);
        let mut looks = 0_u64;
        let mut is_due = false;
        loop {
            tokio::select! {
                Some(()) = async { hangups.as_mut()?.recv().await } => is_due |= self.reload().await,
                _ = tick.tick() => {
                    if self.certificate.as_mut().is_some_and(Certificate::renew) {
                        tracing::info!("the certificate's files have changed: new connections are given the new one");
                        is_due = true;
                    }
                    if looks.is_multiple_of(LOOKS) {
                        is_due |= self.learn().await;
                    }
                    looks += 1;
                }
            }
            if is_due {
                is_due = !tell(&self.shards, &self.shard_settings());
            }
        }
    }

    /// Reads everything anew, and takes it over. `false`: it is refused as a whole.
    async fn reload(&mut self) -> bool {
        self.notifier.reloading();
        let reread = self.reread().await;
        metrics::config_reload(reread.is_ok());
        let (change, certificate) = match reread {
            Ok(reread) => reread,
            Err(error) => {
                tracing::error!("SIGHUP: refused, and everything stays as it was: {error}");
                self.notifier.ready("serving; the settings on disk are refused");
                return false;
            }
        };
        let is_renewed = match (&certificate, &self.certificate) {
            (Some(new), Some(old)) => !new.is_same(old),
            _ => false,
        };
        say(&change, is_renewed);
        if let Some(certificate) = &certificate {
            certificate.announce();
        }
        self.certificate = certificate;
        let settings = Arc::new(change.settings);
        self.ledger.set_limits(settings.limits.clone());
        self.api_keys.replace(&settings.auth.api_keys);
        self.origins.replace(&settings.listen.origins);
        self.settings.send_if_modified(|known| {
            known.clone_from(&settings);
            // Who follows them hears of it last: signaling takes no keys from where it does not know of.
            false
        });
        // Before anybody is given a credential of a new secret.
        let all_told = tell(&self.shards, &self.shard_settings());
        // Signaling ends with the daemon only.
        let _ = self.signal.configure(&settings).await;
        self.settings.send_modify(|_| {});
        self.notifier.ready("serving");
        !all_told
    }

    /// Everything that can be refused comes before anything is changed.
    async fn reread(&self) -> Result<(Change, Option<Certificate>), ReloadError> {
        let (settings, file) = (Arc::clone(&self.settings.borrow()), self.file.clone());
        let read = spawn_blocking(move || {
            let change = settings.reload(file.as_deref(), environment())?;
            let certificate = Certificate::load(change.settings.tls.as_ref())?;
            Ok((change, certificate))
        });
        let (change, certificate) = read.await.unwrap_or(Err(ReloadError::Broken))?;
        self.level.set(&change.settings.log.level)?;
        Ok((change, certificate))
    }

    /// Whether this host has an address that it did not have before.
    async fn learn(&mut self) -> bool {
        let (addresses, is_new) = host::learn(&self.addresses).await;
        self.addresses = addresses;
        if is_new {
            tracing::info!("this host has a new address: relays do not reach it");
        }
        is_new
    }

    fn shard_settings(&self) -> ShardSettings {
        let tls = self.certificate.as_ref().map(Certificate::config);
        parts::shard_settings(&self.settings.borrow(), &self.addresses, tls)
    }
}

/// What changes by its keys; values may be secret.
fn say(change: &Change, is_renewed: bool) {
    let keys = change.changed.iter().map(AsRef::as_ref);
    let changed: Vec<&str> = keys.chain(is_renewed.then_some("the certificate's files")).collect();
    let changed = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
    tracing::info!("SIGHUP: settings were read anew; changed: {changed}");
    if !change.restart.is_empty() {
        tracing::warn!("these take a restart, and stay as they were until then: {}", change.restart.join(", "));
    }
    for warning in change.settings.warnings(clock::unix_secs()) {
        tracing::warn!("{warning}");
    }
}

/// Whether every shard could be told. What it is told is whole: to be told twice does no harm.
fn tell(shards: &Shards, settings: &ShardSettings) -> bool {
    (0..shards.count()).fold(true, |all, shard| {
        let told = shards.send(shard, ToShard::Configure(Box::new(settings.clone())));
        if let Err(error) = &told {
            tracing::warn!("{error}; it is told of other settings later");
        }
        all && told.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::shard::mailbox::mailbox;

    #[test]
    fn a_busy_shard_is_to_be_told_again() {
        let settings = Settings::parse(Path::new("r.toml"), "", &[]).unwrap();
        let settings = parts::shard_settings(&settings, &Addresses::default(), None);
        let (sender, receiver) = mailbox(Arc::new(|| ()));
        let shards = Shards::new(vec![sender]);
        while shards.send(0, ToShard::Stop).is_ok() {}
        assert!(!tell(&shards, &settings));
        assert!(receiver.try_iter().all(|message| matches!(message, ToShard::Stop)));
        assert!(tell(&shards, &settings));
        assert!(matches!(receiver.try_recv(), Ok(ToShard::Configure(_))));
    }
}
