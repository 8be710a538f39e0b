//! Which program holds a port, as far as /proc tells: for the error that says that it is taken.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// A transport, as /proc/net names its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// /proc/net/udp and udp6
    Udp,
    /// /proc/net/tcp and tcp6
    Tcp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// The programs that hold the port of `address`: "turnserver (pid 812)". `None` where /proc does not tell, as for
/// other users' programs.
pub fn holder(protocol: Protocol, address: SocketAddr) -> Option<String> {
    let tables = match protocol {
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Protocol::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    let inodes: Vec<u64> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| inodes(&table, protocol, address.port()))
        .collect();
    let programs = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        holds(&entry.path(), &inodes).then(|| {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            format!("{} (pid {pid})", name.trim())
        })
    });
    let programs: Vec<String> = programs.take(3).collect();
    (!programs.is_empty()).then(|| programs.join(", "))
}

/// The inodes of the sockets on local port `port` in a table of /proc/net; of TCP only those that listen.
///
/// ```text
///   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
///    7: 0100007F:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21731 2 …
/// ```
fn inodes(table: &str, protocol: Protocol, port: u16) -> Vec<u64> {
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let listens = protocol == Protocol::Udp || *fields.get(3)? == "0A";
        let ours = u16::from_str_radix(local_port, 16).ok()? == port;
        if listens && ours { fields.get(9)?.parse().ok() } else { None }
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

/// Whether the process at /proc/PID has one of `inodes` open.
fn holds(process: &Path, inodes: &[u64]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).any(|target| {
        let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        inode.is_some_and(|inode: u64| inodes.contains(&inode))
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_program_that_holds_a_port_is_named() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let me = format!("(pid {})", std::process::id());
        assert!(holder(Protocol::Udp, udp.local_addr().unwrap()).unwrap().contains(&me));
        assert!(holder(Protocol::Tcp, tcp.local_addr().unwrap()).unwrap().contains(&me));
    }

    #[test]
    fn only_listening_tcp_sockets_of_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:0D96 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 x\n\
            1: 0100007F:0D96 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 200 1 x\n\
            2: 0100007F:0D97 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 300 1 x\n\
            garbage\n";
        assert_eq!(inodes(table, Protocol::Tcp, 3478), [100]);
        assert_eq!(inodes(table, Protocol::Udp, 3478), [100, 200]);
    }
}
