//! Around every request: a time limit, headers that keep browsers careful, metrics and a line in the log.

use std::time::Duration;

use ::metrics::{counter, histogram};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::debug;

use super::error::{ApiError, insert};
use crate::clock;

/// How long a request may take to arrive and be answered. A WebSocket's request ends with its upgrade.
const REQUEST: Duration = Duration::from_secs(15);

/// The words that stand for what was asked in metrics: never the path itself.
pub const HANDLERS: &[&str] = &["ws", "health", "rooms", "ice_servers", "turn_credentials", "metrics", "page", "other"];

/// Lets a request through.
pub async fn guard(request: Request, next: Next) -> Response {
    let start = clock::now();
    let handler = handler_of(request.uri().path());
    let method = request.method().clone();
    let mut response = match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout.into_response(),
    };
    insert(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(&mut response, header::REFERRER_POLICY, "no-referrer");
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        insert(&mut response, header::CACHE_CONTROL, "no-store");
    }
    let (took, status) = (clock::now() - start, response.status());
    counter!("roundturn_http_requests_total", "handler" => handler, "code" => status.as_str().to_owned()).increment(1);
    histogram!("roundturn_http_request_duration_seconds", "handler" => handler).record(took.as_secs_f64());
    debug!(%method, handler, status = status.as_u16(), ?took, "request");
    response
}

fn handler_of(path: &str) -> &'static str {
    match path {
        "/ws" => "ws",
        "/health" | "/livez" | "/readyz" => "health",
        "/metrics" => "metrics",
        "/api/ice-servers" => "ice_servers",
        "/turn/credentials" => "turn_credentials",
        _ if path == "/api/rooms" || path.starts_with("/api/rooms/") => "rooms",
        _ if path.starts_with("/api/sessions/") => "sessions",
        _ if super::pages::has(path) => "page",
        _ => "other",
    }
}
