//! A connection as a `Read` and a `Write`.

use std::io::{self, Read, Write};

use socketserver_core::StreamRequest;

use crate::connection::Connection;

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
