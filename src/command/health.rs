//! `roundturn health`: asks the running daemon whether it serves.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// How long the daemon may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Prints the answer of `/health`; fails unless it is 200.
pub fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = super::settings(file)?;
    let listener = *settings.listen.http.first().context("listen.http names no address to ask")?;
    let address = SocketAddr::new(reachable(listener.ip()), listener.port());
    let answer = ask(address).with_context(|| format!("no answer from http://{address}/health"))?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    super::print(body);
    ensure!(status == "200", "http://{address}/health answered {status}");
    Ok(ExitCode::SUCCESS)
}

/// Whom to connect to where the daemon listens on every address.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        // The listener takes both families, and a host may be without IPv6.
        IpAddr::V6(address) if address.is_unspecified() => {
            let six = std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
            if six { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
        }
        address => address,
    }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
