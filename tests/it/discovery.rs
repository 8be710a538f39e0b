//! NAT behaviour discovery (RFC 5780): the answers leave from the sockets that were asked for.

use std::net::{SocketAddr, UdpSocket};

use roundturn_turn::Discovery;

use crate::support::{Options, free_port, socket};

/// A Binding request with CHANGE-REQUEST.
fn request(change: u8) -> Vec<u8> {
    let header = [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    [&header[..], &[0, 3, 0, 4, 0, 0, 0, change]].concat()
}

#[test]
fn an_answer_comes_from_each_of_the_four_sockets_whichever_shard_was_reached() {
    let alternate = SocketAddr::from(([127, 0, 0, 2], free_port()));
    for shards in [1, 3] {
        let daemon = Options { shards, discovery: Some(alternate), ..Options::default() }.start();
        let Discovery { primary, .. } = Discovery { primary: daemon.listener, alternate };
        let at = |ip: SocketAddr, port: SocketAddr| SocketAddr::new(ip.ip(), port.port());
        let origins = [(0, primary), (2, at(primary, alternate)), (4, at(alternate, primary)), (6, alternate)];
        for _ in 0..4 {
            let client: UdpSocket = socket();
            for (change, origin) in origins {
                client.send_to(&request(change), primary).unwrap();
                let mut bytes = [0; 200];
                let (_, from) = client.recv_from(&mut bytes).unwrap();
                assert_eq!((bytes[..2].to_vec(), from), (vec![1, 1], origin));
            }
            // The others listen as well.
            for (_, to) in origins {
                client.send_to(&request(0), to).unwrap();
                assert_eq!(client.recv_from(&mut [0; 200]).unwrap().1, to);
            }
        }
    }
}
