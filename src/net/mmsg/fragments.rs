//! Whether IP may cut up what a UDP socket sends.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use roundturn_turn::Family;

/// Lets IP fragment what `socket` sends, as a relay must unless it is told otherwise (RFC 8656 §14), and as answers and
/// media need where a path is narrower than Ethernet. Linux' own default sets the DF bit.
///
/// IPv4: `OMIT` sets no DF bit, fragments by the MTU of our own interface and leaves the rest to routers. `DONT` does so
/// too, but lets anybody who forges an ICMP error have all that we send cut into small pieces, and keeps "fragmentation
/// needed", the answer to datagrams [without fragments](set_whole), from the socket that sent them. `PROBE` sets DF.
///
/// IPv6: routers do not fragment, so that `DONT` is right, which heeds the path's MTU; `OMIT` would not hear of it.
///
/// # Errors
/// What the kernel says.
pub fn allow_fragments(socket: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT),
        Family::V6 => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT),
    }
}

/// Whether datagrams leave `socket` whole or not at all, from now on. IPv4: by the DF bit, whatever the path's MTU is
/// believed to be, since who asks for it wants to find that out. IPv6: without fragment headers.
///
/// # Errors
/// What the kernel says.
pub fn set_whole(socket: BorrowedFd<'_>, family: Family, whole: bool) -> io::Result<()> {
    match family {
        Family::V4 if whole => set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE),
        Family::V4 => allow_fragments(socket, family),
        Family::V6 => set(socket, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, libc::c_int::from(whole)),
    }
}

fn set(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the kernel reads the size of one `c_int` of `value`, which is alive here.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
