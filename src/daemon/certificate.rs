//! The TLS certificate: read before anything listens, and again whenever its files change or settings are read anew.
//! Streams that are open keep what they began with.

use std::sync::Arc;

use rustls::ServerConfig;

use crate::config::Tls;
use crate::http::metrics;
use crate::net::tls::{self, Identity, Stamp, TlsError};

/// A certificate in use, and the files that it came from.
pub struct Certificate {
    files: Tls,
    stamp: Stamp,
    config: Arc<ServerConfig>,
    not_after: Option<u64>,
}

impl Certificate {
    /// Reads the files that the settings name, if they do.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn load(tls: Option<&Tls>) -> Result<Option<Self>, TlsError> {
        tls.map(Self::read).transpose()
    }

    /// What streams are to be made from.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Whether it was read from the same files as `other`, and they have not changed in between.
    pub fn is_same(&self, other: &Self) -> bool {
        self.stamp == other.stamp && self.files == other.files
    }

    /// It is in use from now on: metrics are told when it ends.
    pub fn announce(&self) {
        if let Some(not_after) = self.not_after {
            metrics::certificate(not_after);
        }
    }

    /// Whether the files have changed since they were looked at last, and serve. Where they do not, perhaps because they
    /// are being replaced, nothing changes.
    pub fn renew(&mut self) -> bool {
        let stamp = Stamp::of(&self.files.certificate, &self.files.key);
        if stamp == self.stamp {
            return false;
        }
        self.stamp = stamp;
        match Self::read(&self.files) {
            Ok(renewed) => {
                *self = renewed;
                self.announce();
                true
            }
            Err(error) => {
                tracing::warn!("the certificate stays as it was: {error}");
                false
            }
        }
    }

    fn read(files: &Tls) -> Result<Self, TlsError> {
        // Looked at before it is read: what changes in between is read once more.
        let stamp = Stamp::of(&files.certificate, &files.key);
        let Identity { config, not_after } = tls::load(&files.certificate, &files.key)?;
        Ok(Self { files: files.clone(), stamp, config, not_after })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn changed_files_are_read_once_and_those_that_do_not_serve_change_nothing() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
        let directory = std::env::temp_dir().join(format!("roundturn-certificate-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let copy = |from: &str, to: &str| {
            let _ = std::fs::remove_file(directory.join(to));
            std::fs::copy(source.join(from), directory.join(to)).unwrap();
        };
        copy("certificate.pem", "certificate.pem");
        copy("key.pem", "key.pem");
        let files = Tls { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") };
        let mut certificate = Certificate::load(Some(&files)).unwrap().unwrap();
        let first = certificate.config();
        assert!(!certificate.renew());
        copy("other-key.pem", "key.pem");
        assert!(!certificate.renew() && Arc::ptr_eq(&certificate.config(), &first));
        copy("other-certificate.pem", "certificate.pem");
        assert!(certificate.renew() && !Arc::ptr_eq(&certificate.config(), &first));
        assert!(!certificate.renew());
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(!certificate.renew());
    }
}
