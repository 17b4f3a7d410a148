//! A connection that a handler took over from the server.

use std::fmt;
use std::io::{self, Read, Write};

use socketserver_core::StreamRequest;

/// A connection that left the server: it belongs to whoever has this; see
/// [`Stream::detach`](crate::Stream::detach).
///
/// Reading it gives what was already received first, then what comes; writing sends at once. A timeout of
/// the service's is still set: `detached.connection().set_timeout(None)` lifts it.
pub struct Detached<C> {
    connection: C,
    unread: io::Cursor<Vec<u8>>,
}

impl<C: StreamRequest> Detached<C> {
    pub(crate) fn new(connection: C, unread: Vec<u8>) -> Self {
        Self { connection, unread: io::Cursor::new(unread) }
    }

    /// The connection, to write to or to set up.
    pub fn connection(&self) -> &C {
        &self.connection
    }

    /// The connection, and what was received from it and not read yet.
    pub fn into_parts(self) -> (C, Vec<u8>) {
        let read = usize::try_from(self.unread.position()).unwrap_or(usize::MAX);
        let mut unread = self.unread.into_inner();
        unread.drain(..read.min(unread.len()));
        (self.connection, unread)
    }
}

impl<C: StreamRequest> Read for Detached<C> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.unread.read(buf)? {
            0 => self.connection.recv(buf),
            read => Ok(read),
        }
    }
}

impl<C: StreamRequest> Write for Detached<C> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.connection.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<C: fmt::Debug> fmt::Debug for Detached<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("connection", &self.connection).finish_non_exhaustive()
    }
}
