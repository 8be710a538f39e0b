//! The error queue of a socket: what the network says of datagrams that have left it.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use roundturn_turn::Icmp;

use super::address::Address;

/// Room for the error, its sender, and what else a socket asks for.
type Control = [u64; 16];

/// An ICMP error about a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undelivered {
    /// Where the datagram was sent to. The port is 0 where this very host found an IPv4 datagram too big.
    pub to: SocketAddr,
    /// What happened to it.
    pub icmp: Icmp,
}

/// Takes the oldest error out of the queue of `socket`, which has one where it was asked to (`IP_RECVERR`). `None`: an
/// error that is no router's and no host's.
///
/// # Errors
/// `WouldBlock` where the queue is empty.
pub fn next_error(socket: BorrowedFd<'_>) -> io::Result<Option<Undelivered>> {
    let mut address = Address::ZERO;
    let mut control: Control = [0; 16];
    // SAFETY: a plain C struct, for which zero bytes are a valid value.
    let mut header = unsafe { zeroed::<libc::msghdr>() };
    header.msg_name = ptr::from_mut(&mut address).cast();
    header.msg_namelen = size_of::<Address>() as libc::socklen_t;
    header.msg_control = ptr::from_mut(&mut control).cast();
    header.msg_controllen = size_of::<Control>() as _;
    // SAFETY: the header points to a name and a control buffer of the lengths given, both alive here, and to no payload.
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    let (Some(to), Some(error)) = (address.decode(), find(&header)) else { return Ok(None) };
    Ok(icmp(to, error).map(|icmp| Undelivered { to, icmp }))
}

fn find(header: &libc::msghdr) -> Option<libc::sock_extended_err> {
    // SAFETY: the kernel has set `msg_controllen` to what it wrote into the control buffer that the header points to,
    // which is alive in the caller; the CMSG functions stay within it.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: not null, so a whole `cmsghdr`, followed by the data that its level and type name. The data may be
        // aligned to less than its type wants.
        unsafe {
            let message = &*next;
            let kind = (message.cmsg_level, message.cmsg_type);
            if matches!(kind, (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)) {
                return Some(ptr::read_unaligned(libc::CMSG_DATA(next).cast()));
            }
            next = libc::CMSG_NXTHDR(header, next);
        }
    }
    None
}

/// The error as ICMP of the destination's family says it. This host is the first on the way that may find a datagram
/// too big, and then nobody sends an ICMP error.
fn icmp(to: SocketAddr, error: libc::sock_extended_err) -> Option<Icmp> {
    let mtu = error.ee_info;
    match error.ee_origin {
        libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6 => {
            Some(Icmp { kind: error.ee_type, code: error.ee_code, mtu })
        }
        libc::SO_EE_ORIGIN_LOCAL if error.ee_errno == libc::EMSGSIZE as u32 => {
            Some(if to.is_ipv4() { Icmp { kind: 3, code: 4, mtu } } else { Icmp { kind: 2, code: 0, mtu } })
        }
        _ => None,
    }
}
