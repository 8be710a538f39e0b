//! Errors of the API, as JSON: `{"error":{"code","message"}}`.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::signal::protocol::ErrorCode;
use crate::signal::{Ended, NotMade};

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// A body, path or header that is not as it must be.
    BadRequest(String),
    /// Needs a token or an API key.
    Unauthorized(&'static str),
    /// Not with these rights.
    Forbidden(&'static str),
    /// No such thing.
    NotFound(&'static str),
    /// Another method.
    MethodNotAllowed,
    /// The request took too long to arrive.
    Timeout,
    /// Too many, or about to stop.
    Unavailable(&'static str),
}

impl From<Ended> for ApiError {
    fn from(_: Ended) -> Self {
        Self::Unavailable("the server is about to stop")
    }
}

impl From<NotMade> for ApiError {
    fn from(not_made: NotMade) -> Self {
        match not_made.code {
            ErrorCode::AuthRequired => Self::Unauthorized("needs a token with the grant moderate"),
            ErrorCode::RoomFull => Self::Unavailable("the server has as many rooms as it takes"),
            ErrorCode::Draining | ErrorCode::Internal => Self::Unavailable("the server is about to stop"),
            _ => Self::BadRequest(not_made.message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message): (_, _, &str) = match &self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_message", message),
            Self::Unauthorized(message) => (StatusCode::UNAUTHORIZED, "auth_required", message),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "forbidden", message),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, "not_found", message),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "unsupported", "not with this method"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long to arrive"),
            Self::Unavailable(message) => (StatusCode::SERVICE_UNAVAILABLE, "draining", message),
        };
        let body = Json(json!({ "error": { "code": code, "message": message } }));
        let mut response = (status, body).into_response();
        // RFC 9110, §11.6.1: a 401 says how to do better.
        if status == StatusCode::UNAUTHORIZED {
            insert(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        }
        response
    }
}

/// Sets a header.
pub fn insert(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
