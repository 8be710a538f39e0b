//! `/health`, `/livez` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::AppState;
use crate::clock;
use crate::moment::rfc3339;

/// The body of `/health`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    status: &'static str,
    timestamp: String,
    active_sessions: u64,
    active_participants: u64,
}

/// For people and their monitors.
pub async fn health(State(state): State<AppState>) -> (StatusCode, Json<Health>) {
    let (code, status) = match readiness(&state) {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(status) => (StatusCode::SERVICE_UNAVAILABLE, status),
    };
    let (sessions, participants) = state.health.occupancy();
    let timestamp = rfc3339(clock::unix_secs());
    let body = Health { status, timestamp, active_sessions: sessions, active_participants: participants };
    (code, Json(body))
}

/// Whether the process should be kept: it works, even when it lets nobody in.
pub async fn livez(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if !state.signal.is_live() {
        (StatusCode::SERVICE_UNAVAILABLE, "signaling has ended\n")
    } else if state.health.stuck() {
        (StatusCode::SERVICE_UNAVAILABLE, "a shard does not answer\n")
    } else {
        (StatusCode::OK, "alive\n")
    }
}

/// Whether newcomers should be sent here. The self-test informs, and gates nothing.
pub async fn readyz(State(state): State<AppState>) -> (StatusCode, String) {
    let self_test = match state.health.self_test() {
        text if text.is_empty() => String::new(),
        text => format!("; self-test: {}", text.replace(['\r', '\n'], " ")),
    };
    match readiness(&state) {
        Ok(()) => (StatusCode::OK, format!("ready{self_test}\n")),
        Err(status) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {status}{self_test}\n")),
    }
}

fn readiness(state: &AppState) -> Result<(), &'static str> {
    if state.health.draining() {
        Err("draining")
    } else if !state.signal.is_live() {
        Err("stopping")
    } else if state.health.stuck() {
        Err("stuck")
    } else if !state.health.serving() {
        Err("starting")
    } else {
        Ok(())
    }
}
