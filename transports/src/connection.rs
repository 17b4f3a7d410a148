//! An accepted connection: what a stream handler reads from and writes to.

use std::fmt;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socketserver_core::{CutReason, Direction, Pollable, Request, StreamRequest, Watch, Watched};

use crate::stream_socket::{StreamSocket, sealed::Block};

/// An accepted connection over a socket of type `S`.
///
/// It is a handle: clones mean the same connection, which closes when the last one is dropped. All
/// methods of the socket can be called on it directly (`peer_addr`, `set_read_timeout`, `as_fd`, …);
/// it also reads and writes, through a shared reference too.
///
/// Unlike the bare socket's, its reads and writes go on when a signal interrupts them, and fail with
/// [`io::ErrorKind::TimedOut`] on every platform when a timeout passes. They keep the
/// [deadlines](socketserver_core::Deadlines) that the server or the handler has set; calls of the bare socket do not.
/// While there are some, a timeout counts that was set with [`StreamRequest::set_timeout`], and not one of the bare socket.
pub struct Connection<S> {
    shared: Arc<Shared<S>>,
}

pub(crate) struct Shared<S> {
    pub(crate) socket: S,
    detached: AtomicBool,
    /// The last receive took all there was.
    drained: AtomicBool,
    /// What the handler allows a single call, in nanoseconds; 0 is for ever.
    timeout: AtomicU64,
    /// What the server and this connection share, once a server watches it.
    pub(crate) watch: OnceLock<Arc<Watch>>,
}

impl<S> Connection<S> {
    /// A connection over `socket`, which has to be blocking.
    pub fn new(socket: S) -> Self {
        let shared = Shared {
            socket,
            detached: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            timeout: AtomicU64::new(0),
            watch: OnceLock::new(),
        };
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
    pub(crate) fn with_timeout(
        &self,
        mut call: impl FnMut(&S) -> io::Result<usize>,
    ) -> io::Result<usize> {
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

    /// What the handler allows a single call.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        // Whoever sets it while another thread receives or sends need not be heard at once.
        let nanos = self.shared.timeout.load(Ordering::Relaxed);
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// The watch, if deadlines are to be kept.
    pub(crate) fn timed(&self) -> Option<&Watch> {
        let watch = self.shared.watch.get().filter(|watch| watch.is_timed())?;
        (!self.detached()).then_some(&**watch)
    }

    /// What a receive into so many bytes returns.
    fn note_received(&self, received: io::Result<usize>, room: usize) -> io::Result<usize>
    where
        S: StreamSocket,
    {
        if let Ok(bytes) = received {
            self.shared.drained.store(S::SHORT_IS_ALL && bytes < room, Ordering::Relaxed);
        }
        match (self.shared.watch.get(), received) {
            (Some(watch), Ok(bytes @ 1..)) => {
                watch.count_received(bytes);
                Ok(bytes)
            }
            (Some(watch), ended) if room > 0 && self.detached() => {
                returned_detached(watch);
                ended
            }
            (Some(watch), ended) if room > 0 => watch.ended(ended),
            (_, received) => received,
        }
    }

    pub(crate) fn detached(&self) -> bool {
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

    fn waits_for(&self) -> Option<Arc<dyn Pollable>> {
        Some(Arc::clone(&self.shared) as Arc<dyn Pollable>)
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
        let empty = buf.is_empty();
        let _call = self.shared.watch.get().map(|watch| watch.call());
        let received = match self.timed().filter(|_| !empty) {
            None => self.with_timeout(|socket| socket.receive(buf, Block::Yes)),
            Some(watch) => {
                let receive = |socket: &S, block| socket.receive(buf, block);
                self.in_time(watch, Direction::Receive, receive)
            }
        };
        self.note_received(received, buf.len())
    }

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(watch) = self.timed() {
            watch.on_time()?;
        }
        // A socket that is shut down does not block any more, whatever the system says of it.
        let block = if self.shared.was_cut() { Block::Yes } else { Block::No };
        loop {
            match self.shared.socket.receive(buf, block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                received => return self.note_received(received, buf.len()),
            }
        }
    }

    fn is_drained(&self) -> bool {
        // Whoever asks has received in the same thread, or got the connection from one who has.
        self.shared.drained.load(Ordering::Relaxed)
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let _call = self.shared.watch.get().map(|watch| watch.call());
        let sent = match self.timed() {
            None => self.with_timeout(|socket| socket.transmit(buf, Block::Yes)),
            Some(watch) => {
                let transmit = |socket: &S, block| socket.transmit(buf, block);
                self.in_time(watch, Direction::Send, transmit)
            }
        };
        match (self.shared.watch.get(), sent) {
            (Some(watch), Ok(bytes)) => {
                watch.count_sent(bytes);
                Ok(bytes)
            }
            (Some(watch), Err(error)) if self.detached() => {
                returned_detached(watch);
                Err(error)
            }
            (Some(watch), Err(error)) => Err(watch.failed(error)),
            (None, sent) => sent,
        }
    }

    fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.limit(timeout)?;
        let nanos = timeout.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        self.shared.timeout.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        Self::timeout(self)
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

/// A call returned. That is noted; but who took the connection over is not ended by the server, whatever that was told.
fn returned_detached(watch: &Watch) {
    drop(watch.ended(Ok(0)));
}
