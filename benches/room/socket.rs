//! A WebSocket with JSON in it, of whoever waits for an answer.

use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

/// A connection.
pub struct Socket {
    socket: WebSocket<TcpStream>,
}

impl Socket {
    /// Connects with a subprotocol.
    pub fn connect(server: SocketAddr, path: &str, subprotocol: &str) -> Result<Self> {
        let mut request = format!("ws://{server}{path}").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", subprotocol.parse()?);
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        let (socket, _) = client(request, stream).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self { socket })
    }

    /// Says something.
    pub fn say(&mut self, value: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(value.to_string()))?)
    }

    /// Hears the next thing of interest; the rest is passed over.
    pub fn hear(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        loop {
            if let Message::Text(text) = self.socket.read()? {
                let value: Value = serde_json::from_str(&text).context("JSON")?;
                if is_wanted(&value) {
                    return Ok(value);
                }
            }
        }
    }

    /// Stays until the server is gone, as those do who are in a call.
    pub fn stay(mut self) {
        while self.socket.read().is_ok() {}
    }
}
