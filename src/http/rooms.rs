//! The API for rooms.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::AppState;
use super::error::ApiError;
use super::source::Source;
use crate::signal::protocol::{Create, RoomFacts};

/// `POST /api/rooms`: makes a room with a name of our choosing.
pub async fn create(
    State(state): State<AppState>,
    Source(from): Source,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<RoomFacts>), ApiError> {
    // The content type is not asked for: a body that is the right JSON is right.
    let create = Create::parse(&body?).map_err(ApiError::BadRequest)?;
    let facts = state.signal.create_room(from, create).await??;
    Ok((StatusCode::CREATED, Json(facts)))
}

/// `GET /api/rooms/{room}`: what anyone may know of a room.
pub async fn show(
    State(state): State<AppState>,
    room: Result<Path<String>, PathRejection>,
) -> Result<Json<RoomFacts>, ApiError> {
    let Path(room) = room?;
    state.signal.room(room).await?.map(Json).ok_or(ApiError::NotFound("no such room"))
}

/// `DELETE /api/rooms/{room}`: needs a token with `moderate`, which an open server has no way to check.
pub async fn end() -> ApiError {
    ApiError::Forbidden("needs a token with the grant moderate")
}

/// `DELETE /api/rooms/{room}/participants/{participant}`: the same.
pub async fn remove() -> ApiError {
    ApiError::Forbidden("needs a token with the grant moderate")
}
