//! What clients say.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::shape;

/// What every frame has: its type, and a number where it wants an answer.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    /// The message's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The client's number for the request, positive.
    #[serde(default)]
    pub id: Option<std::num::NonZeroU64>,
}

impl Envelope {
    /// Reads the envelope of a frame; `None`: the frame is no message at all.
    pub fn parse(frame: &str) -> Option<Self> {
        // serde would take an array for an object whose fields come in their order.
        let is_object = frame.trim_ascii_start().starts_with('{');
        if is_object { serde_json::from_str(frame).ok() } else { None }
    }
}

/// Everything that a client may ask once it is in, and the two ways of coming in.
#[derive(Debug)]
pub enum Request {
    /// Enter a room.
    Join(Box<Join>),
    /// Take up a session whose connection was lost.
    Resume(Resume),
    /// To one participant of a mesh room, unread.
    Signal(Signal),
    /// To the room or some of it, unread.
    Message(Message),
    /// SDP for the SFU.
    Offer(Box<OfferRequest>),
    /// A candidate that a client trickles.
    Candidate(Candidate),
    /// Stop or resume a track.
    Mute(Mute),
    /// End a track.
    Unpublish(Unpublish),
    /// How large tracks are shown.
    View(View),
    /// Another name, other meta.
    Update(Update),
    /// Fresh ICE servers.
    IceServers,
    /// The clock, please.
    Ping(Ping),
    /// A moderator's wish.
    Moderate(Moderate),
    /// The end.
    Leave,
    /// A type that this server does not have.
    Unknown,
}

impl Request {
    /// Reads the message of an envelope from the frame that the envelope was read from.
    ///
    /// # Errors
    /// A sentence for people when a field is missing, of the wrong type or out of range.
    pub fn parse(kind: &str, frame: &str) -> Result<Self, String> {
        Ok(match kind {
            "join" => Self::Join(message(kind, frame)?),
            "resume" => Self::Resume(message(kind, frame)?),
            "signal" => Self::Signal(message(kind, frame)?),
            "message" => Self::Message(message(kind, frame)?),
            "offer" => Self::Offer(message(kind, frame)?),
            "candidate" => Self::Candidate(message(kind, frame)?),
            "mute" => Self::Mute(message(kind, frame)?),
            "unpublish" => Self::Unpublish(message(kind, frame)?),
            "view" => Self::View(message(kind, frame)?),
            "update" => Self::Update(message(kind, frame)?),
            "ice_servers" => Self::IceServers,
            "ping" => Self::Ping(message(kind, frame)?),
            "moderate" => Self::Moderate(message(kind, frame)?),
            "leave" => Self::Leave,
            _ => Self::Unknown,
        })
    }
}

/// Reads twice what cannot be read at once: the second time for words that help.
fn message<T: DeserializeOwned>(kind: &str, frame: &str) -> Result<T, String> {
    serde_json::from_str(frame).map_err(|_| shape::fault_of_message(kind, frame))
}

/// `join`
#[derive(Debug, Deserialize)]
pub struct Join {
    /// The room's name.
    pub room: String,
    /// What opens it, where rooms are not open.
    #[serde(default)]
    pub token: Option<String>,
    /// What others see.
    #[serde(default)]
    pub name: String,
    /// Whatever the application wants others to see.
    #[serde(default)]
    pub meta: Option<Box<RawValue>>,
    /// Make the room where it does not exist.
    #[serde(default)]
    pub create: Option<Create>,
}

/// What a new room shall be. What is absent is as the server's settings say.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Create {
    /// How media flows.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// At most as many as the settings allow.
    #[serde(default)]
    pub max_participants: Option<u32>,
    /// At most as long as the settings allow.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
}

impl Create {
    /// Reads the body of `POST /api/rooms`; none at all is an empty object.
    ///
    /// # Errors
    /// A sentence for people.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        match body.trim_ascii() {
            [] => Ok(Self::default()),
            body if body.starts_with(b"{") => {
                serde_json::from_slice(body).map_err(|_| shape::fault(&shape::CREATE, body))
            }
            _ => Err("the body is an object".to_owned()),
        }
    }
}

/// How media flows, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Between the participants.
    Mesh,
    /// Through us.
    Sfu,
}

/// `resume`
#[derive(Debug, Deserialize)]
pub struct Resume {
    /// The session's name.
    pub session: String,
    /// The key that `joined` gave.
    pub resume_key: String,
    /// The last event that the client has.
    pub seq: u64,
}

/// `signal`
#[derive(Debug, Deserialize)]
pub struct Signal {
    /// To whom.
    pub to: String,
    /// Passed on as it came.
    pub data: Box<RawValue>,
}

/// `message`
#[derive(Debug, Deserialize)]
pub struct Message {
    /// To whom.
    pub to: Recipients,
    /// What it is about.
    #[serde(default)]
    pub topic: String,
    /// Passed on as it came.
    #[serde(default)]
    pub data: Option<Box<RawValue>>,
    /// Whether the sender wants it too.
    #[serde(default)]
    pub echo: bool,
    /// Whether it becomes the topic's current value.
    #[serde(default)]
    pub keep: bool,
}

/// `"*"` or a list of participants.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Recipients {
    /// A list.
    Some(Vec<String>),
    /// `"*"`; any other string is refused by whoever reads it.
    Word(String),
}

/// `offer`
#[derive(Debug, Deserialize)]
pub struct OfferRequest {
    /// The client's number for this offer.
    pub generation: u64,
    /// The SDP.
    pub sdp: String,
    /// What the client's own sections carry.
    #[serde(default)]
    pub tracks: Vec<TrackEntry>,
    /// The sections that the client receives on.
    #[serde(default)]
    pub slots: Slots,
}

/// One section that the client sends on.
#[derive(Debug, Deserialize)]
pub struct TrackEntry {
    /// The section's `a=mid`.
    pub mid: String,
    /// Its source.
    pub source: Source,
    /// A name of the client's choosing.
    #[serde(default)]
    pub name: String,
}

/// A source, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// A shared screen.
    Screen,
    /// The sound of a shared screen.
    ScreenAudio,
}

/// Sections that a client receives on, by kind.
#[derive(Debug, Default, Deserialize)]
pub struct Slots {
    /// Audio sections.
    #[serde(default)]
    pub audio: Vec<String>,
    /// Video sections.
    #[serde(default)]
    pub video: Vec<String>,
}

/// `candidate`
#[derive(Debug, Deserialize)]
pub struct Candidate {
    /// An `RTCIceCandidateInit`; `null` stands for the end of candidates.
    #[serde(default)]
    pub candidate: Option<CandidateInit>,
}

/// The part of an `RTCIceCandidateInit` that we need.
#[derive(Debug, Deserialize)]
pub struct CandidateInit {
    /// The `candidate` attribute's value; empty stands for the end of candidates.
    #[serde(default)]
    pub candidate: String,
}

/// `mute`
#[derive(Debug, Deserialize)]
pub struct Mute {
    /// The track.
    pub track: String,
    /// Whether it is now muted.
    pub muted: bool,
}

/// `unpublish`
#[derive(Debug, Deserialize)]
pub struct Unpublish {
    /// The track.
    pub track: String,
}

/// `view`
#[derive(Debug, Deserialize)]
pub struct View {
    /// All tracks that the client has a wish for.
    pub tracks: Vec<ViewTrack>,
}

/// How a client shows one track.
#[derive(Debug, Deserialize)]
pub struct ViewTrack {
    /// The track.
    pub track: String,
    /// The picture's height in pixels; 0: it is not shown.
    pub height: u32,
    /// Larger ones come first, up to 255.
    #[serde(default)]
    pub priority: u32,
}

/// `update`
#[derive(Debug, Deserialize)]
pub struct Update {
    /// What others see from now on; unchanged when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Whatever the application wants others to see; unchanged when absent.
    #[serde(default)]
    pub meta: Option<Box<RawValue>>,
}

/// `ping`
#[derive(Debug, Deserialize)]
pub struct Ping {
    /// Comes back as it is.
    #[serde(default)]
    pub sent: Option<Box<RawValue>>,
}

/// `moderate`
#[derive(Debug, Deserialize)]
pub struct Moderate {
    /// What to do.
    pub action: Action,
    /// To whom.
    #[serde(default)]
    pub participant: Option<String>,
    /// To which track.
    #[serde(default)]
    pub track: Option<String>,
    /// Why, for the one it happens to.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a moderator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// End a participant's session.
    Remove,
    /// Mute a track, or all of a participant's.
    Mute,
    /// Let nobody new in.
    Lock,
    /// Let people in again.
    Unlock,
    /// End the room.
    End,
}
