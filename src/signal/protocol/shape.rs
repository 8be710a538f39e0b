//! What messages must look like, in words, for those whose message does not.

use serde_json::Value;

/// A field of a message.
pub struct Field {
    name: &'static str,
    need: Need,
    shape: Shape,
}

/// Whether a field must be there.
#[derive(PartialEq, Eq)]
enum Need {
    /// Always.
    Required,
    /// It may be left out.
    Optional,
    /// It may be left out or `null`.
    Nullable,
}

/// What stands in a field.
enum Shape {
    Any,
    Text,
    Texts,
    Flag,
    /// A whole number from 0 to this.
    Number(u64),
    OneOf(&'static [&'static str]),
    /// `"*"` or a list of participants.
    Recipients,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

use Need::{Nullable, Optional, Required};
use Shape::{Any, Flag, Number, Object, Objects, OneOf, Recipients, Text, Texts};

const fn field(name: &'static str, need: Need, shape: Shape) -> Field {
    Field { name, need, shape }
}

/// `create` of a join, and the body of `POST /api/rooms`.
pub static CREATE: [Field; 3] = [
    field("mode", Nullable, OneOf(&["mesh", "sfu"])),
    field("max_participants", Nullable, Number(u32::MAX as u64)),
    field("ttl_seconds", Nullable, Number(u64::MAX)),
];
static TRACK: [Field; 3] = [
    field("mid", Required, Text),
    field("source", Required, OneOf(&["microphone", "camera", "screen", "screen_audio"])),
    field("name", Optional, Text),
];
static VIEW_TRACK: [Field; 3] = [
    field("track", Required, Text),
    field("height", Required, Number(u32::MAX as u64)),
    field("priority", Optional, Number(u32::MAX as u64)),
];
static SLOTS: [Field; 2] = [field("audio", Optional, Texts), field("video", Optional, Texts)];
static CANDIDATE: [Field; 1] = [field("candidate", Optional, Text)];

/// The fields of each type of message.
pub static MESSAGES: [(&str, &[Field]); 12] = [
    (
        "join",
        &[
            field("room", Required, Text),
            field("name", Optional, Text),
            field("meta", Nullable, Any),
            field("create", Nullable, Object(&CREATE)),
        ],
    ),
    (
        "resume",
        &[
            field("session", Required, Text),
            field("resume_key", Required, Text),
            field("seq", Required, Number(u64::MAX)),
        ],
    ),
    ("signal", &[field("to", Required, Text), field("data", Required, Any)]),
    (
        "message",
        &[
            field("to", Required, Recipients),
            field("topic", Optional, Text),
            field("data", Nullable, Any),
            field("echo", Optional, Flag),
            field("keep", Optional, Flag),
        ],
    ),
    (
        "offer",
        &[
            field("generation", Required, Number(u64::MAX)),
            field("sdp", Required, Text),
            field("tracks", Optional, Objects(&TRACK)),
            field("slots", Optional, Object(&SLOTS)),
        ],
    ),
    ("candidate", &[field("candidate", Nullable, Object(&CANDIDATE))]),
    ("mute", &[field("track", Required, Text), field("muted", Required, Flag)]),
    ("unpublish", &[field("track", Required, Text)]),
    ("view", &[field("tracks", Required, Objects(&VIEW_TRACK))]),
    ("update", &[field("name", Nullable, Text), field("meta", Nullable, Any)]),
    ("ping", &[field("sent", Nullable, Any)]),
    (
        "moderate",
        &[
            field("action", Required, OneOf(&["remove", "mute", "lock", "unlock", "end"])),
            field("participant", Nullable, Text),
            field("track", Nullable, Text),
            field("reason", Nullable, Text),
        ],
    ),
];

/// What is wrong with a message of this type that could not be read.
pub fn fault_of_message(kind: &str, frame: &str) -> String {
    let fields = MESSAGES.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, fields)| *fields);
    fault(fields, frame.as_bytes())
}

/// What is wrong with an object of these fields that could not be read.
pub fn fault(fields: &[Field], text: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice(text) else { return "this is no JSON".to_owned() };
    // What is left are fields that stand twice.
    in_object(fields, &value, "").unwrap_or_else(|| "each field stands only once".to_owned())
}

fn in_object(fields: &[Field], value: &Value, path: &str) -> Option<String> {
    let Value::Object(object) = value else { return Some(format!("{} must be an object", name_of(path))) };
    fields.iter().find_map(|field| {
        let path = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        match object.get(field.name) {
            None if field.need == Required => Some(format!("{path} is missing: it must be {}", field.shape.words())),
            None => None,
            Some(Value::Null) if field.need == Nullable => None,
            Some(value) => in_field(&field.shape, value, &path),
        }
    })
}

/// The depth is that of the tables above.
fn in_field(shape: &Shape, value: &Value, path: &str) -> Option<String> {
    let is_text = |value: &Value| value.is_string();
    let are_texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(is_text));
    let fits = match shape {
        Any => true,
        Text => is_text(value),
        Texts => are_texts(value),
        Flag => value.is_boolean(),
        Number(most) => value.as_u64().is_some_and(|number| number <= *most),
        OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Recipients => is_text(value) || are_texts(value),
        Object(fields) => return in_object(fields, value, path),
        Objects(fields) => match value {
            Value::Array(items) => {
                let item = |(index, item)| in_object(fields, item, &format!("{path}[{index}]"));
                return items.iter().enumerate().find_map(item);
            }
            _ => false,
        },
    };
    (!fits).then(|| format!("{path} must be {}", shape.words()))
}

fn name_of(path: &str) -> &str {
    if path.is_empty() { "this" } else { path }
}

impl Shape {
    fn words(&self) -> String {
        match self {
            Any => "there".to_owned(),
            Text => "a text".to_owned(),
            Texts => "a list of texts".to_owned(),
            Flag => "true or false".to_owned(),
            Number(most) => format!("a whole number from 0 to {most}"),
            OneOf(words) => format!("one of {}", words.join(", ")),
            Recipients => "\"*\" or a list of participants".to_owned(),
            Object(_) => "an object".to_owned(),
            Objects(_) => "a list of objects".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Request;
    use super::*;

    #[test]
    fn a_fault_is_told_by_field_and_rule() {
        for (frame, words) in [
            (json!({"type":"join"}), "room is missing: it must be a text"),
            (json!({"type":"join","room":7}), "room must be a text"),
            (json!({"type":"join","room":"r","create":{"mode":"auto"}}), "create.mode must be one of mesh, sfu"),
            (
                json!({"type":"join","room":"r","create":{"max_participants":-1}}),
                "create.max_participants must be a whole number from 0 to 4294967295",
            ),
            (json!({"type":"join","room":"r","create":3}), "create must be an object"),
            (json!({"type":"message","to":3}), "to must be \"*\" or a list of participants"),
            (json!({"type":"message","to":["p_1", 3]}), "to must be \"*\" or a list of participants"),
            (json!({"type":"signal","to":"p_1"}), "data is missing: it must be there"),
            (json!({"type":"mute","track":"t_1","muted":"yes"}), "muted must be true or false"),
            (
                json!({"type":"offer","generation":1,"sdp":"","tracks":[{"mid":"0","source":"camera"},{"mid":"1"}]}),
                "tracks[1].source is missing: it must be one of microphone, camera, screen, screen_audio",
            ),
        ] {
            let Err(said) = Request::parse(frame["type"].as_str().unwrap(), &frame.to_string()) else {
                panic!("{frame} is read")
            };
            assert_eq!(said, words);
        }
        let twice = r#"{"type":"mute","track":"t_1","track":"t_2","muted":true}"#;
        assert_eq!(Request::parse("mute", twice).unwrap_err(), "each field stands only once");
    }

    /// Every message, and every single value in the place of each field: what serde refuses has words of ours.
    #[test]
    fn whatever_cannot_be_read_has_words_of_its_own() {
        let values = [
            json!(null),
            json!(true),
            json!(1),
            json!(-1),
            json!(1.5),
            json!("x"),
            json!([]),
            json!([1]),
            json!(["x"]),
            json!([{}]),
            json!({}),
            json!({"mode": 1}),
            json!({"candidate": null}),
            json!({"audio": [1]}),
            json!([{"mid": "0", "source": "camera", "name": null}]),
        ];
        let mut refused = 0;
        for (kind, fields) in &MESSAGES {
            for field in *fields {
                for value in &values {
                    let mut frame = valid(kind);
                    frame[field.name] = value.clone();
                    if let Err(said) = Request::parse(kind, &frame.to_string()) {
                        refused += 1;
                        assert!(said.starts_with(field.name), "{frame}: {said}");
                    }
                }
                let mut frame = valid(kind);
                frame.as_object_mut().unwrap().remove(field.name);
                let is_read = Request::parse(kind, &frame.to_string()).is_ok();
                assert_eq!(is_read, field.need != Required, "{frame}");
            }
        }
        assert!(refused > 200, "{refused}");
    }

    fn valid(kind: &str) -> Value {
        let frame = match kind {
            "join" => json!({"room": "r"}),
            "resume" => json!({"session": "s", "resume_key": "k", "seq": 1}),
            "signal" => json!({"to": "p_1", "data": 1}),
            "message" => json!({"to": "*"}),
            "offer" => json!({"generation": 1, "sdp": ""}),
            "mute" => json!({"track": "t_1", "muted": true}),
            "unpublish" => json!({"track": "t_1"}),
            "view" => json!({"tracks": []}),
            "moderate" => json!({"action": "end"}),
            _ => json!({}),
        };
        assert!(Request::parse(kind, &frame.to_string()).is_ok(), "{frame}");
        frame
    }
}
