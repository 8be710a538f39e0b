//! A call that goes on while something else happens: did it lose anything?

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::server::Server;
use crate::turn_client::{CHANNEL, TurnClient};

/// Between two packets of the call.
const PERIOD: Duration = Duration::from_millis(10);
/// How long the last ones may take.
const DRAIN: Duration = Duration::from_millis(300);

/// A client that sends to a peer through the server, and what came of it.
pub struct Call {
    ended: Arc<AtomicBool>,
    sender: JoinHandle<u64>,
    receiver: JoinHandle<u64>,
    client: TurnClient,
}

impl Call {
    /// Sets it up and lets it run.
    pub fn start(server: &Server) -> Result<Self> {
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (mut client, _) = TurnClient::allocate(server.address, "in a call")?;
        client.bind_channel(peer.local_addr()?)?;
        let ended = Arc::new(AtomicBool::new(false));
        let (socket, to) = (client.socket()?, server.address);
        peer.set_read_timeout(Some(DRAIN))?;
        let stop = Arc::clone(&ended);
        let sender = std::thread::spawn(move || {
            let mut packet = [0x5a; 204];
            packet[..2].copy_from_slice(&CHANNEL.to_be_bytes());
            packet[2..4].copy_from_slice(&200_u16.to_be_bytes());
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                sent += u64::from(socket.send_to(&packet, to).is_ok());
                std::thread::sleep(PERIOD);
            }
            sent
        });
        // It ends when nothing has come for a while, which is after the sender has.
        let receiver = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let mut received = 0;
            while peer.recv(&mut buffer).is_ok() {
                received += 1;
            }
            received
        });
        Ok(Self { ended, sender, receiver, client })
    }

    /// Ends it: packets sent, packets lost.
    pub fn end(self) -> Result<(u64, u64)> {
        self.ended.store(true, Ordering::Relaxed);
        let sent = self.sender.join().map_err(|_| anyhow!("the sender of the call panicked"))?;
        let received = self.receiver.join().map_err(|_| anyhow!("the receiver of the call panicked"))?;
        self.client.release()?;
        Ok((sent, sent.saturating_sub(received)))
    }
}
