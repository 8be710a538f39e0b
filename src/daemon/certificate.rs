//! The TLS certificate: read before anything listens, and again whenever its files change or somebody says so. Streams that
//! are open keep what they began with.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::Tls;
use crate::http::metrics;
use crate::net::tls::{self, Identity, Stamp, TlsError};
use crate::shard::mailbox::{Shards, ToShard};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Reads the files that the settings name, if they do.
///
/// # Errors
/// [`TlsError`] names the file.
pub fn load(tls: Option<&Tls>) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    let identity = tls.map(|Tls { certificate, key }| tls::load(certificate, key)).transpose()?;
    Ok(identity.map(in_use))
}

/// Starts looking at the files, until the handle aborts it. SIGHUP has them read at once; where there are none it changes
/// nothing, and above all does not end the process: from when this returns on.
///
/// # Panics
/// Outside a Tokio runtime.
pub fn watch(tls: Option<Tls>, shards: Shards) -> JoinHandle<()> {
    let mut told = signal(SignalKind::hangup()).ok();
    tokio::spawn(async move {
        let Some(tls) = tls else {
            while let Some(signal) = &mut told {
                signal.recv().await;
                tracing::info!("SIGHUP: there is no certificate to read anew; other settings take a restart");
            }
            return;
        };
        let mut tick = tokio::time::interval(EVERY);
        let mut is_due = false;
        let mut known = Stamp::of(&tls.certificate, &tls.key);
        loop {
            let is_told = tokio::select! {
                Some(()) = async { told.as_mut()?.recv().await } => true,
                _ = tick.tick() => false,
            };
            let stamp = Stamp::of(&tls.certificate, &tls.key);
            if is_told || is_due || stamp != known {
                known = stamp;
                is_due = !renew(&tls, &shards);
            }
        }
    })
}

/// Files that do not serve, perhaps because they are being replaced, change nothing. `false`: a shard was too busy to be
/// told.
fn renew(tls: &Tls, shards: &Shards) -> bool {
    let config = match tls::load(&tls.certificate, &tls.key) {
        Ok(identity) => in_use(identity),
        Err(error) => {
            tracing::warn!("the certificate stays as it was: {error}");
            return true;
        }
    };
    let mut all_told = true;
    for shard in 0..shards.count() {
        if let Err(error) = shards.send(shard, ToShard::Tls(Arc::clone(&config))) {
            tracing::warn!("{error}; it keeps the certificate that it has until it is told again");
            all_told = false;
        }
    }
    if all_told {
        tracing::info!("the certificate was read anew");
    }
    all_told
}

/// Tells metrics when the certificate ends.
fn in_use(identity: Identity) -> Arc<ServerConfig> {
    if let Some(not_after) = identity.not_after {
        metrics::certificate(not_after);
    }
    identity.config
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::shard::mailbox::mailbox;

    #[test]
    fn a_busy_shard_is_to_be_told_again() {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
        let tls = Tls { certificate: files.join("certificate.pem"), key: files.join("key.pem") };
        let (sender, receiver) = mailbox(Arc::new(|| ()));
        let shards = Shards::new(vec![sender]);
        while shards.send(0, ToShard::Stop).is_ok() {}
        assert!(!renew(&tls, &shards));
        assert!(receiver.try_iter().all(|message| matches!(message, ToShard::Stop)));
        assert!(renew(&tls, &shards));
        assert!(matches!(receiver.try_recv(), Ok(ToShard::Tls(_))));
    }

    #[test]
    fn files_that_do_not_serve_wait_for_others() {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
        let tls = Tls { certificate: files.join("certificate.pem"), key: files.join("other-key.pem") };
        let (sender, receiver) = mailbox(Arc::new(|| ()));
        assert!(renew(&tls, &Shards::new(vec![sender])));
        assert!(receiver.try_recv().is_err());
    }
}
