//! UDP sockets as shards need them: listeners that all shards share, and ports of one shard's own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use mio::net::UdpSocket;
use nix::sys::socket::{setsockopt, sockopt};
use roundturn_turn::Family;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use super::holder::{self, holder};
use super::mmsg;
use crate::ports::LeaseError;

/// Bytes that we ask for as the receive and send buffer of a socket that many share: what a flood sends in a tenth of a
/// second. Without CAP_NET_ADMIN, the kernel gives as much as `net.core.rmem_max` and `wmem_max` allow.
const SHARED_BUFFER_BYTES: usize = 4 << 20;

/// Why a shard's sockets could not be had.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("{protocol} {address} is taken{}", .holder.as_ref().map(|name| format!(" by {name}")).unwrap_or_default())]
    Taken {
        /// UDP or TCP.
        protocol: holder::Protocol,
        /// The address.
        address: SocketAddr,
        /// The program, where /proc tells.
        holder: Option<String>,
    },
    /// The kernel refuses.
    #[error("cannot listen on {protocol} {address}")]
    Bind {
        /// UDP or TCP.
        protocol: holder::Protocol,
        /// The address.
        address: SocketAddr,
        /// What it says.
        source: io::Error,
    },
    /// The SFU has no port.
    #[error("no UDP port for the SFU")]
    Sfu(#[from] LeaseError),
    /// There is no poller to be had.
    #[error("cannot make a poller")]
    Poller(#[source] io::Error),
}

impl BindError {
    /// What the kernel's refusal of `address` means, with the holder of a port that is taken.
    pub(super) fn of(protocol: holder::Protocol, address: SocketAddr, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::AddrInUse {
            Self::Taken { protocol, address, holder: holder(protocol, address) }
        } else {
            Self::Bind { protocol, address, source }
        }
    }
}

const TRANSPORT: holder::Protocol = holder::Protocol::Udp;

/// A socket that clients send to.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: UdpSocket,
    /// What it is bound to.
    pub address: SocketAddr,
}

/// How far the reading of a socket is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Whether it waits in the list of sockets to read.
    pub queued: bool,
    /// How many datagrams the kernel said it has lost so far to a full buffer.
    pub lost: u32,
}

/// The sockets that an address of the settings stands for: `[::]` means both families.
pub fn expand(address: SocketAddr) -> Vec<SocketAddr> {
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        vec![SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()), address]
    } else {
        vec![address]
    }
}

/// Whether nobody holds `address` yet. To be asked once before the first shard listens: listeners share their port
/// with others of the same user, so that a second daemon would go unnoticed.
///
/// # Errors
/// [`BindError::Taken`] names the holder.
pub fn check_free(address: SocketAddr) -> Result<(), BindError> {
    let alone = || {
        let socket = new_socket(address)?;
        socket.bind(&address.into())
    };
    alone().map_err(|source| BindError::of(TRANSPORT, address, source))
}

/// Listens at `address`, together with the other shards.
///
/// # Errors
/// [`BindError`] with the address.
pub fn listen(address: SocketAddr) -> Result<Listener, BindError> {
    let bound = || {
        let socket = new_socket(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        enlarge_buffers(&socket);
        let socket = from_socket(socket)?;
        tell_local(&socket)?;
        Ok(socket)
    };
    let socket = bound().map_err(|source| BindError::of(TRANSPORT, address, source))?;
    let address = socket.local_addr().map_err(|source| BindError::of(TRANSPORT, address, source))?;
    Ok(Listener { socket, address })
}

/// Opens a port of our own at `local`, or at all addresses of the family where `local` is unknown or not (or no
/// longer) an address of this host.
///
/// # Errors
/// What the kernel says, `AddrInUse` above all.
pub fn open(family: Family, local: Option<IpAddr>, port: u16) -> io::Result<UdpSocket> {
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let bind = |ip: IpAddr| {
        let address = SocketAddr::new(ip, port);
        let socket = new_socket(address)?;
        socket.bind(&address.into())?;
        from_socket(socket)
    };
    match bind(local.unwrap_or(any)) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => bind(any),
        result => result,
    }
}

/// The same for a relay: it keeps the ICMP errors that its datagrams meet, for [`mmsg::next_error`].
///
/// # Errors
/// What the kernel says, `AddrInUse` above all.
pub fn open_relay(family: Family, local: Option<IpAddr>, port: u16) -> io::Result<UdpSocket> {
    let socket = open(family, local, port)?;
    match family {
        Family::V4 => setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?,
        Family::V6 => setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(socket)
}

/// Opens the SFU's `port` for each of `families`, all or none.
///
/// # Errors
/// What the kernel says, `AddrInUse` above all.
pub fn open_sfu(families: &[(Family, Option<IpAddr>)], port: u16) -> io::Result<Vec<(Family, UdpSocket)>> {
    families
        .iter()
        .map(|&(family, local)| {
            let socket = open(family, local, port)?;
            tell_local(&socket)?;
            enlarge_buffers(&socket2::SockRef::from(&socket));
            Ok((family, socket))
        })
        .collect()
}

fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    mmsg::allow_fragments(socket.as_fd(), Family::of(address))?;
    Ok(socket)
}

/// Trains of datagrams are welcome, where the kernel knows them; a count of lost ones comes for free.
fn from_socket(socket: Socket) -> io::Result<UdpSocket> {
    let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true);
    let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
    Ok(UdpSocket::from_std(socket.into()))
}

/// Has the kernel tell which address was hit, where a socket is bound to all of them.
fn tell_local(socket: &UdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        address if !address.ip().is_unspecified() => {}
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?,
    }
    Ok(())
}

/// As large as the kernel allows: less only means that a burst may be lost.
fn enlarge_buffers(socket: &Socket) {
    if setsockopt(socket, sockopt::RcvBufForce, &SHARED_BUFFER_BYTES).is_err() {
        let _ = socket.set_recv_buffer_size(SHARED_BUFFER_BYTES);
    }
    if setsockopt(socket, sockopt::SndBufForce, &SHARED_BUFFER_BYTES).is_err() {
        let _ = socket.set_send_buffer_size(SHARED_BUFFER_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_port() -> u16 {
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn a_taken_port_names_the_program_that_holds_it() {
        let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let error = check_free(address).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(error.contains(&format!("(pid {})", std::process::id())), "{error}");
    }

    #[test]
    fn shards_share_a_listener_but_a_second_daemon_does_not() {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        check_free(address).unwrap();
        let one = listen(address).unwrap();
        let two = listen(address).unwrap();
        assert_eq!(one.address, two.address);
        assert!(matches!(check_free(address), Err(BindError::Taken { .. })));
    }

    #[test]
    fn all_addresses_means_both_families_on_one_port() {
        let port = free_port();
        let both = expand(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
        assert_eq!(both.len(), 2);
        let listeners: Vec<_> = both.into_iter().map(|address| listen(address).unwrap()).collect();
        assert!(listeners[0].address.is_ipv4() && listeners[1].address.is_ipv6());
        assert!(listeners.iter().all(|listener| listener.address.port() == port));
    }

    #[test]
    fn a_port_opens_at_all_addresses_when_the_local_one_has_gone() {
        let gone = Some(IpAddr::from([203, 0, 113, 77]));
        assert!(open(Family::V4, gone, 0).unwrap().local_addr().unwrap().ip().is_unspecified());
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(Some(open(Family::V4, here, 0).unwrap().local_addr().unwrap().ip()), here);
    }
}
