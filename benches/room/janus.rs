//! Signaling with the VideoRoom of Janus: one peer connection to publish and another to subscribe to all the others.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::load::Message;
use crate::peer::Offer;
use crate::socket::Socket;

/// Makes a room for so many publishers.
pub fn create(server: SocketAddr, room: usize, publishers: usize) -> Result<()> {
    let mut handle = Handle::attach(server)?;
    let body = json!({
        "request": "create", "room": room, "publishers": publishers, "audiocodec": "opus", "videocodec": "vp8",
        "bitrate": 0, "notify_joining": false, "lock_record": false,
    });
    handle.request(&body, None)?;
    Ok(())
}

/// Publishes as `index` in a thread of its own.
pub fn publish(server: SocketAddr, room: usize, index: usize, offer: Offer, load: Sender<Message>) -> Result<()> {
    in_thread(index, load, move |load| {
        let mut handle = Handle::attach(server)?;
        let join = json!({"request": "join", "ptype": "publisher", "room": room, "id": feed(index)});
        handle.request(&join, None)?;
        let jsep = json!({"type": "offer", "sdp": offer.sdp});
        let event = handle.request(&json!({"request": "publish"}), Some(jsep))?;
        load.send(Message::Answer(index, sdp_of(&event)?))?;
        Ok(handle.socket)
    })
}

/// Subscribes `index` to what others publish, in a thread of its own.
pub fn subscribe(
    server: SocketAddr,
    room: usize,
    index: usize,
    publishers: Vec<usize>,
    load: Sender<Message>,
) -> Result<()> {
    in_thread(index, load, move |load| {
        let mut handle = Handle::attach(server)?;
        let streams: Vec<_> = publishers.iter().map(|publisher| json!({"feed": feed(*publisher)})).collect();
        let join = json!({"request": "join", "ptype": "subscriber", "room": room, "streams": streams});
        // A publisher is known once its own connection stands.
        let mut event = handle.request(&join, None);
        while event.as_ref().is_err_and(|error| error.to_string().contains("No such feed")) {
            std::thread::sleep(RETRY);
            event = handle.request(&join, None);
        }
        let event = event?;
        let (reply, answer) = channel();
        load.send(Message::Offer(index, sdp_of(&event)?, reply))?;
        let jsep = json!({"type": "answer", "sdp": answer.recv()?});
        handle.request(&json!({"request": "start"}), Some(jsep))?;
        Ok(handle.socket)
    })
}

/// How long to wait for a publisher before it is asked for again.
const RETRY: Duration = Duration::from_millis(100);

/// A publisher's number in Janus, which must not be 0.
fn feed(index: usize) -> usize {
    index + 1
}

fn in_thread(
    index: usize,
    load: Sender<Message>,
    talk: impl FnOnce(&Sender<Message>) -> Result<Socket> + Send + 'static,
) -> Result<()> {
    let talk = move || match talk(&load) {
        Ok(socket) => socket.stay(),
        // A load that is gone needs to know nothing.
        Err(error) => drop(load.send(Message::Failed(index, error))),
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(talk)?;
    Ok(())
}

fn sdp_of(event: &Value) -> Result<String> {
    Ok(event["jsep"]["sdp"].as_str().with_context(|| format!("no SDP in {event}"))?.to_owned())
}

/// A handle of the VideoRoom plugin in a session of its own.
struct Handle {
    socket: Socket,
    session: Value,
    handle: Value,
}

impl Handle {
    fn attach(server: SocketAddr) -> Result<Self> {
        let mut socket = Socket::connect(server, "/", "janus-protocol")?;
        socket.say(&json!({"janus": "create", "transaction": "create"}))?;
        let session = socket.hear(|value| value["transaction"] == "create")?["data"]["id"].clone();
        let attach = json!({
            "janus": "attach", "transaction": "attach", "session_id": session, "plugin": "janus.plugin.videoroom",
        });
        socket.say(&attach)?;
        let attached = socket.hear(|value| value["transaction"] == "attach")?;
        Ok(Self { socket, session, handle: attached["data"]["id"].clone() })
    }

    /// Asks for something and returns what the plugin says to it.
    fn request(&mut self, body: &Value, jsep: Option<Value>) -> Result<Value> {
        let transaction = body["request"].clone();
        let mut message = json!({
            "janus": "message", "transaction": transaction, "session_id": self.session, "handle_id": self.handle,
            "body": body,
        });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        self.socket.say(&message)?;
        let answer = self.socket.hear(|value| value["transaction"] == transaction && value["janus"] != "ack")?;
        if answer["janus"] == "error" || !answer["plugindata"]["data"]["error"].is_null() {
            bail!("{answer}");
        }
        Ok(answer)
    }
}
