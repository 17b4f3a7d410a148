//! `wfile`: what goes to the client, at once unless a buffer was asked for.

use std::fmt;
use std::io::{self, Write};

use socketserver_core::StreamRequest;

use crate::stash::Stash;

/// The writing side of a connection: CPython's `wfile`.
///
/// Each [`write`](Write::write) takes the whole of what it is given and says so, as CPython's does.
/// Without a buffer, the default, it has been handed to the system when the call returns; with one it
/// leaves when the buffer is full, at a [`flush`](Write::flush), and when the handler finishes.
///
/// After an error it is not known how much of the data was sent. After [`close`](Self::close) every
/// write fails with [`io::ErrorKind::NotConnected`]; CPython's unbuffered `wfile` goes on writing.
pub struct WFile<C: StreamRequest> {
    /// `None` when it is closed.
    connection: Option<C>,
    stash: Stash,
    /// Empty when there is no buffer.
    buffer: Box<[u8]>,
    /// What of the buffer was written and not sent yet.
    unsent: std::ops::Range<usize>,
}

impl<C: StreamRequest> WFile<C> {
    /// Writes to `connection`, with a buffer of the stash's, unless those are of no size.
    pub(crate) fn new(connection: C, stash: Stash) -> Self {
        Self { connection: Some(connection), stash, buffer: Box::default(), unsent: 0..0 }
    }

    /// Flushes and writes no more. The connection stays open. A second close does nothing.
    ///
    /// # Errors
    ///
    /// That of the flush. What was buffered is lost then, and `wfile` is closed all the same.
    pub fn close(&mut self) -> io::Result<()> {
        let flushed = if self.connection.is_some() { self.flush() } else { Ok(()) };
        self.connection = None;
        self.unsent = 0..0;
        self.release();
        flushed
    }

    /// Gives the buffer away if nothing is in it.
    pub(crate) fn release(&mut self) {
        if self.unsent.is_empty() {
            self.stash.give_back(std::mem::take(&mut self.buffer));
        }
    }

    fn send_all(&self, mut data: &[u8]) -> io::Result<()> {
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        while !data.is_empty() {
            let sent = send(connection, data)?;
            data = &data[sent..];
        }
        Ok(())
    }
}

impl<C: StreamRequest> Write for WFile<C> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let size = self.stash.size();
        if self.unsent.len() + buf.len() > size {
            self.flush()?;
        }
        if buf.len() >= size {
            self.send_all(buf)?;
            return Ok(buf.len());
        }
        if self.connection.is_none() {
            return Err(closed());
        }
        if self.buffer.is_empty() {
            self.buffer = self.stash.take();
        }
        if self.unsent.end + buf.len() > size {
            // A flush that failed had sent a part of it.
            self.buffer.copy_within(self.unsent.clone(), 0);
            self.unsent = 0..self.unsent.len();
        }
        self.buffer[self.unsent.end..][..buf.len()].copy_from_slice(buf);
        self.unsent.end += buf.len();
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        while !self.unsent.is_empty() {
            // What has gone is not sent again, should the next part fail.
            self.unsent.start += send(connection, &self.buffer[self.unsent.clone()])?;
        }
        self.unsent = 0..0;
        Ok(())
    }
}

/// Sends the beginning of `data`, which is not empty.
fn send(connection: &impl StreamRequest, data: &[u8]) -> io::Result<usize> {
    loop {
        match connection.send(data) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent,
        }
    }
}

impl<C: StreamRequest> Drop for WFile<C> {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = self.close();
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "wfile is closed")
}

impl<C: StreamRequest> fmt::Debug for WFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WFile")
            .field("open", &self.connection.is_some())
            .field("buffered", &self.unsent.len())
            .finish_non_exhaustive()
    }
}
