//! The API for rooms and sessions.

use std::net::IpAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::AppState;
use super::error::ApiError;
use super::source::{Source, bearer};
use crate::signal::protocol::{Create, RoomFacts};
use crate::signal::{SessionFacts, Visitor};

/// `POST /api/rooms`: makes a room with a name of our choosing, or of the token's.
pub async fn create(
    State(state): State<AppState>,
    Source(from): Source,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<RoomFacts>), ApiError> {
    // The content type is not asked for: a body that is the right JSON is right.
    let create = Create::parse(&body?).map_err(ApiError::BadRequest)?;
    let facts = state.signal.create_room(visitor(from, &headers), create).await??;
    Ok((StatusCode::CREATED, Json(facts)))
}

/// `GET /api/rooms/{room}`: what whoever may join a room may know of it.
pub async fn show(
    State(state): State<AppState>,
    Source(from): Source,
    headers: HeaderMap,
    room: Result<Path<String>, PathRejection>,
) -> Result<Json<RoomFacts>, ApiError> {
    let Path(room) = room?;
    Ok(Json(state.signal.room(visitor(from, &headers), room).await??))
}

/// `GET /api/sessions/{session}`: how far a session came, and why no further.
pub async fn session(
    State(state): State<AppState>,
    Source(from): Source,
    headers: HeaderMap,
    session: Result<Path<String>, PathRejection>,
) -> Result<Json<SessionFacts>, ApiError> {
    let Path(session) = session?;
    Ok(Json(state.signal.session(visitor(from, &headers), session).await??))
}

/// `DELETE /api/rooms/{room}`: ends it.
pub async fn end(
    State(state): State<AppState>,
    Source(from): Source,
    headers: HeaderMap,
    room: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(room) = room?;
    state.signal.end_room(visitor(from, &headers), room).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/rooms/{room}/participants/{participant}`: removes one.
pub async fn remove(
    State(state): State<AppState>,
    Source(from): Source,
    headers: HeaderMap,
    who: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(who) = who?;
    state.signal.remove(visitor(from, &headers), who).await??;
    Ok(StatusCode::NO_CONTENT)
}

fn visitor(from: IpAddr, headers: &HeaderMap) -> Visitor {
    Visitor { from, token: bearer(headers).map(str::to_owned) }
}
