//! A client's end of a connection, whatever the transport.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socketserver::transports::socket2::SockRef;

#[cfg(unix)]
use std::{os::unix::net::UnixStream, path::PathBuf};

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(PathBuf),
}

/// A connection to it.
pub(crate) enum Wire {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// The same call for each kind.
macro_rules! each {
    ($wire:expr, $stream:ident => $call:expr) => {
        match $wire {
            Wire::Tcp($stream) => $call,
            #[cfg(unix)]
            Wire::Unix($stream) => $call,
        }
    };
}

impl Place {
    /// Connects; nothing on the connection takes longer than `patience`.
    pub(crate) fn connect(&self, patience: Duration) -> io::Result<Wire> {
        let wire = match self {
            Self::Tcp(address) => Wire::Tcp(TcpStream::connect(address)?),
            #[cfg(unix)]
            Self::Unix(path) => Wire::Unix(UnixStream::connect(path)?),
        };
        each!(&wire, stream => stream.set_read_timeout(Some(patience)))?;
        wire.give_up_writing_after(patience)?;
        Ok(wire)
    }
}

impl Wire {
    pub(crate) fn give_up_writing_after(&self, patience: Duration) -> io::Result<()> {
        each!(self, stream => stream.set_write_timeout(Some(patience)))
    }

    /// Says that nothing more will be sent.
    pub(crate) fn end(&self) -> io::Result<()> {
        each!(self, stream => stream.shutdown(Shutdown::Write))
    }

    /// Breaks the connection off: over TCP with a reset.
    pub(crate) fn reset(self) {
        match self {
            Self::Tcp(stream) => {
                // If that fails it ends as others do.
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            }
            #[cfg(unix)]
            Self::Unix(_) => {}
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        each!(self, stream => stream.read(buffer))
    }
}

impl Write for Wire {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        each!(self, stream => stream.write(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        each!(self, stream => stream.flush())
    }
}
