//! `wfile`: what goes to the client, at once unless a buffer was asked for.

use std::fmt;
use std::io::{self, BufWriter, Write};

use socketserver_core::StreamRequest;

/// The writing side of a connection: CPython's `wfile`.
///
/// Each [`write`](Write::write) takes the whole of what it is given and says so, as CPython's does.
/// Without a buffer, the default, it has been handed to the system when the call returns; with one it
/// leaves when the buffer is full, at a [`flush`](Write::flush), and when the handler finishes.
///
/// After an error it is not known how much of the data was sent. After [`close`](Self::close) every
/// write fails with [`io::ErrorKind::NotConnected`]; CPython's unbuffered `wfile` goes on writing.
pub struct WFile<C: StreamRequest> {
    way: Way<C>,
}

enum Way<C: StreamRequest> {
    Direct(Output<C>),
    Buffered(BufWriter<Output<C>>),
    Closed,
}

impl<C: StreamRequest> WFile<C> {
    /// Writes to `connection` with a buffer of `size` bytes, 0 for none.
    pub(crate) fn new(connection: C, size: usize) -> Self {
        let output = Output(connection);
        let way = match size {
            0 => Way::Direct(output),
            size => Way::Buffered(BufWriter::with_capacity(size, output)),
        };
        Self { way }
    }

    /// Flushes and writes no more. The connection stays open. A second close does nothing.
    ///
    /// # Errors
    ///
    /// That of the flush. What was buffered is lost then, and `wfile` is closed all the same.
    pub fn close(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.way, Way::Closed) {
            Way::Buffered(mut writer) => {
                let flushed = writer.flush();
                // Dropped as it is, the writer would try to flush once more.
                drop(writer.into_parts());
                flushed
            }
            Way::Direct(_) | Way::Closed => Ok(()),
        }
    }
}

impl<C: StreamRequest> Write for WFile<C> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::Direct(output) => output.write_all(buf)?,
            Way::Buffered(writer) => writer.write_all(buf)?,
            Way::Closed => return Err(closed()),
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Direct(_) => Ok(()),
            Way::Buffered(writer) => writer.flush(),
            Way::Closed => Err(closed()),
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "wfile is closed")
}

impl<C: StreamRequest> fmt::Debug for WFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, buffered) = match &self.way {
            Way::Direct(_) => (true, 0),
            Way::Buffered(writer) => (true, writer.buffer().len()),
            Way::Closed => (false, 0),
        };
        f.debug_struct("WFile")
            .field("open", &open)
            .field("buffered", &buffered)
            .finish_non_exhaustive()
    }
}

/// A connection as a `Write`, with writes as short as the system makes them.
struct Output<C>(C);

impl<C: StreamRequest> Write for Output<C> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
