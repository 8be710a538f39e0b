//! `recvmmsg` and `sendmmsg` with GRO, GSO and packet information, the error queue, and fragmentation: the only unsafe
//! code of the project.
//!
//! Safe on the outside: [`ReceiveBatch`] owns every buffer that the kernel writes into, [`SendBatch`] points the kernel
//! at slices that outlive the call. Pointers are set anew before each call and never used after it, except that those
//! of the control messages are read back while the batch still owns what they point to.
#![allow(unsafe_code)]

mod address;
mod errors;
mod fragments;
mod send;

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use address::Address;
pub use errors::{Undelivered, next_error};
pub use fragments::{allow_fragments, set_whole};
pub use send::{SendBatch, Sent};

/// Datagrams (or trains of them, where the kernel coalesced some) that a batch holds at most.
pub const SLOTS: usize = 128;

/// The room for one datagram: the largest there is. Not a power of two, so that the starts of all slots do not compete
/// for the same lines of the cache. Pages that no datagram reached take no memory.
const SLOT_SIZE: usize = 65_536 + 1_600;

/// Room for control messages: packet information, GRO segment size and the count of lost datagrams, each in its
/// largest form, aligned as `cmsghdr` wants it.
type Control = [u64; 12];

/// Datagrams as they came from one or several sockets, one after the other, in one buffer.
pub struct ReceiveBatch {
    buffer: Vec<u8>,
    addresses: Vec<Address>,
    controls: Vec<Control>,
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    used: usize,
}

/// What one slot of a [`ReceiveBatch`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Who sent it.
    pub source: SocketAddr,
    /// The address of this host that it was sent to, where the socket was asked to tell.
    pub local: Option<IpAddr>,
    /// Where it lies in [`ReceiveBatch::buffer`].
    pub range: Range<usize>,
    /// The size of each datagram in the slot but the last, which may be shorter. At least 1.
    pub segment: usize,
    /// How many datagrams this socket has lost so far to a full buffer, where the kernel says so.
    pub lost: Option<u32>,
}

impl Received {
    /// The datagrams of the slot, each as a range of the buffer. An empty datagram is one, too.
    pub fn datagrams(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (end, segment) = (self.range.end, self.segment);
        let count = self.range.len().div_ceil(segment).max(1);
        let start = self.range.start;
        (0..count).map(move |index| start + index * segment..(start + (index + 1) * segment).min(end))
    }
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        // SAFETY: all of these are plain C structs, for which zero bytes are a valid value.
        let (vector, header) = unsafe { (zeroed::<libc::iovec>(), zeroed::<libc::mmsghdr>()) };
        Self {
            buffer: vec![0; SLOTS * SLOT_SIZE],
            addresses: vec![Address::ZERO; SLOTS],
            controls: vec![[0; 12]; SLOTS],
            vectors: vec![vector; SLOTS],
            headers: vec![header; SLOTS],
            used: 0,
        }
    }
}

impl ReceiveBatch {
    /// How many slots are free.
    pub fn free(&self) -> usize {
        SLOTS - self.used
    }

    /// Forgets everything received: the buffer is free again.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// Everything received, at the places that [`Received::range`] tells.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Receives up to `want` datagrams into free slots without waiting, and returns those slots. Fewer than asked for
    /// means that the socket had no more.
    ///
    /// # Errors
    /// What the kernel says; `WouldBlock` where there is nothing.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, want: usize) -> io::Result<Range<usize>> {
        let first = self.used;
        let want = want.min(self.free());
        let buffer = self.buffer.as_mut_ptr();
        for slot in first..first + want {
            // SAFETY: slot < SLOTS, so the offset stays within the buffer's SLOTS * SLOT_SIZE bytes.
            let base = unsafe { buffer.add(slot * SLOT_SIZE) };
            self.vectors[slot] = libc::iovec { iov_base: base.cast(), iov_len: SLOT_SIZE };
            let header = &mut self.headers[slot].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.addresses[slot]).cast();
            header.msg_namelen = size_of::<Address>() as libc::socklen_t;
            header.msg_iov = ptr::from_mut(&mut self.vectors[slot]);
            header.msg_iovlen = 1;
            header.msg_control = ptr::from_mut(&mut self.controls[slot]).cast();
            header.msg_controllen = size_of::<Control>() as _;
            header.msg_flags = 0;
        }
        let headers = self.headers[first..first + want].as_mut_ptr();
        // SAFETY: `headers` points to `want` initialised headers; each points to a name, a vector and a control buffer
        // owned by `self` with the lengths given, and each vector to SLOT_SIZE bytes of the buffer that no other has.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers, want as libc::c_uint, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        self.used = first + count as usize;
        Ok(first..self.used)
    }

    /// What slot number `slot` holds. `None`: nothing, or a datagram that is no use (cut off, or from no IP address).
    pub fn received(&self, slot: usize) -> Option<Received> {
        if slot >= self.used {
            return None;
        }
        let message = &self.headers[slot];
        if message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let start = slot * SLOT_SIZE;
        let len = (message.msg_len as usize).min(SLOT_SIZE);
        let mut received = Received {
            source: self.addresses[slot].decode()?,
            local: None,
            range: start..start + len,
            segment: len.max(1),
            lost: None,
        };
        received.read_control(&message.msg_hdr);
        Some(received)
    }
}

impl Received {
    fn read_control(&mut self, header: &libc::msghdr) {
        if header.msg_controllen == 0 {
            return;
        }
        // SAFETY: the kernel has set `msg_controllen` to what it wrote into the control buffer that the header points
        // to, which the batch still owns; the CMSG functions stay within it.
        let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
        while !next.is_null() {
            // SAFETY: not null, so a whole `cmsghdr`, followed by the data that its level and type name. The data may
            // be aligned to less than its type wants.
            unsafe {
                let message = &*next;
                let data = libc::CMSG_DATA(next);
                match (message.cmsg_level, message.cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let info: libc::in_pktinfo = ptr::read_unaligned(data.cast());
                        let local = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                        self.local = Some(local.into());
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                        let info: libc::in6_pktinfo = ptr::read_unaligned(data.cast());
                        self.local = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
                    }
                    (libc::SOL_UDP, libc::UDP_GRO) => {
                        let size: libc::c_int = ptr::read_unaligned(data.cast());
                        self.segment = usize::try_from(size).unwrap_or(0).max(1);
                    }
                    (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                        self.lost = Some(ptr::read_unaligned(data.cast()));
                    }
                    _ => {}
                }
                next = libc::CMSG_NXTHDR(header, next);
            }
        }
    }
}

#[cfg(test)]
mod tests;
