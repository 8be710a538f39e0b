//! A server on loopback with mailboxes that nobody empties but the test, and clients for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use roundturn::config::{NamedSecret, RoomMode, Rooms, Secret};
use roundturn::health::Health;
use roundturn::http::{self, ApiKeys, AppState, Origins};
use roundturn::nat::Addresses;
use roundturn::shard::mailbox::{FromShard, Shards, ToShard, mailbox};
use roundturn::signal::protocol::{Limits, SlotCounts};
use roundturn::signal::{HubConfig, IceUrls, Mint, Rate, SignalConfig, SignalHandle, spawn};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Nothing here takes long; whoever waits longer waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A key that programs ask for credentials with.
pub const KEY: &str = "0123456789abcdef";

/// The server.
pub struct House {
    pub address: SocketAddr,
    pub signal: SignalHandle,
    pub health: Arc<Health>,
    pub keys: ApiKeys,
    pub origins: Origins,
    pub shard: Receiver<ToShard>,
    pub events: mpsc::Sender<FromShard>,
    pub shutdown: watch::Sender<bool>,
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A house with other rules.
    pub async fn with(change: impl FnOnce(&mut HubConfig)) -> Self {
        let (sender, shard) = mailbox(Arc::new(|| {}));
        let (events, from_shards) = mpsc::channel(64);
        let health = Arc::new(Health::default());
        let keys = ApiKeys::new(&[Secret::new(KEY)]);
        let origins = Origins::default();
        let mut hub = hub_config();
        change(&mut hub);
        let signal =
            spawn(SignalConfig { hub }, Shards::new(vec![sender]), from_shards, health.clone(), mpsc::channel(64).0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, stop) = watch::channel(false);
        let state = AppState::new(signal.clone(), health.clone(), keys.clone(), origins.clone(), 65_536);
        tokio::spawn(http::serve(vec![listener], state, stop));
        health.set_serving(true);
        Self { address, signal, health, keys, origins, shard, events, shutdown }
    }

    /// A WebSocket that has said nothing yet.
    pub async fn connects(&self) -> Client {
        self.connects_with(&[]).await
    }

    /// One whose request had more headers.
    pub async fn connects_with(&self, headers: &[(&'static str, &str)]) -> Client {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request.headers_mut().insert("sec-websocket-protocol", "roundturn.v1".parse().unwrap());
        let (socket, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "roundturn.v1");
        Client { socket }
    }

    /// A WebSocket that has joined, and what `joined` said.
    pub async fn joins(&self, room: &str, mode: &str) -> (Client, Value) {
        let mut client = self.connects().await;
        client.says(json!({"type":"join","id":1,"room":room,"create":{"mode":mode}})).await;
        let joined = client.hears_a("joined").await;
        (client, joined)
    }

    /// The status of an upgrade that is refused.
    pub async fn refuses(&self, path: &str, headers: &[(&'static str, &str)]) -> u16 {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("{other:?}"),
        }
    }

    /// A plain request with more headers; status, head and body.
    pub async fn asks(&self, method: &str, path: &str, headers: &str) -> (u16, String, String) {
        self.converses(&format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"))
            .await
    }

    /// A request with a body.
    pub async fn posts(&self, path: &str, body: &str) -> (u16, String) {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let (status, _, body) = self.converses(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
        (status, body)
    }

    async fn converses(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
    }
}

fn hub_config() -> HubConfig {
    let secret =
        NamedSecret { name: "2026".into(), value: Secret::new("north"), validity: roundturn_turn::Validity::default() };
    let addresses = Addresses { external_v4: Some([192, 0, 2, 7].into()), ..Addresses::default() };
    HubConfig {
        rooms: Rooms {
            open: true,
            mode: RoomMode::Sfu,
            max_participants: 50,
            audio_slots: 4,
            video_slots: 9,
            keyframe_cache: false,
            ttl: Duration::from_secs(3600),
            empty_timeout: Duration::from_secs(300),
            resume: Duration::from_secs(30),
        },
        rooms_max: 1000,
        shards: 1,
        limits: Limits { frame_bytes: 65_536, frames_per_second: 50, slots: SlotCounts { audio: 4, video: 9 } },
        burst: 200,
        frame_bytes_out: 262_144,
        asks: Rate { per_second: 20, burst: 500 },
        join_timeout: Duration::from_secs(5),
        tokens: None,
        mint: Mint::new(vec![secret], Duration::from_secs(3600)),
        urls: IceUrls::new(&["[::]:3478".parse().unwrap()], &addresses),
        seed: [7; 32],
    }
}

/// One WebSocket of a client.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub async fn says(&mut self, frame: Value) {
        self.sends(Message::text(frame.to_string())).await;
    }

    pub async fn sends(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next frame.
    pub async fn hears(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("no frame but {other:?}"),
        }
    }

    /// The next frame of this type; others before it are passed over.
    pub async fn hears_a(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.hears().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// `bye` with this reason and a close with this code.
    pub async fn is_sent_away(&mut self, reason: &str, code: u16) -> Value {
        let bye = self.hears_a("bye").await;
        assert_eq!(bye["reason"], reason);
        match self.next().await {
            Some(Ok(Message::Close(Some(close)))) => assert_eq!(u16::from(close.code), code),
            other => panic!("no close but {other:?}"),
        }
        bye
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something within reason");
            if !matches!(next, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                return next;
            }
        }
    }
}
