//! `rfile`: what the client sends, buffered.

use std::fmt;
use std::io::{self, BufRead, Read};

use socketserver_core::StreamRequest;

use crate::stash::Stash;

/// The reading side of a connection, a [`BufRead`]: CPython's `rfile`.
///
/// It has a buffer from its first read on; a connection that rests between two requests has none.
///
/// After [`close`](Self::close) every read fails with [`io::ErrorKind::NotConnected`].
pub struct RFile<C: StreamRequest> {
    /// `None` when it is closed.
    connection: Option<C>,
    stash: Stash,
    /// Empty when there is no buffer.
    buffer: Box<[u8]>,
    /// What of the buffer was received and not read yet.
    unread: std::ops::Range<usize>,
}

impl<C: StreamRequest> RFile<C> {
    /// Reads `connection`, with a buffer of the stash's.
    pub(crate) fn new(connection: C, stash: Stash) -> Self {
        Self { connection: Some(connection), stash, buffer: Box::default(), unread: 0..0 }
    }

    /// What was received and not read yet.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    /// Reads no more. The connection stays open; what was received and not read is lost.
    pub fn close(&mut self) {
        self.connection = None;
        self.unread = 0..0;
        self.release();
    }

    /// Gives the buffer away if nothing is in it.
    pub(crate) fn release(&mut self) {
        if self.unread.is_empty() {
            self.unread = 0..0;
            self.stash.give_back(std::mem::take(&mut self.buffer));
        }
    }

    /// Receives into the empty buffer what is there, without blocking. `Ok(0)` is the end of the stream.
    pub(crate) fn try_fill(&mut self) -> io::Result<usize> {
        self.fill(C::try_recv)
    }

    /// Receives into the empty buffer.
    fn fill(
        &mut self,
        receive: impl FnOnce(&C, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        if self.buffer.is_empty() {
            self.buffer = self.stash.take();
        }
        self.unread = 0..0;
        let received = receive(connection, &mut self.buffer)?;
        self.unread = 0..received;
        Ok(received)
    }
}

impl<C: StreamRequest> Read for RFile<C> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        if buf.is_empty() {
            // Filling the buffer would wait for the client.
            return Ok(0);
        }
        // Nothing is gained by a copy of what is larger than the buffer.
        if self.unread.is_empty() && buf.len() >= self.stash.size() {
            return connection.recv(buf);
        }
        let read = self.fill_buf()?.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}

impl<C: StreamRequest> BufRead for RFile<C> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.connection.is_none() {
            return Err(closed());
        }
        if self.unread.is_empty() {
            self.fill(C::recv)?;
        }
        Ok(self.buffer())
    }

    fn consume(&mut self, amount: usize) {
        self.unread.start = self.unread.end.min(self.unread.start.saturating_add(amount));
    }
}

impl<C: StreamRequest> Drop for RFile<C> {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "rfile is closed")
}

impl<C: StreamRequest> fmt::Debug for RFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RFile")
            .field("open", &self.connection.is_some())
            .field("buffered", &self.unread.len())
            .finish_non_exhaustive()
    }
}
