//! TLS as shards need it: certificate and key, read from PEM files and checked against each other.

mod expiry;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use thiserror::Error;

/// The protocols that clients may ask for by ALPN (RFC 7443 §3). Those that ask for none are welcome as well.
const ALPN: [&[u8]; 2] = [b"stun.turn", b"stun.nat-discovery"];

/// Why there is no TLS to be had with these files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source} ({access})")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
        /// Owner and mode of the file, and who we are.
        access: String,
    },
    /// A file holds no certificate, or no key.
    #[error("{path} holds no {what} in PEM form: {source}")]
    Pem {
        /// Which.
        path: PathBuf,
        /// "certificate" or "private key".
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    /// The two do not belong together, or are no use for TLS.
    #[error("the key {key} does not serve with the certificate {certificate}: {source}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// A certificate, fit for use.
#[derive(Debug, Clone)]
pub struct Identity {
    /// What connections are made from.
    pub config: Arc<ServerConfig>,
    /// Seconds since 1970 at which the certificate ends, where it could be read.
    pub not_after: Option<u64>,
}

/// Makes a configuration from the certificate chain and the private key in these files.
///
/// # Errors
/// [`TlsError`] names the file.
pub fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
    let chain = certificates(certificate)?;
    let not_after = chain.first().and_then(|certificate| expiry::not_after(certificate));
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|source| TlsError::Pem {
        path: key.into(),
        what: "private key",
        source,
    })?;
    let mismatch = |source| TlsError::Mismatch { certificate: certificate.into(), key: key.into(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(mismatch)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    // Sessions to resume would be shared by all shards, behind a lock.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Identity { config: Arc::new(config), not_after })
}

/// By what a file is known to be another than before: when it was changed, its number and its length. Renewed
/// certificates often come as another link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp([Option<(i64, i64, u64, u64)>; 2]);

impl Stamp {
    /// Of both files as they are now.
    pub fn of(certificate: &Path, key: &Path) -> Self {
        Self([certificate, key].map(|path| {
            let file = fs::metadata(path).ok()?;
            Some((file.mtime(), file.mtime_nsec(), file.ino(), file.len()))
        }))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refuse = |source| TlsError::Pem { path: path.into(), what: "certificate", source };
    let bytes = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(refuse)?;
    if chain.is_empty() { Err(refuse(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source, access: access(path) })
}

/// "owner 0:104, mode 0640; this process runs as 998", for whoever has to set it right.
fn access(path: &Path) -> String {
    let file = match fs::metadata(path) {
        Ok(file) => format!("owner {}:{}, mode {:04o}", file.uid(), file.gid(), file.mode() & 0o7777),
        Err(_) => "owner and mode cannot be read either".to_owned(),
    };
    match fs::metadata("/proc/self") {
        Ok(own) => format!("{file}; this process runs as {}:{}", own.uid(), own.gid()),
        Err(_) => file,
    }
}
