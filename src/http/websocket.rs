//! `/ws`: from an upgrade to a wire to the hub.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use tokio::time::{sleep_until, timeout};

use super::AppState;
use super::error::ApiError;
use super::source::{Source, bearer};
use crate::clock;
use crate::signal::protocol::{Bye, SUBPROTOCOL};
use crate::signal::{ToClient, Wire};

/// What each connection reads into, for as long as it lasts; longer messages get their own.
const READ_BYTES: usize = 4 * 1024;
/// How long one frame may take to leave.
const SEND: Duration = Duration::from_secs(10);
/// Pings leave at multiples of this since the daemon began.
const TOGETHER: Duration = Duration::from_secs(1);
/// Pings without a sound before the connection counts as lost.
const SILENT_PINGS: u32 = 3;

/// `GET /ws`
pub async fn upgrade(
    State(state): State<AppState>,
    Source(from): Source,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    if uri.query().is_some() {
        return Err(ApiError::BadRequest("nothing belongs in this URL's query: the first frame is join".into()));
    }
    let upgrade = upgrade.map_err(|_| ApiError::BadRequest("this is a WebSocket".into()))?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::BadRequest(format!("offer the subprotocol {SUBPROTOCOL}")));
    }
    let token = bearer(&headers).map(str::to_owned);
    let permit = state.websockets.clone().try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::Unavailable("too many connections"))?;
    // What is larger is not even read.
    let largest = state.frame_bytes;
    let upgrade = upgrade.max_message_size(largest).max_frame_size(largest).read_buffer_size(READ_BYTES);
    Ok(upgrade
        .on_upgrade(async move |socket| {
            if let Ok(wire) = state.signal.open(from, token).await {
                converse(socket, wire, Pings { every: state.ping_every, began: state.began }).await;
            }
            drop(permit);
        })
        .into_response())
}

async fn converse(mut socket: WebSocket, mut wire: Wire, pings: Pings) {
    let mut ping_at = pings.after(clock::now());
    let mut silent_pings = 0;
    // After a frame that was not read to its end there is nothing more to understand.
    let mut deaf = false;
    loop {
        tokio::select! {
            to_client = wire.next() => match to_client {
                Some(ToClient::Frame(frame)) => {
                    if !send(&mut socket, Message::Text(frame.into())).await {
                        break;
                    }
                }
                Some(ToClient::Close(bye)) => {
                    return say_goodbye(&mut socket, bye).await;
                }
                None => return,
            },
            message = socket.recv(), if !deaf => {
                silent_pings = 0;
                let goes_on = match message {
                    Some(Ok(Message::Text(text))) => wire.frame(text.as_str().to_owned()).await,
                    Some(Ok(Message::Binary(_))) => wire.not_text().await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => true,
                    Some(Err(error)) if is_too_large(&error) => {
                        deaf = true;
                        wire.too_large().await
                    }
                    Some(Err(error)) if is_no_text(&error) => {
                        deaf = true;
                        wire.not_text().await
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                };
                if !goes_on {
                    break;
                }
            }
            () = sleep_until(ping_at.into()) => {
                ping_at = pings.after(clock::now());
                silent_pings += 1;
                if silent_pings > SILENT_PINGS || !send(&mut socket, Message::Ping(Vec::new().into())).await {
                    break;
                }
            }
        }
    }
    wire.lost().await;
}

/// When quiet connections are pinged.
#[derive(Clone, Copy)]
struct Pings {
    every: Duration,
    began: Instant,
}

impl Pings {
    /// The next time: hundreds of connections wake the daemon up together.
    fn after(self, now: Instant) -> Instant {
        let passed = (now + self.every).saturating_duration_since(self.began).as_millis();
        let turns = u32::try_from(passed.div_ceil(TOGETHER.as_millis())).unwrap_or(u32::MAX);
        self.began + TOGETHER * turns
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SEND, socket.send(message)).await, Ok(Ok(())))
}

async fn say_goodbye(socket: &mut WebSocket, bye: Bye) {
    let frame = CloseFrame { code: bye.close_code(), reason: bye.as_str().into() };
    send(socket, Message::Close(Some(frame))).await;
}

/// By their words: the errors' type belongs to a crate below axum.
fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().starts_with("Space limit exceeded")
}

fn is_no_text(error: &axum::Error) -> bool {
    error.to_string().starts_with("UTF-8 encoding error")
}
