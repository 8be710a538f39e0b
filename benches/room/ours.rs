//! Signaling with roundturn: one WebSocket and one peer connection for each participant.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::load::Message;
use crate::peer::Offer;
use crate::socket::Socket;

/// Joins a room, offers, hands the answer over and stays, all in a thread of its own.
pub fn join(server: SocketAddr, room: String, index: usize, offer: Offer, load: Sender<Message>) -> Result<()> {
    let talk = move || match talk(server, &room, index, &offer, &load) {
        Ok(socket) => socket.stay(),
        // A load that is gone needs to know nothing.
        Err(error) => drop(load.send(Message::Failed(index, error))),
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(talk)?;
    Ok(())
}

fn talk(server: SocketAddr, room: &str, index: usize, offer: &Offer, load: &Sender<Message>) -> Result<Socket> {
    let mut socket = Socket::connect(server, "/ws", "roundturn.v1")?;
    socket.say(&json!({"type": "join", "id": 1, "room": room, "create": {"mode": "sfu", "max_participants": 500}}))?;
    answer(&mut socket, 1)?;
    let tracks: Vec<_> = offer.tracks.iter().map(|(mid, source)| json!({"mid": mid, "source": source})).collect();
    let slots = json!({"audio": offer.audio, "video": offer.video});
    let (sdp, generation) = (&offer.sdp, 1);
    let said =
        json!({"type": "offer", "id": 2, "generation": generation, "sdp": sdp, "tracks": tracks, "slots": slots});
    socket.say(&said)?;
    let answer = answer(&mut socket, 2)?;
    let sdp = answer["sdp"].as_str().context("an answer without SDP")?;
    load.send(Message::Answer(index, sdp.to_owned()))?;
    Ok(socket)
}

fn answer(socket: &mut Socket, id: u64) -> Result<Value> {
    let answer = socket.hear(|value| value["reply_to"] == id || value["type"] == "bye")?;
    if ["error", "bye"].contains(&answer["type"].as_str().unwrap_or_default()) {
        bail!("{answer}");
    }
    Ok(answer)
}
