//! What a connection does with its socket, for TCP.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socketserver_core::{Direction, Source};

use crate::stream_socket::{StreamSocket, sealed::Block, sealed::Socket};
use crate::{sys, wait};

impl StreamSocket for TcpStream {}

impl Socket for TcpStream {
    type Addr = SocketAddr;

    const SHORT_IS_ALL: bool = true;

    fn source(&self) -> Source<'_> {
        sys::source_of(self)
    }

    fn receive(&self, buf: &mut [u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => io::Read::read(&mut &*self, buf),
            Block::No => sys::try_receive(self, buf),
        }
    }

    fn transmit(&self, buf: &[u8], block: Block) -> io::Result<usize> {
        match block {
            Block::Yes => io::Write::write(&mut &*self, buf),
            Block::No => sys::try_transmit(self, buf),
        }
    }

    fn wait(&self, direction: Direction, time: Option<Duration>) -> io::Result<bool> {
        wait::until_ready(self, direction, time)
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
