//! Somebody in a room of two.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use roundturn::clock;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::latencies::Latencies;

/// What stamps count from.
static START: LazyLock<Instant> = LazyLock::new(clock::now);
/// Between two library pings.
const PING: Duration = Duration::from_secs(15);

type Stream = WebSocketStream<TcpStream>;

/// A WebSocket that has joined.
pub struct Client {
    /// What the server calls it.
    pub id: String,
    /// And the other one.
    pub peer: String,
    sender: SplitSink<Stream, Message>,
    receiver: SplitStream<Stream>,
    latencies: Arc<Latencies>,
}

/// What somebody sends.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// Time between two signals.
    pub between: Duration,
    /// How large each is.
    pub bytes: usize,
}

impl Client {
    /// Connects and joins.
    pub async fn join(server: SocketAddr, room: &str, latencies: Arc<Latencies>) -> Result<Self> {
        let mut request = format!("ws://{server}/ws").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "roundturn.v1".parse()?);
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (stream, _) = client_async(request, stream).await?;
        let (mut sender, mut receiver) = stream.split();
        let join = json!({"type":"join","id":1,"room":room,"create":{"mode":"mesh","max_participants":2}});
        sender.send(Message::text(join.to_string())).await?;
        let joined = heard(&mut receiver).await?;
        let Some(id) = joined["you"]["participant"].as_str().map(str::to_owned) else { bail!("{joined}") };
        Ok(Self { id, peer: String::new(), sender, receiver, latencies })
    }

    /// Sends signals to the other one from now on, and notes how long those of the other one took.
    pub fn talk(self, traffic: Traffic) {
        let Self { peer, mut sender, receiver, latencies, id } = self;
        tokio::spawn(listen(receiver, latencies));
        tokio::spawn(async move {
            let padding = "x".repeat(traffic.bytes);
            // Everybody at another time.
            let number: u32 = id.trim_start_matches("p_").parse().unwrap_or(0);
            tokio::time::sleep(traffic.between * (number % 997) / 997).await;
            let mut ticks = tokio::time::interval(traffic.between);
            for number in 2_u64.. {
                ticks.tick().await;
                let stamp = nanos();
                let data = json!({"stamp": stamp, "padding": padding});
                let signal = json!({"type":"signal","id":number,"to":peer,"data":data});
                if sender.send(Message::text(signal.to_string())).await.is_err() {
                    break;
                }
            }
        });
    }

    /// Is there, and pings as the client library does.
    pub fn listen(self) {
        let Self { mut sender, receiver, latencies, .. } = self;
        tokio::spawn(listen(receiver, latencies));
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PING);
            loop {
                ticks.tick().await;
                if sender.send(Message::text(r#"{"type":"ping","sent":1}"#)).await.is_err() {
                    break;
                }
            }
        });
    }
}

async fn listen(mut receiver: SplitStream<Stream>, latencies: Arc<Latencies>) {
    while let Some(Ok(message)) = receiver.next().await {
        let Message::Text(text) = message else { continue };
        let now = nanos();
        // Answers are not what is measured, and reading them would cost the load as much again.
        let digits = |rest: &str| rest.split(|character: char| !character.is_ascii_digit()).next()?.parse::<u64>().ok();
        let stamp = text.split_once("\"stamp\":").and_then(|(_, rest)| digits(rest));
        if let Some(stamp) = stamp {
            latencies.add(now.saturating_sub(stamp));
        }
    }
}

/// Nanoseconds since the start.
fn nanos() -> u64 {
    clock::now().saturating_duration_since(*START).as_nanos() as u64
}

async fn heard(receiver: &mut SplitStream<Stream>) -> Result<Value> {
    loop {
        match receiver.next().await.context("the server has closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            _ => continue,
        }
    }
}
