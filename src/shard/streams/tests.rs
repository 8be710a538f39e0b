//! The doors and deadlines of streams, at a time of the tests' own.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use mio::{Events, Poll};

use super::*;

struct Doors {
    poll: Poll,
    streams: Streams,
    address: SocketAddr,
    now: Instant,
}

impl Doors {
    #[allow(clippy::disallowed_methods)]
    fn new(connections: usize, connections_per_prefix: usize) -> Self {
        let poll = Poll::new().unwrap();
        let listener = tcp::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.address;
        let config =
            StreamConfig { turns: Vec::new(), tls: None, proxies: Vec::new(), connections, connections_per_prefix };
        let registry = poll.registry().try_clone().unwrap();
        let streams = Streams::new(registry, vec![listener], Vec::new(), config).unwrap();
        Self { poll, streams, address, now: Instant::now() }
    }

    /// Somebody connects and says `bytes`; what the shard would be told of it.
    fn hear(&mut self, bytes: &[u8]) -> (TcpStream, Option<(u16, Client)>) {
        let mut client = TcpStream::connect(self.address).unwrap();
        client.write_all(bytes).unwrap();
        let mut messages = Vec::new();
        loop {
            let mut events = Events::with_capacity(16);
            self.poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
            assert!(!events.is_empty(), "something is to come");
            events.iter().for_each(|event| self.streams.on_event(event));
            self.streams.accept(self.now);
            let refused = self.streams.counters.ended[End::Refused as usize];
            if let Some(heard) = self.streams.read(&mut messages) {
                self.streams.introduce(heard.0, heard.1);
                self.streams.keep(self.now, heard.0, &messages, false);
                return (client, Some(heard));
            }
            if refused > 0 || bytes.is_empty() && !self.streams.streams.is_empty() {
                return (client, None);
            }
        }
    }

    /// The time is later by `secs`; the ends that came of it.
    fn later(&mut self, secs: u64, is_allocated: bool) -> Vec<&'static str> {
        self.now += Duration::from_secs(secs);
        self.streams.tick(self.now, |_| is_allocated);
        let before = self.streams.counters.ended;
        while self.streams.close_next().is_some() {}
        let after = self.streams.counters.ended;
        End::ALL.iter().filter(|end| after[**end as usize] > before[**end as usize]).map(|end| end.label()).collect()
    }
}

#[test]
fn a_stream_that_says_nothing_ends_soon() {
    let mut doors = Doors::new(10, 10);
    let (_client, heard) = doors.hear(&[]);
    assert_eq!(heard, None);
    assert_eq!(doors.later(9, false), [""; 0]);
    assert_eq!(doors.later(1, false), ["silent"]);
    assert_eq!(doors.streams.counters.open, [0, 0]);
}

#[test]
fn a_stream_that_never_ends_its_first_message_ends_as_soon() {
    let mut doors = Doors::new(10, 10);
    let (_client, heard) = doors.hear(&[0, 1, 0, 0]);
    assert!(heard.is_some());
    assert_eq!(doors.later(10, false), ["silent"]);
}

#[test]
fn a_stream_without_an_allocation_ends_when_nothing_is_said_and_one_with_it_stays() {
    let mut doors = Doors::new(10, 10);
    let (_client, heard) = doors.hear(&[0, 1, 0, 0]);
    let (number, _) = heard.unwrap();
    doors.streams.keep(doors.now, number, &[], true);
    assert_eq!(doors.later(29, false), [""; 0]);
    assert_eq!(doors.later(3600, true), [""; 0]);
    assert_eq!(doors.later(29, false), [""; 0], "the allocation has ended a moment ago");
    assert_eq!(doors.later(1, false), ["idle"]);
}

#[test]
fn the_house_has_so_many_places_and_each_prefix_has_its_own() {
    for (connections, per_prefix) in [(1, 10), (10, 1)] {
        let mut doors = Doors::new(connections, per_prefix);
        let (_client, heard) = doors.hear(&[0x40]);
        assert!(heard.is_some());
        assert_eq!(doors.hear(&[0x40]).1, None);
        assert_eq!(doors.streams.counters.ended[End::Refused as usize], 1);
        doors.later(10, false);
        assert_eq!(doors.streams.streams.len(), 0);
    }
}

#[test]
fn a_stream_that_cannot_be_written_ends_at_once() {
    let mut doors = Doors::new(10, 10);
    let (client, heard) = doors.hear(&[0, 1, 0, 0]);
    let (number, _) = heard.unwrap();
    let stream = &mut doors.streams.streams[usize::from(number)];
    // What waits when the client resets the stream has nowhere to go.
    stream.output.push([&[0; 100], &[], &[]], false).unwrap();
    nix::sys::socket::setsockopt(&client, nix::sys::socket::sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })
        .unwrap();
    drop(client);
    while doors.streams.ended.is_empty() {
        let mut events = Events::with_capacity(16);
        doors.poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert!(!events.is_empty(), "the reset is to come");
        events.iter().for_each(|event| doors.streams.on_event(event));
    }
    assert_eq!(doors.later(0, true), ["reset"]);
}
