//! HTTP: pages, API, WebSocket and health on one port; metrics on another.

mod credentials;
mod error;
mod health;
mod keys;
mod linger;
mod meter;
pub mod metrics;
mod origins;
mod pages;
mod rooms;
mod serve;
mod source;
mod websocket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::clock;
use crate::health::Health;
use crate::signal::SignalHandle;
use error::ApiError;
pub use keys::ApiKeys;
pub use origins::Origins;

/// Bytes of a request's body: the API takes small objects only.
const BODY_BYTES: usize = 16 * 1024;
/// WebSockets at a time. Beyond that a newcomer is told 503.
const WEBSOCKETS: usize = 10_000;
/// Pings on a WebSocket that says nothing.
const PING_EVERY: Duration = Duration::from_secs(15);

/// What every handler may use.
#[derive(Clone)]
pub struct AppState {
    signal: SignalHandle,
    health: Arc<Health>,
    keys: ApiKeys,
    origins: Origins,
    websockets: Arc<Semaphore>,
    ping_every: Duration,
    /// When the daemon began.
    began: Instant,
    frame_bytes: usize,
}

impl AppState {
    /// Signaling and health, behind HTTP, the keys of those who may ask for credentials, the pages that may ask at all, and
    /// the largest frame that is read of a WebSocket.
    pub fn new(signal: SignalHandle, health: Arc<Health>, keys: ApiKeys, origins: Origins, frame_bytes: usize) -> Self {
        let websockets = Arc::new(Semaphore::new(WEBSOCKETS));
        Self { signal, health, keys, origins, websockets, ping_every: PING_EVERY, began: clock::now(), frame_bytes }
    }
}

/// Serves pages, API, WebSocket and health until `shutdown` says `true` or its sender is dropped, and then until the
/// last request is answered, for at most two seconds.
pub async fn serve(listeners: Vec<TcpListener>, state: AppState, shutdown: watch::Receiver<bool>) {
    serve::serve(listeners, router(state), shutdown).await;
}

/// Serves metrics and health, in the same way.
pub async fn serve_metrics(
    listener: TcpListener,
    state: AppState,
    handle: metrics_exporter_prometheus::PrometheusHandle,
    shutdown: watch::Receiver<bool>,
) {
    let upkeep = tokio::spawn(metrics::upkeep(handle.clone()));
    serve::serve(vec![listener], metrics_router(state, handle), shutdown).await;
    upkeep.abort();
}

fn router(state: AppState) -> Router {
    Router::new()
        .route("/ws", get(websocket::upgrade))
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/api/rooms", post(rooms::create))
        .route("/api/rooms/{room}", get(rooms::show).delete(rooms::end))
        .route("/api/rooms/{room}/participants/{participant}", axum::routing::delete(rooms::remove))
        .route("/api/sessions/{session}", get(rooms::session))
        .route("/api/ice-servers", get(credentials::ice_servers))
        .route("/turn/credentials", get(credentials::credentials).post(credentials::credentials))
        .fallback(page_or_nothing)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(state.origins.clone(), origins::guard))
        .layer(from_fn(meter::guard))
        .with_state(state)
}

fn metrics_router(state: AppState, handle: metrics_exporter_prometheus::PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || metrics::render(handle.clone())))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .fallback(async || ApiError::NotFound("no such page".into()))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(meter::guard))
        .with_state(state)
}

async fn page_or_nothing(method: Method, uri: Uri, headers: axum::http::HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return ApiError::MethodNotAllowed.into_response();
    }
    match pages::page(uri.path(), &headers) {
        Some(page) => page,
        None => ApiError::NotFound("no such page".into()).into_response(),
    }
}
