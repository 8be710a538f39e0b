//! Waiting for a server's first answer.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Result, bail};
use stun::agent::TransactionId;
use stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message};

use crate::common::process::Process;

/// How often a Binding request is sent until one is answered.
const PERIOD: Duration = Duration::from_millis(1);
/// How often in all: at least five seconds.
const TRIES: usize = 5_000;

/// Sends Binding requests until one is answered.
pub fn wait_until_ready(address: SocketAddr, process: &mut Process) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(PERIOD))?;
    let mut request = Message::new();
    request.build(&[Box::<TransactionId>::default(), Box::new(BINDING_REQUEST)])?;
    let mut buffer = [0; 2048];
    for _ in 0..TRIES {
        process.check()?;
        socket.send_to(&request.raw, address)?;
        let Ok(len) = socket.recv(&mut buffer) else { continue };
        let mut answer = Message::new();
        if answer.unmarshal_binary(&buffer[..len]).is_ok() && answer.typ == BINDING_SUCCESS {
            return Ok(());
        }
    }
    bail!("no answer to {TRIES} Binding requests")
}
