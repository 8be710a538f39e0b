//! A connection that ends so that its last words are heard.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long the other end may go on sending after our last word.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that are thrown away meanwhile.
const BYTES: usize = 4 * 1024 * 1024;
/// Connections that end in this way at a time. Beyond that they are closed at once, and whoever still sends may never
/// read why it was refused.
const AT_ONCE: usize = 1024;

static LINGERING: Semaphore = Semaphore::const_new(AT_ONCE);

/// A TCP connection. Closing one while the other end still sends would reset it, and take what we said last with it: so
/// when this is dropped, our direction ends first, and for a moment what still comes is read and thrown away.
pub struct Lingering(Option<TcpStream>);

impl Lingering {
    /// Takes over a connection.
    pub fn new(stream: TcpStream) -> Self {
        Self(Some(stream))
    }

    fn poll<T>(
        mut self: Pin<&mut Self>,
        act: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.0 {
            Some(stream) => act(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        // Where the runtime is gone, so is everybody.
        let (Some(stream), Ok(runtime), Ok(permit)) = (self.0.take(), Handle::try_current(), LINGERING.try_acquire())
        else {
            return;
        };
        runtime.spawn(async move {
            let _ = timeout(LINGER, end(stream)).await;
            drop(permit);
        });
    }
}

async fn end(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut scrap = [0; 8192];
    let mut left = BYTES;
    while left > 0 {
        match stream.read(&mut scrap).await? {
            0 => break,
            count => left = left.saturating_sub(count),
        }
    }
    Ok(())
}

impl AsyncRead for Lingering {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.0.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(context))
    }
}
