//! `rfile`: what the client sends, buffered.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use socketserver_core::StreamRequest;

/// The reading side of a connection, a [`BufRead`]: CPython's `rfile`.
///
/// After [`close`](Self::close) every read fails with [`io::ErrorKind::NotConnected`].
pub struct RFile<C: StreamRequest> {
    reader: Option<BufReader<Input<C>>>,
}

impl<C: StreamRequest> RFile<C> {
    /// Reads `connection`, up to `size` bytes ahead. Less than one byte cannot be looked at, so 0
    /// counts as 1: then nothing is read that was not asked for.
    pub(crate) fn new(connection: C, size: usize) -> Self {
        Self { reader: Some(BufReader::with_capacity(size.max(1), Input(connection))) }
    }

    /// What was received and not read yet.
    pub fn buffer(&self) -> &[u8] {
        self.reader.as_ref().map_or(&[], BufReader::buffer)
    }

    /// Reads no more. The connection stays open; what was received and not read is lost.
    pub fn close(&mut self) {
        self.reader = None;
    }

    fn open(&mut self) -> io::Result<&mut BufReader<Input<C>>> {
        self.reader
            .as_mut()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "rfile is closed"))
    }
}

impl<C: StreamRequest> Read for RFile<C> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let reader = self.open()?;
        if buf.is_empty() {
            // `BufReader` would fill its buffer, which waits for the client.
            return Ok(0);
        }
        reader.read(buf)
    }
}

impl<C: StreamRequest> BufRead for RFile<C> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.open()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(reader) = &mut self.reader {
            reader.consume(amount);
        }
    }
}

impl<C: StreamRequest> fmt::Debug for RFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RFile")
            .field("open", &self.reader.is_some())
            .field("buffered", &self.buffer().len())
            .finish_non_exhaustive()
    }
}

/// A connection as a `Read`.
struct Input<C>(C);

impl<C: StreamRequest> Read for Input<C> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }
}
