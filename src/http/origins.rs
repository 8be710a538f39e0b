//! Which pages may use WebSocket and API: those of this host, and of the origins that the settings list (RFC 6454). What is no
//! browser sends no `Origin` and is not asked for one.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, insert};

/// Any origin.
const ANY: &str = "*";

/// The origins that are listed. Clones share them.
#[derive(Clone, Default)]
pub struct Origins(Arc<RwLock<Vec<String>>>);

impl Origins {
    /// These origins.
    pub fn new(origins: &[String]) -> Self {
        let this = Self::default();
        this.replace(origins);
        this
    }

    /// These origins from now on.
    pub fn replace(&self, origins: &[String]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = origins.to_vec();
    }

    fn lists(&self, origin: &str) -> bool {
        let listed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        listed.iter().any(|one| one == ANY || one.eq_ignore_ascii_case(origin))
    }
}

/// Lets a request for WebSocket or API through, if it comes from a page that may.
pub async fn guard(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_guarded = path == "/ws" || path.starts_with("/api/") || path.starts_with("/turn/");
    let Some(origin) = request.headers().get(header::ORIGIN).filter(|_| is_guarded).cloned() else {
        return next.run(request).await;
    };
    if !origin.to_str().is_ok_and(|origin| is_same_host(origin, request.headers()) || origins.lists(origin)) {
        return ApiError::Forbidden(
            "pages of this origin may not use this server; listen.origins lists those that may".into(),
        )
        .into_response();
    }
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = if is_preflight { preflight() } else { next.run(request).await };
    // The browser lets the page read the answer (Fetch standard, CORS protocol). Tokens go in a header: no cookies are asked for.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

/// What a browser asks before it lets a page ask.
fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    insert(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE");
    insert(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-api-key");
    insert(&mut response, header::ACCESS_CONTROL_MAX_AGE, "600");
    response
}

/// Whether the page came from the host that it asks: the port may be another, as a proxy has it.
fn is_same_host(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(without_port);
    let origin = origin.split_once("://").map(|(_, host)| without_port(host));
    matches!((host, origin), (Some(host), Some(origin)) if host.eq_ignore_ascii_case(origin))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}
