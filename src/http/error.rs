//! Errors of the API, as JSON: `{"error":{"code","message"}}`.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
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
    /// What was shown is no token or key of ours, or not any more: its code, and words.
    Disproven(&'static str, String),
    /// Not with these rights.
    Forbidden(String),
    /// No such thing.
    NotFound(Cow<'static, str>),
    /// Another method.
    MethodNotAllowed,
    /// The request took too long to arrive.
    Timeout,
    /// A body above the limit.
    TooLarge,
    /// Asked for too often; in so many seconds it helps to ask again.
    TooOften(u64),
    /// Too many, or about to stop.
    Unavailable(&'static str),
    /// Something is missing that only the operator can set right.
    Internal(String),
}

impl From<Ended> for ApiError {
    fn from(_: Ended) -> Self {
        Self::Unavailable("the server is about to stop")
    }
}

impl From<NotMade> for ApiError {
    fn from(not_made: NotMade) -> Self {
        let retry_secs = not_made.retry.map_or(1, |wait| wait.as_secs() + 1);
        match not_made.code {
            ErrorCode::RateLimited => Self::TooOften(retry_secs),
            ErrorCode::AuthRequired => Self::Disproven("auth_required", not_made.message),
            ErrorCode::AuthInvalid => Self::Disproven("auth_invalid", not_made.message),
            ErrorCode::AuthExpired => Self::Disproven("auth_expired", not_made.message),
            ErrorCode::Forbidden => Self::Forbidden(not_made.message),
            ErrorCode::RoomNotFound => Self::NotFound("no such room".into()),
            ErrorCode::ParticipantNotFound => Self::NotFound(not_made.message.into()),
            ErrorCode::RoomFull => Self::Unavailable("the server has as many rooms as it takes"),
            ErrorCode::Draining => Self::Unavailable("the server is about to stop"),
            ErrorCode::Internal => Self::Internal(not_made.message),
            _ => Self::BadRequest(not_made.message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message): (_, _, &str) = match &self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_message", message),
            Self::Unauthorized(message) => (StatusCode::UNAUTHORIZED, "auth_required", message),
            Self::Disproven(code, message) => (StatusCode::UNAUTHORIZED, code, message),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "forbidden", message),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, "not_found", message),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "unsupported", "not with this method"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
            Self::TooOften(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "that was asked for too often; wait a little")
            }
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long to arrive"),
            Self::Unavailable(message) => (StatusCode::SERVICE_UNAVAILABLE, "draining", message),
            Self::Internal(message) => (StatusCode::SERVICE_UNAVAILABLE, "internal", message),
        };
        let body = Json(json!({ "error": { "code": code, "message": message } }));
        let mut response = (status, body).into_response();
        // RFC 9110, §11.6.1: a 401 says how to do better.
        if status == StatusCode::UNAUTHORIZED {
            insert(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        }
        if let Self::TooOften(secs) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::BadRequest("the body did not arrive whole".into()),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::BadRequest("the path is not UTF-8".into())
    }
}

/// Sets a header.
pub fn insert(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
