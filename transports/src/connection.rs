//! An accepted connection: what a stream handler reads from and writes to.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socketserver_core::{CutReason, Request, StreamRequest, Watch, Watched};

/// An accepted connection over a socket of type `S`.
///
/// It is a handle: clones mean the same connection, which closes when the last one is dropped. All
/// methods of the socket can be called on it directly (`peer_addr`, `set_read_timeout`, `as_fd`, …);
/// it also reads and writes, through a shared reference too.
///
/// Unlike the bare socket's, its reads and writes go on when a signal interrupts them, and fail with
/// [`io::ErrorKind::TimedOut`] on every platform when a timeout passes.
pub struct Connection<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    socket: S,
    detached: AtomicBool,
    /// What the server and this connection share, once a server watches it.
    watch: OnceLock<Arc<Watch>>,
}

impl<S> Connection<S> {
    /// A connection over `socket`, which has to be blocking.
    pub fn new(socket: S) -> Self {
        let shared = Shared { socket, detached: AtomicBool::new(false), watch: OnceLock::new() };
        Self { shared: Arc::new(shared) }
    }

    /// The socket, if this is the only handle.
    ///
    /// # Errors
    ///
    /// Gives the handle back when there are others.
    pub fn try_into_inner(self) -> Result<S, Self> {
        match Arc::try_unwrap(self.shared) {
            Ok(shared) => Ok(shared.socket),
            Err(shared) => Err(Self { shared }),
        }
    }
}

impl Connection<TcpStream> {
    /// The socket as the standard library knows it; a duplicate of it if there are other handles.
    ///
    /// # Errors
    ///
    /// What the system says when the socket cannot be duplicated: too many open files, say.
    pub fn into_std(self) -> io::Result<TcpStream> {
        self.try_into_inner().or_else(|shared| shared.try_clone())
    }
}

impl<S> Connection<S> {
    /// Does a receive or send to its end, whatever signals come, and calls a timeout a timeout.
    fn with_timeout(&self, mut call: impl FnMut(&S) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match call(&self.shared.socket) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A blocking socket only ever "would block" because its timeout passed: that is how Unix
                // says it. One that was taken over may not be blocking any more.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.detached() => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                result => return result,
            }
        }
    }

    fn detached(&self) -> bool {
        // Acquire pairs with the release in `mark_detached`: who sees the mark sees all that was done with
        // the connection before.
        self.shared.detached.load(Ordering::Acquire)
    }
}

impl<S> Deref for Connection<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.shared.socket
    }
}

/// The same connection once more.
impl<S> Clone for Connection<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.shared.socket).finish()
    }
}

/// A socket of a connection. It is implemented for the sockets that this crate's stream transports
/// accept, and cannot be implemented elsewhere.
pub trait StreamSocket: sealed::Socket {}

/// Keeps [`StreamSocket`] to this crate.
pub(crate) mod sealed {
    use super::{Duration, Shutdown, fmt, io};

    /// What a [`Connection`](super::Connection) needs of a socket.
    pub trait Socket: Send + Sync + 'static {
        /// The address of a client.
        type Addr: Clone + fmt::Debug + Send + Sync + 'static;

        /// Receives what is there, blocking until something is.
        fn receive(&self, buf: &mut [u8]) -> io::Result<usize>;
        /// Sends the beginning of `buf`, blocking until some of it is taken.
        fn transmit(&self, buf: &[u8]) -> io::Result<usize>;
        /// Limits each receive and each send.
        fn limit(&self, timeout: Option<Duration>) -> io::Result<()>;
        /// Switches Nagle's algorithm off or on, where there is such a thing.
        fn nodelay(&self, nodelay: bool) -> io::Result<()>;
        /// The server's own address.
        fn bound_to(&self) -> io::Result<Self::Addr>;
        /// Sends an end of the stream.
        fn end(&self) -> io::Result<()>;
        /// Ends a direction, or both, so that calls that block in another thread return.
        fn sever(&self, direction: Shutdown) -> io::Result<()>;
    }
}

impl<S: StreamSocket> Request for Connection<S> {
    type Addr = S::Addr;

    /// Shuts the writing side down.
    fn say_goodbye(&self) {
        // The client may be gone; there is nobody to tell then.
        let _ = self.end();
    }

    fn is_detached(&self) -> bool {
        self.detached()
    }

    fn as_watched(&self) -> Option<&dyn Watched> {
        Some(self)
    }
}

impl<S: StreamSocket> Watched for Connection<S> {
    fn watched_by(&self, watch: &Arc<Watch>) {
        if self.shared.watch.set(Arc::clone(watch)).is_err() {
            // Watched already, by a server that handed it on.
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        watch.cut_with(move |reason| {
            // Nothing to cut if the handler is gone, and not ours if somebody took the connection over.
            let Some(it) = shared.upgrade().map(|shared| Self { shared }) else { return };
            // A blocked receive of an idle connection returns when reading ends; on Windows when both do. What has come by
            // then is still received on Linux; other systems may discard it.
            let reading = reason == CutReason::Drained && cfg!(unix);
            let direction = if reading { Shutdown::Read } else { Shutdown::Both };
            // Nobody to tell if the client is gone.
            let _ = (!it.detached()).then(|| it.sever(direction));
        });
    }
}

impl<S: StreamSocket> StreamRequest for Connection<S> {
    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let received = self.with_timeout(|socket| socket.receive(buf));
        match (self.shared.watch.get(), received) {
            (Some(watch), Ok(bytes @ 1..)) => {
                watch.count_received(bytes);
                Ok(bytes)
            }
            (Some(watch), ended) if !buf.is_empty() => watch.ended(ended),
            (_, received) => received,
        }
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let sent = self.with_timeout(|socket| socket.transmit(buf));
        match (self.shared.watch.get(), sent) {
            (Some(watch), Ok(bytes)) => {
                watch.count_sent(bytes);
                Ok(bytes)
            }
            (Some(watch), Err(error)) => Err(watch.failed(error)),
            (None, sent) => sent,
        }
    }

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.limit(timeout)
    }

    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.nodelay(nodelay)
    }

    fn local_addr(&self) -> io::Result<S::Addr> {
        self.bound_to()
    }

    fn watch(&self) -> Option<&Watch> {
        self.shared.watch.get().map(|watch| &**watch)
    }

    fn mark_detached(&self) {
        self.shared.detached.store(true, Ordering::Release);
    }
}

impl StreamSocket for TcpStream {}

impl sealed::Socket for TcpStream {
    type Addr = SocketAddr;

    fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn transmit(&self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn limit(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(timeout)?;
        self.set_write_timeout(timeout)
    }

    fn nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.set_nodelay(nodelay)
    }

    fn bound_to(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn end(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn sever(&self, direction: Shutdown) -> io::Result<()> {
        self.shutdown(direction)
    }
}

impl<S> Read for &Connection<S>
where
    Connection<S>: StreamRequest,
{
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }
}

impl<S> Write for &Connection<S>
where
    Connection<S>: StreamRequest,
{
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S> Read for Connection<S>
where
    Self: StreamRequest,
{
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }
}

impl<S> Write for Connection<S>
where
    Self: StreamRequest,
{
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
