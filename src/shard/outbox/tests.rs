//! Sorted by socket and destination, in order within both.

use super::*;

type Sent = Vec<(SocketAddr, Vec<u8>)>;

#[derive(Default)]
struct Calls(Vec<(Exit, Sent)>);

impl Wire for Calls {
    fn send(&mut self, exit: Exit, datagrams: &[Datagram<'_>]) {
        self.0.push((exit, datagrams.iter().map(|datagram| (datagram.to, datagram.pieces.concat())).collect()));
    }
}

fn relay(port: u16) -> Exit {
    Exit::Relay(Relay { family: roundturn_turn::Family::V4, port })
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 4000))
}

#[test]
fn one_call_for_each_socket_and_order_within_a_destination() {
    let mut outbox = Outbox::default();
    let buffer = b"0123456789";
    outbox.forward(relay(1), address(1), 0..1);
    outbox.forward(relay(2), address(1), 1..2);
    outbox.forward(relay(1), address(2), 2..3);
    outbox.push(Exit::Listener(0), address(9), None, None, b"answer".to_vec());
    outbox.forward(relay(1), address(1), 3..5);
    outbox.forward(relay(2), address(1), 5..10);
    let mut calls = Calls::default();
    outbox.flush(buffer, &mut calls);

    assert_eq!(calls.0.len(), 3, "one call a socket");
    assert_eq!(calls.0[0], (Exit::Listener(0), vec![(address(9), b"answer".to_vec())]));
    let of = |exit: Exit, to: SocketAddr| -> Vec<Vec<u8>> {
        let sent = calls.0.iter().filter(|call| call.0 == exit).flat_map(|call| &call.1);
        sent.filter(|(address, _)| *address == to).map(|(_, bytes)| bytes.clone()).collect()
    };
    assert_eq!(of(relay(1), address(1)), [b"0".to_vec(), b"34".to_vec()]);
    assert_eq!(of(relay(1), address(2)), [b"2".to_vec()]);
    assert_eq!(of(relay(2), address(1)), [b"1".to_vec(), b"56789".to_vec()]);
}

#[test]
fn a_flushed_outbox_is_empty() {
    let mut outbox = Outbox::default();
    outbox.push(Exit::Sfu(roundturn_turn::Family::V4), address(1), None, None, vec![1]);
    outbox.flush(&[], &mut Calls::default());
    assert!(outbox.is_empty());
    let mut calls = Calls::default();
    outbox.flush(&[], &mut calls);
    assert!(calls.0.is_empty());
}
