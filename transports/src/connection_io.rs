//! A connection as a `Read` and a `Write`, and as something to wait for.

use std::io::{self, Read, Write};

use socketserver_core::{Pollable, Source, StreamRequest};

use crate::connection::{Connection, Shared};
use crate::stream_socket::StreamSocket;
use crate::sys;

impl<S: StreamSocket> Pollable for Shared<S> {
    fn source(&self) -> Source<'_> {
        self.socket.source()
    }

    fn was_cut(&self) -> bool {
        !sys::SHUTDOWN_ENDS_POLL
            && self.watch.get().is_some_and(|watch| watch.cut_reason().is_some())
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
