//! Sending: several datagrams in one call, and several of one size to one destination as one (GSO).

use std::io;
use std::mem::{size_of, zeroed};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::address::Address;
use crate::shard::outbox::Datagram;

/// Datagrams that the kernel is given as one at most: older kernels take 64.
const TRAIN_MAX: usize = 64;

/// Bytes that the kernel is given as one at most: a little less than a UDP datagram over IPv6 can hold.
const TRAIN_BYTES_MAX: usize = 65_000;

/// The largest datagram that is worth trying to send in a train: what an Ethernet frame carries over IPv6. Larger ones
/// are cut up by IP, which trains do not allow.
const TRAIN_DATAGRAM_MAX: usize = 1_452;

/// How often one message is tried. A socket with an error queue tells of an ICMP error by refusing the next thing that
/// is asked of it, once; a peer that has errors sent all the time loses datagrams, as it may.
const ATTEMPTS: usize = 3;

/// Room for packet information and a segment size.
type Control = [u64; 8];

/// Scratch space for sending, kept so that sending allocates nothing.
pub struct SendBatch {
    gso: bool,
    trains: Vec<Train>,
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

/// What became of the datagrams that were to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Handed to the kernel.
    pub sent: u64,
    /// Lost because the socket's buffer or the card's queue was full.
    pub full: u64,
    /// Refused by the kernel: no route, too large, and the like.
    pub refused: u64,
    /// System calls that it took.
    pub calls: u64,
}

/// One message to the kernel: consecutive datagrams of one destination.
struct Train {
    count: usize,
    address: Address,
    address_len: libc::socklen_t,
    control: Control,
    control_len: usize,
    first_vector: usize,
    vectors: usize,
}

// SAFETY: the pointers in `vectors` and `headers` are set by `prepare` and used by the `submit` that follows it, within
// one call of `send`; between calls nothing reads them, so it does not matter which thread the next call is made on.
unsafe impl Send for SendBatch {}

impl Default for SendBatch {
    fn default() -> Self {
        Self { gso: true, trains: Vec::new(), vectors: Vec::new(), headers: Vec::new() }
    }
}

impl SendBatch {
    /// Sends all of `datagrams` from `socket` without waiting. Whatever the kernel does not take at once is lost, as
    /// datagrams may be: waiting would hold up everyone else.
    pub fn send(&mut self, socket: BorrowedFd<'_>, datagrams: &[Datagram<'_>]) -> Sent {
        let mut result = Sent::default();
        if let [Datagram { to, from: None, pieces: [piece, [], []] }] = datagrams {
            let address = Address::encode(*to);
            let mut outcome = send_one(socket, piece, address);
            for _ in 1..ATTEMPTS {
                if outcome.as_ref().is_err_and(is_of_icmp) {
                    outcome = send_one(socket, piece, address);
                }
            }
            result.count(1, outcome);
            return result;
        }
        self.prepare(datagrams, self.gso);
        if let Some(done) = self.submit(socket, &mut result) {
            // Without GSO there is no train that could be refused: what is laid out a second time goes to its end.
            self.prepare(&datagrams[done..], false);
            self.submit(socket, &mut result);
        }
        result
    }

    /// Lays `datagrams` out as the messages of one call.
    fn prepare(&mut self, datagrams: &[Datagram<'_>], gso: bool) {
        self.trains.clear();
        self.vectors.clear();
        self.headers.clear();
        let mut rest = datagrams;
        while let Some(first) = rest.first() {
            let count = if gso { train_len(rest) } else { 1 };
            let (train, others) = rest.split_at(count);
            rest = others;
            let first_vector = self.vectors.len();
            for piece in train.iter().flat_map(|datagram| datagram.pieces).filter(|piece| !piece.is_empty()) {
                let base = piece.as_ptr().cast_mut().cast();
                self.vectors.push(libc::iovec { iov_base: base, iov_len: piece.len() });
            }
            let (control, control_len) = control(first.from, (count > 1).then(|| first.len()));
            let (address, address_len) = Address::encode(first.to);
            let vectors = self.vectors.len() - first_vector;
            self.trains.push(Train { count, address, address_len, control, control_len, first_vector, vectors });
        }
        for train in &mut self.trains {
            // SAFETY: a plain C struct, for which zero bytes are a valid value.
            let mut header: libc::mmsghdr = unsafe { zeroed() };
            header.msg_hdr.msg_name = ptr::from_mut(&mut train.address).cast();
            header.msg_hdr.msg_namelen = train.address_len;
            header.msg_hdr.msg_iov = self.vectors[train.first_vector..].as_mut_ptr();
            header.msg_hdr.msg_iovlen = train.vectors as _;
            if train.control_len > 0 {
                header.msg_hdr.msg_control = ptr::from_mut(&mut train.control).cast();
                header.msg_hdr.msg_controllen = train.control_len as _;
            }
            self.headers.push(header);
        }
    }

    /// Hands the messages over; those that are refused are counted and passed over. Ends early at a train that goes only
    /// without GSO, and then says how many datagrams are dealt with.
    fn submit(&mut self, socket: BorrowedFd<'_>, result: &mut Sent) -> Option<usize> {
        let (mut done, mut failed) = (0, 0);
        // Each turn deals with a message or uses up an attempt at it, unless a signal interrupts it.
        while done < self.headers.len() {
            let headers = &mut self.headers[done..];
            result.calls += 1;
            // SAFETY: `headers` are as many initialised headers as said. Each points to an address and a control buffer
            // in `self.trains`, to vectors in `self.vectors` (neither has changed since `prepare`), and these to
            // slices of the caller's that are borrowed until `send` returns. The kernel only reads them.
            let count = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    headers.as_mut_ptr(),
                    headers.len() as libc::c_uint,
                    libc::MSG_DONTWAIT as _,
                )
            };
            if count > 0 {
                let went = &self.trains[done..done + count as usize];
                result.sent += went.iter().map(|train| train.count as u64).sum::<u64>();
                done += count as usize;
                failed = 0;
                continue;
            }
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            let refused = self.trains[done].count;
            if refused > 1 && refuses_gso(&error) {
                // EIO: this card cannot do it at all. Others: these datagrams do not fit the path.
                self.gso &= error.raw_os_error() != Some(libc::EIO);
                return Some(self.trains[..done].iter().map(|train| train.count).sum());
            }
            failed += 1;
            if failed < ATTEMPTS && is_of_icmp(&error) {
                continue;
            }
            result.count(refused, Err(error));
            done += 1;
            failed = 0;
        }
        None
    }
}

impl Sent {
    /// Adds what another call did.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.full += other.full;
        self.refused += other.refused;
        self.calls += other.calls;
    }

    fn count(&mut self, datagrams: usize, result: io::Result<()>) {
        let datagrams = datagrams as u64;
        match result {
            Ok(()) => {
                self.sent += datagrams;
                self.calls += 1;
            }
            Err(error) if is_full(&error) => self.full += datagrams,
            Err(_) => self.refused += datagrams,
        }
    }
}

/// One datagram in one piece: the cheapest call there is.
fn send_one(socket: BorrowedFd<'_>, bytes: &[u8], to: (Address, libc::socklen_t)) -> io::Result<()> {
    let (address, len) = to;
    // SAFETY: the kernel reads `bytes.len()` bytes of `bytes` and `len` bytes of `address`, both alive here.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT,
            ptr::from_ref(&address).cast(),
            len,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How many of `datagrams`, from the first on, can go as one train: same destination and source, same size, only the
/// last may be shorter.
fn train_len(datagrams: &[Datagram<'_>]) -> usize {
    let Some(first) = datagrams.first() else { return 0 };
    let size = first.len();
    if size == 0 || size > TRAIN_DATAGRAM_MAX {
        return 1;
    }
    let mut bytes = size;
    for (index, next) in datagrams.iter().enumerate().skip(1).take(TRAIN_MAX - 1) {
        let len = next.len();
        bytes += len;
        if next.to != first.to || next.from != first.from || len > size || len == 0 || bytes > TRAIN_BYTES_MAX {
            return index;
        }
        if len < size {
            return index + 1;
        }
    }
    datagrams.len().min(TRAIN_MAX)
}

/// Control messages for a source address and a segment size, and how many bytes they take.
fn control(from: Option<IpAddr>, segment: Option<usize>) -> (Control, usize) {
    let mut control = [0; 8];
    let mut len = 0;
    match from {
        Some(IpAddr::V4(ip)) => {
            let spec = libc::in_addr { s_addr: u32::from(ip).to_be() };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: spec, ipi_addr: libc::in_addr { s_addr: 0 } };
            len += append(&mut control, len, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        Some(IpAddr::V6(ip)) => {
            let address = libc::in6_addr { s6_addr: ip.octets() };
            let info = libc::in6_pktinfo { ipi6_addr: address, ipi6_ifindex: 0 };
            len += append(&mut control, len, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
        None => {}
    }
    if let Some(segment) = segment {
        len += append(&mut control, len, libc::SOL_UDP, libc::UDP_SEGMENT, segment as u16);
    }
    (control, len)
}

/// Writes one control message at byte `at` and returns the room it takes.
fn append<T: Copy>(control: &mut Control, at: usize, level: libc::c_int, kind: libc::c_int, value: T) -> usize {
    // SAFETY: CMSG_LEN and CMSG_SPACE only calculate.
    let (len, space) =
        unsafe { (libc::CMSG_LEN(size_of::<T>() as u32) as usize, libc::CMSG_SPACE(size_of::<T>() as u32) as usize) };
    assert!(at + space <= size_of::<Control>(), "room for the largest two control messages");
    // SAFETY: the assertion leaves room for a header and the value from `at` on; `at` is a sum of CMSG_SPACEs, so the
    // header is aligned, and the value is written as if it were not.
    unsafe {
        let header = control.as_mut_ptr().cast::<u8>().add(at).cast::<libc::cmsghdr>();
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = len as _;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast::<T>(), value);
    }
    space
}

/// What kernels and cards say to GSO when they cannot, or not for these datagrams.
fn refuses_gso(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE))
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

/// Whether it may be what an ICMP error has left behind, as the kernel translates those.
fn is_of_icmp(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENONET
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::EPROTO
                | libc::EACCES
                | libc::EMSGSIZE
        )
    )
}
