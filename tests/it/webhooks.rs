//! Webhooks: an application that is told what happens in its rooms, and is away for a while.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;

/// How long a POST may take to come, with the waits between tries.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn an_event_is_brought_signed_in_order_and_again_where_it_was_not_taken() {
    let application = Application::start(&[503, 200, 404, 200]);
    let program = Program::start(&application.settings());
    for _ in 0..3 {
        assert!(program.post("/api/rooms").contains(" 201 "));
    }
    let [refused, again, given_up, last] = [(); 4].map(|()| application.hears());
    assert_eq!(refused.body, again.body, "the same event");
    let events: Vec<Value> = [&again, &given_up, &last].map(|post| serde_json::from_str(&post.body).unwrap()).into();
    for event in &events {
        assert_eq!((&event["event"], &event["mode"]), (&"room_started".into(), &"sfu".into()));
        assert!(event["at"].is_u64() && event["room"].is_string());
    }
    assert!(events[0]["id"] != events[1]["id"] && events[1]["id"] != events[2]["id"]);
    program.says("an event is given up");
    program.until(|| program.metric("roundturn_webhooks_total{result=\"delivered\"}") == Some(2.0));
    assert_eq!(program.metric("roundturn_webhooks_total{result=\"failed\"}"), Some(1.0));
    let (time, signature) = last.signature.split_once(",v1=").unwrap();
    let seconds = time.strip_prefix("t=").unwrap();
    assert_eq!(signature, hmac(&format!("{seconds}.{}", last.body)));
}

#[test]
fn what_waits_for_a_url_that_is_told_nothing_any_more_is_dropped() {
    let application = Application::start(&[503, 503]);
    let program = Program::start(&application.settings());
    for _ in 0..2 {
        program.post("/api/rooms");
    }
    application.hears();
    program.reconfigure("");
    program.until(|| program.metric("roundturn_webhooks_total{result=\"dropped\"}") == Some(2.0));
}

fn hmac(message: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"0123456789abcdef").unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What came by POST.
#[derive(Debug)]
struct Post {
    signature: String,
    body: String,
}

/// A web server that answers with these statuses, one after the other.
struct Application {
    url: String,
    posts: Receiver<Post>,
}

impl Application {
    fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (heard, posts) = channel();
        std::thread::spawn(move || {
            for (status, stream) in statuses.iter().zip(listener.incoming()) {
                heard.send(answer(stream.unwrap(), *status)).unwrap();
            }
        });
        Self { url, posts }
    }

    fn settings(&self) -> String {
        format!("[webhooks]\nurls = [{:?}]\nsecret = \"0123456789abcdef\"\n", self.url)
    }

    fn hears(&self) -> Post {
        self.posts.recv_timeout(PATIENCE).expect("a POST")
    }
}

fn answer(stream: TcpStream, status: u16) -> Post {
    let mut reader = BufReader::new(stream);
    let (mut length, mut signature) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("roundturn-signature", value)) => signature = value.to_owned(),
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let head = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    reader.get_mut().write_all(head.as_bytes()).unwrap();
    Post { signature, body: String::from_utf8(body).unwrap() }
}
