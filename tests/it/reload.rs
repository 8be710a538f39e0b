//! SIGHUP: the whole program on the loopback, with calls that go on meanwhile.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::program::Program;
use crate::stream_link::{StreamLink, path};
use crate::support::{free_port, socket};
use crate::turn_client::{Heard, TurnClient};

const FIRST: &str = "the first secret of three";
const SECOND: &str = "the second secret of three";

#[test]
fn a_certificate_that_does_not_serve_refuses_the_whole_and_another_is_taken() {
    let ports = free_range();
    let plain = || Sections { ports, secrets: vec![("first", FIRST)], rest: ALLOW }.text();
    let tls = |certificate: &str| {
        let text = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", path(certificate), path("key.pem"));
        plain() + &text
    };
    let program = Program::start(&tls("certificate.pem"));
    let mut alice = TurnClient::signed(
        StreamLink::tls(program.listener, "", &[]).unwrap(),
        program.listener,
        "alice",
        FIRST.as_bytes(),
    );
    alice.allocate().unwrap();
    program.reconfigure(&tls("nowhere.pem"));
    let said = program.says("SIGHUP: refused");
    assert!(said.contains("nowhere.pem: No such file"), "{said}");
    StreamLink::tls(program.listener, "", &[]).unwrap();
    program.signal("USR1");
    program.says("SIGUSR1 means nothing here");
    let other = tls("other-certificate.pem").replace("/key.pem", "/other-key.pem");
    program.reconfigure(&other);
    program.says("settings were read anew");
    program.until(|| StreamLink::tls(program.listener, "other-", &[]).is_ok());
    alice.refresh().unwrap();
    program.reconfigure(&plain());
    assert!(program.says("these take a restart").contains("tls.certificate, tls.key"));
    StreamLink::tls(program.listener, "other-", &[]).unwrap();
    alice.refresh().unwrap();
}

/// Sections with ports of this test's own.
struct Sections {
    ports: u16,
    secrets: Vec<(&'static str, &'static str)>,
    rest: &'static str,
}

impl Sections {
    fn text(&self) -> String {
        let secret = |(name, value): &(&str, &str)| format!("{{ name = \"{name}\", value = \"{value}\" }}");
        let secrets: Vec<_> = self.secrets.iter().map(secret).collect();
        let (low, high) = (self.ports, self.ports + 200);
        format!("[ports]\nudp = \"{low}-{high}\"\n[auth]\nsecrets = [{}]\n{}", secrets.join(", "), self.rest)
    }
}

fn free_range() -> u16 {
    // Apart from where the kernel takes listeners' ports.
    20_000 + free_port() % 10_000
}

fn client(program: &Program, user: &str, secret: &str) -> TurnClient {
    TurnClient::signed(socket(), program.listener, user, secret.as_bytes())
}

fn peer(host: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(host).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Data goes both ways between a client's channel and the peer that it is bound to.
fn talks(client: &TurnClient, channel: u16, peer: &UdpSocket) {
    let mut bytes = [0; 64];
    client.send_on_channel(channel, b"ping");
    let (len, relay) = peer.recv_from(&mut bytes).unwrap();
    assert_eq!(&bytes[..len], b"ping");
    peer.send_to(b"pong", relay).unwrap();
    assert_eq!(client.hear(), Some(Heard::Channel(channel, b"pong".to_vec())));
}

/// Nothing goes either way. Whatever was to come would have come before the answers.
fn is_cut(client: &mut TurnClient, channel: u16, relay: SocketAddr, peer: &UdpSocket) {
    client.send_on_channel(channel, b"ping");
    peer.send_to(b"pong", relay).unwrap();
    client.binding();
    client.binding();
    for socket in [peer, &client.socket] {
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv_from(&mut [0; 64]).is_err());
        socket.set_nonblocking(false).unwrap();
    }
}

const ALLOW: &str = "[peers]\nallow = [\"127.0.0.0/8\"]\n";
const DENY: &str = "[peers]\nallow = [\"127.0.0.0/8\"]\ndeny = [\"127.0.0.2/32\"]\n[log]\nlevel = \"debug\"\n";

#[test]
fn a_call_goes_on_while_secrets_and_rules_change() {
    let mut sections = Sections { ports: free_range(), secrets: vec![("first", FIRST)], rest: ALLOW };
    let program = Program::start(&sections.text());
    let mut alice = client(&program, "alice", FIRST);
    let ((friend, friends), (enemy, enemys)) = (peer("127.0.0.1:0"), peer("127.0.0.2:0"));
    let relay = alice.allocate().unwrap();
    alice.bind_channel(0x4001, friends).unwrap();
    alice.bind_channel(0x4002, enemys).unwrap();
    talks(&alice, 0x4001, &friend);
    talks(&alice, 0x4002, &enemy);
    assert_eq!(client(&program, "bob", SECOND).allocate(), Err(401));

    sections.secrets = vec![("second", SECOND), ("first", FIRST)];
    sections.rest = DENY;
    program.reconfigure(&sections.text());
    let said = program.says("settings were read anew");
    assert!(said.ends_with("changed: auth.secrets, peers.deny, log.level"), "{said}");
    program.until(|| client(&program, "bob", SECOND).allocate().is_ok());
    program.says("allocation opened");
    talks(&alice, 0x4001, &friend);
    is_cut(&mut alice, 0x4002, relay, &enemy);
    assert_eq!(alice.permit(enemys), Err(403));
    alice.refresh().unwrap();
    assert!(client(&program, "carol", FIRST).allocate().is_ok());
    let denied = r#"roundturn_turn_peer_denied_total{reason="peers.deny"}"#;
    program.until(|| program.metric(denied) == Some(1.0));
    let said = program.says("peers denied to relays");
    assert!(said.contains("peers.deny") && !said.contains("127.0.0.2"), "{said}");

    sections.secrets = vec![("second", SECOND)];
    program.reconfigure(&sections.text());
    program.says("changed: auth.secrets");
    program.until(|| client(&program, "dave", FIRST).allocate() == Err(401));
    talks(&alice, 0x4001, &friend);
    program.until(|| client(&program, "dave", FIRST).allocate() == Err(401));
    assert_eq!(alice.refresh(), Err(401));
    assert_eq!(program.metric(r#"roundturn_config_reloads_total{result="applied"}"#), Some(2.0));
}

#[test]
fn a_mistake_refuses_the_whole_and_is_named() {
    let ports = free_range();
    let mut sections = Sections { ports, secrets: vec![("first", FIRST)], rest: ALLOW };
    let program = Program::start(&sections.text());
    sections.secrets = vec![("second", SECOND)];
    sections.rest = "[peers]\nallow = [\"everybody\"]";
    program.reconfigure(&sections.text());
    let said = program.says("SIGHUP: refused");
    assert!(said.contains(".toml:15: peers.allow = \"everybody\": must be a network"), "{said}");
    assert_eq!(client(&program, "bob", SECOND).allocate(), Err(401));
    let mut alice = client(&program, "alice", FIRST);
    alice.allocate().unwrap();
    alice.permit(socket().local_addr().unwrap()).unwrap();
    assert_eq!(program.metric(r#"roundturn_config_reloads_total{result="refused"}"#), Some(1.0));

    sections.rest = "";
    sections.ports += 1;
    program.reconfigure(&sections.text());
    let said = program.says("these take a restart");
    assert!(said.ends_with(": ports.udp"), "{said}");
    program.until(|| client(&program, "bob", SECOND).allocate().is_ok());
}

#[test]
fn rfc8489_10_a_drained_server_sends_new_clients_elsewhere_and_keeps_the_others() {
    let mut sections = Sections { ports: free_range(), secrets: vec![("first", FIRST)], rest: ALLOW };
    let program = Program::start(&sections.text());
    let (friend, friends) = peer("127.0.0.1:0");
    let mut alice = client(&program, "alice", FIRST);
    alice.allocate().unwrap();
    alice.bind_channel(0x4001, friends).unwrap();
    sections.rest = "[peers]\nallow = [\"127.0.0.0/8\"]\n\
                     [relay]\nalternate_servers = [\"[2001:db8::8]:3478\", \"203.0.113.8:3478\"]";
    program.reconfigure(&sections.text());
    assert!(program.says("settings were read anew").ends_with("changed: relay.alternate_servers"));
    program.until(|| client(&program, "bob", FIRST).allocate() == Err(300));
    let mut bob = client(&program, "bob", FIRST);
    assert_eq!(bob.allocate(), Err(300));
    let elsewhere = ["203.0.113.8:3478", "[2001:db8::8]:3478"];
    assert_eq!(bob.alternates(), elsewhere.map(|address| address.parse::<SocketAddr>().unwrap()));
    talks(&alice, 0x4001, &friend);
    alice.refresh().unwrap();
    sections.rest = "[limits]\nallocations_per_user = 1\n[peers]\nallow = [\"127.0.0.0/8\"]";
    program.reconfigure(&sections.text());
    program.says("changed: relay.alternate_servers, limits.allocations_per_user");
    program.until(|| client(&program, "alice", FIRST).allocate() == Err(486));
}

#[test]
fn a_renewed_certificate_is_named_among_what_has_changed() {
    let folder = std::env::temp_dir().join(format!("roundturn-renewed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |from: &str, to: &str| {
        // As an ACME client does: the new file takes the place of the old one.
        let new = folder.join("new");
        std::fs::copy(path(from), &new).unwrap();
        std::fs::rename(&new, folder.join(to)).unwrap();
    };
    put("certificate.pem", "c.pem");
    put("key.pem", "k.pem");
    let text = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", folder.join("c.pem"), folder.join("k.pem"));
    let program = Program::start(&text);
    program.reconfigure(&text);
    assert!(program.says("settings were read anew").contains("changed: nothing"));
    put("other-certificate.pem", "c.pem");
    put("other-key.pem", "k.pem");
    program.reconfigure(&text);
    // Whoever looks first, the reload or the watch over the files, says so.
    program.says("the certificate's files");
    program.until(|| StreamLink::tls(program.listener, "other-", &[]).is_ok());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn refused_credentials_are_spoken_of_and_named_only_at_debug() {
    let program = Program::start(&format!("[auth]\nsecret = {FIRST:?}\n[log]\nlevel = \"debug\"\n"));
    let mut alice = client(&program, "alice", SECOND);
    assert_eq!(alice.allocate(), Err(401));
    let named = program.says("credential refused");
    assert!(named.contains("bad_integrity") && named.contains(":alice"), "{named}");
    let told = program.says("credentials refused");
    assert!(told.contains("count=1") && !told.contains("alice"), "{told}");
}
