//! The TCP sockets of HTTP and metrics, and words for when a port cannot be had.

use std::io;
use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Listen;
use crate::http::{self, AppState};
use crate::net::holder::{Protocol, holder};
use crate::net::udp::BindError;

/// Bound, and not yet read.
pub struct Listeners {
    http: Vec<TcpListener>,
    metrics: Option<TcpListener>,
}

/// Why an HTTP socket could not be had.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error("TCP {address} is taken{by}; stop that program, or set {key} to another address")]
    Taken {
        /// The address.
        address: SocketAddr,
        /// " by nginx (pid 812)", where /proc tells.
        by: String,
        /// The key of the settings.
        key: &'static str,
    },
    /// The kernel refuses.
    #[error("cannot listen on TCP {address}: {source}; set {key} to an address of this host and a port we may use")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What it says.
        #[source]
        source: io::Error,
        /// The key of the settings.
        key: &'static str,
    },
}

/// Binds what the settings name.
///
/// # Errors
/// [`ListenError`] with the address, who holds it, and the key to change.
pub async fn bind(listen: &Listen) -> Result<Listeners, ListenError> {
    let mut http = Vec::new();
    for &address in &listen.http {
        http.push(bind_one(address, "listen.http").await?);
    }
    let metrics = match listen.metrics {
        Some(address) => Some(bind_one(address, "listen.metrics").await?),
        None => None,
    };
    Ok(Listeners { http, metrics })
}

impl Listeners {
    /// Where pages are served.
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.http.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Serves until `stop` says so.
    pub async fn serve(self, state: AppState, handle: PrometheusHandle, stop: watch::Receiver<bool>) {
        let pages = http::serve(self.http, state.clone(), stop.clone());
        match self.metrics {
            Some(listener) => drop(tokio::join!(pages, http::serve_metrics(listener, state, handle, stop))),
            None => pages.await,
        }
    }
}

/// What to do about a socket for TURN or media that could not be had.
pub fn hint(error: &BindError) -> &'static str {
    match error {
        BindError::Taken { .. } => "stop that program, or set listen.turn (or listen.turns) to another port",
        BindError::Bind { .. } => "set listen.turn (or listen.turns) to an address of this host and a port we may use",
        BindError::Sfu(_) => "free some ports of ports.udp, or set it to another range",
        BindError::Poller(_) => "raise the limit of open files (ulimit -n, LimitNOFILE)",
    }
}

async fn bind_one(address: SocketAddr, key: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() != io::ErrorKind::AddrInUse {
            return ListenError::Bind { address, source, key };
        }
        let by = holder(Protocol::Tcp, address).map(|name| format!(" by {name}")).unwrap_or_default();
        ListenError::Taken { address, by, key }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_its_holder_and_the_key_to_change() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind_one(address, "listen.http").await.unwrap_err().to_string();
        let pid = std::process::id().to_string();
        for part in [address.to_string().as_str(), &pid, "listen.http"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[tokio::test]
    async fn an_address_of_another_host_says_so() {
        let error = bind_one("203.0.113.1:80".parse().unwrap(), "listen.metrics").await.unwrap_err().to_string();
        assert!(error.contains("203.0.113.1:80") && error.contains("listen.metrics"), "{error}");
    }
}
