//! TCP sockets as shards need them: listeners that all shards share, and streams that do not hold up what they carry.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::holder;
use super::udp::BindError;

const TRANSPORT: holder::Protocol = holder::Protocol::Tcp;

/// Connections that the kernel completes and keeps until a shard accepts them.
const BACKLOG: i32 = 1024;

/// Bytes that the kernel takes from us beyond what is on its way: what waits longer waits in our own queue, where old media
/// can still be thrown away.
const NOT_SENT_BYTES: u32 = 64 << 10;

/// How long a client may leave what was sent to it unconfirmed before it counts as gone.
const CONFIRM: Duration = Duration::from_secs(30);

/// After this long without a word, the kernel asks whether the client is still there, three times.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What it is bound to.
    pub address: SocketAddr,
}

/// Whether nobody listens at `address` yet: see [`super::udp::check_free`].
///
/// # Errors
/// [`BindError::Taken`] names the holder.
pub fn check_free(address: SocketAddr) -> Result<(), BindError> {
    let alone = || {
        let socket = new_socket(address)?;
        socket.bind(&address.into())?;
        socket.listen(1)
    };
    alone().map_err(|source| BindError::of(TRANSPORT, address, source))
}

/// Listens at `address`, together with the other shards: a connection is the shard's that the kernel gives it to.
///
/// # Errors
/// [`BindError`] with the address.
pub fn listen(address: SocketAddr) -> Result<Listener, BindError> {
    let bound = || {
        let socket = new_socket(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    let socket = bound().map_err(|source| BindError::of(TRANSPORT, address, source))?;
    let address = socket.local_addr().map_err(|source| BindError::of(TRANSPORT, address, source))?;
    Ok(Listener { socket, address })
}

/// Has a stream send at once, keep little waiting in the kernel, and end when the client has gone without a word. What the
/// kernel does not know is left as it is.
pub fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4).with_retries(3);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_notsent_lowat(NOT_SENT_BYTES);
    let _ = socket.set_tcp_user_timeout(Some(CONFIRM));
    let _ = socket.set_tcp_keepalive(&keepalive);
}

/// The address may be taken again at once after a restart, while connections of the last run fade away.
fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_a_listener_but_a_second_daemon_does_not() {
        let one = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let two = listen(one.address).unwrap();
        assert_eq!(one.address, two.address);
        let error = check_free(one.address).unwrap_err();
        assert!(error.to_string().contains(&format!("TCP {}", one.address)), "{error}");
        assert!(error.to_string().contains(&format!("(pid {})", std::process::id())), "{error}");
    }
}
