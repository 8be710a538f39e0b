//! Accepting connections, with limits on how many there are and how slowly they may speak.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
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
use tokio::time::timeout;
use tracing::{debug, warn};

use super::linger::Lingering;
use super::source::OtherEnd;

/// Connections at a time that have not become WebSockets. Beyond that, newcomers wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// How long a request's head may take, also the first one: a connection that says nothing ends.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last that does not become a WebSocket, whatever it asks and however slowly: its place is
/// wanted.
const LIFE: Duration = Duration::from_secs(300);
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
    let _ = timeout(FAREWELL, connections.acquire_many(CONNECTIONS as u32)).await;
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
            // This is over when the connection becomes a WebSocket, which then lives by rules of its own.
            if timeout(LIFE, converse(stream, from, router, shutdown)).await.is_err() {
                debug!(%from, "HTTP connection lasted too long");
            }
            drop(permit);
        });
    }
}

/// The daemon stops, or is gone.
async fn stopped(mut shutdown: watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

async fn converse(stream: TcpStream, from: SocketAddr, router: Router, shutdown: watch::Receiver<bool>) {
    // Signaling is small frames that somebody waits for.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request| answer(service.clone(), from, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Lingering::new(stream)), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(shutdown) => {
            connection.as_mut().graceful_shutdown();
            match timeout(FAREWELL, connection).await {
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
    from: SocketAddr,
    mut request: hyper::Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(OtherEnd(from));
    service.call(request.map(axum::body::Body::new) as Request).await
}

#[cfg(test)]
mod tests {
    use axum::extract::ws::{WebSocket, WebSocketUpgrade};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn echo(mut socket: WebSocket) {
        while let Some(Ok(message)) = socket.recv().await {
            let _ = socket.send(message).await;
        }
    }

    /// A client, and how its connection is served.
    async fn connect(shutdown: watch::Receiver<bool>) -> (TcpStream, impl Future<Output = ()>) {
        let router = Router::new()
            .route("/ws", get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo)))
            .route("/", get(async || "here"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, from) = listener.accept().await.unwrap();
        (client, converse(stream, from, router, shutdown))
    }

    #[tokio::test]
    async fn a_connection_that_becomes_a_websocket_is_over_for_us_and_goes_on() {
        let (_running, shutdown) = watch::channel(false);
        let (mut client, served) = connect(shutdown).await;
        let head = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        assert!(timeout(HEAD, served).await.is_ok(), "its life is not measured any more");
        // A masked text of two letters, with a mask that changes nothing.
        client.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(&[0x81, 2, b'h', b'i']) {
            assert!(client.read_buf(&mut heard).await.unwrap() > 0, "the WebSocket is open");
        }
        assert!(heard.starts_with(b"HTTP/1.1 101"));
    }

    #[tokio::test]
    async fn a_connection_that_goes_on_asking_is_served_until_its_time_is_up() {
        let (_running, shutdown) = watch::channel(false);
        let (mut client, served) = connect(shutdown).await;
        let asks = async {
            let mut answers = 0;
            let mut heard = [0; 1024];
            while client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.is_ok()
                && client.read(&mut heard).await.is_ok_and(|count| count > 0)
            {
                answers += 1;
            }
            answers
        };
        let (ended, answers) = tokio::join!(timeout(Duration::from_millis(100), served), asks);
        assert!(ended.is_err() && answers > 0);
    }
}
