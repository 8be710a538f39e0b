//! TCP sockets as shards need them: listeners that all shards share, and streams that do not hold up what they carry.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use nix::errno::Errno;
use roundturn_turn::Family;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::holder;
use super::udp::BindError;

const TRANSPORT: holder::Protocol = holder::Protocol::Tcp;

/// Connections that the kernel completes and keeps until a shard accepts them.
const BACKLOG: i32 = 1024;

/// The same at a relay, whose peers are few.
const RELAY_BACKLOG: i32 = 32;

/// Bytes that the kernel takes from us beyond what is on its way: what waits longer waits in our own queue, where old media
/// can still be thrown away.
const NOT_SENT_BYTES: u32 = 64 << 10;

/// How long a client may leave what was sent to it unconfirmed before it counts as gone.
const CONFIRM: Duration = Duration::from_secs(30);

/// The same where the other end may stop reading when it likes: a connection between a client and a peer.
const CONFIRM_DATA: Duration = Duration::from_secs(600);

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

/// Has a stream that carries what is not ours wait as long as its two ends do.
pub fn prepare_data(stream: &TcpStream) {
    prepare(stream);
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(CONFIRM_DATA));
}

/// Listens at a relay's `port` of `local`, or of all addresses of the family where `local` is unknown or not (or no longer)
/// an address of this host. Nobody else can have the port; from then on [`connect_from`] may share it.
///
/// # Errors
/// What the kernel says, `AddrInUse` above all.
pub fn listen_at_relay(family: Family, local: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let listen = |ip: IpAddr| -> io::Result<TcpListener> {
        let address = SocketAddr::new(ip, port);
        let socket = new_socket(address)?;
        socket.bind(&address.into())?;
        socket.listen(RELAY_BACKLOG)?;
        // Only now, so that the port is ours alone: the kernel asks for it when another socket wants the same port.
        socket.set_reuse_port(true)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    match listen(local.unwrap_or(any)) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => listen(any),
        result => result,
    }
}

/// Begins to connect from the port of `listener`, which [`listen_at_relay`] has made, to `peer`.
///
/// # Errors
/// What the kernel says at once.
pub fn connect_from(listener: &TcpListener, peer: SocketAddr) -> io::Result<TcpStream> {
    let local = listener.local_addr()?;
    let socket = new_socket(local)?;
    socket.set_reuse_port(true)?;
    socket.bind(&local.into())?;
    match socket.connect(&peer.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
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
    fn a_relay_connects_from_the_port_that_it_listens_at_and_nobody_else_has_it() {
        let local = Some(IpAddr::from([127, 0, 0, 1]));
        let relay = listen_at_relay(Family::V4, local, 0).unwrap();
        let port = relay.local_addr().unwrap().port();
        assert_eq!(listen_at_relay(Family::V4, local, port).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let peers = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        for peer in &peers {
            let stream = connect_from(&relay, peer.local_addr().unwrap()).unwrap();
            let (_accepted, source) = peer.accept().unwrap();
            assert_eq!(source.port(), port);
            drop(stream);
        }
        drop(relay);
        assert!(
            listen_at_relay(Family::V4, local, port).is_ok(),
            "a connection that fades away does not hold the port"
        );
    }

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
