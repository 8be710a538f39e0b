//! Accepting connections, with limits on how many there are and how slowly they may speak.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

/// Connections at a time that have not become WebSockets. Beyond that, newcomers wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// How long a request's head may take, also the first one: a connection that says nothing ends.
const HEAD: Duration = Duration::from_secs(10);
/// How large a request's head may be, in bytes and in headers.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 64;
/// How long the last answers may take once the daemon stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Pause after a failed accept: usually there are no more file descriptors, and asking again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` says `true` or its sender is dropped.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, shutdown: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(accept(listener, router.clone(), connections.clone(), shutdown.clone()));
    }
    while tasks.join_next().await.is_some() {}
    // Each connection gives its permit back with its last answer.
    let _ = tokio::time::timeout(FAREWELL, connections.acquire_many(CONNECTIONS as u32)).await;
}

async fn accept(listener: TcpListener, router: Router, connections: Arc<Semaphore>, shutdown: watch::Receiver<bool>) {
    let stop = stopped(shutdown.clone());
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let permit = connections.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?, permit))
        };
        let ((stream, from), permit) = tokio::select! {
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "cannot accept HTTP connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => return,
        };
        debug!(%from, "HTTP connection");
        let (router, shutdown) = (router.clone(), shutdown.clone());
        tokio::spawn(async move {
            converse(stream, router, shutdown).await;
            drop(permit);
        });
    }
}

/// The daemon stops, or is gone.
async fn stopped(mut shutdown: watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

async fn converse(stream: TcpStream, router: Router, shutdown: watch::Receiver<bool>) {
    // Signaling is small frames that somebody waits for.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request| answer(service.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(shutdown) => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(FAREWELL, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "HTTP connection ended");
    }
}

async fn answer(
    service: TowerToHyperService<Router>,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, Infallible> {
    service.call(request.map(axum::body::Body::new) as Request).await
}
