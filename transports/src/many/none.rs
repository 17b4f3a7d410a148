//! Receiving several packets with one system call, for systems that have none for it. `recvmmsg.rs` provides the same
//! names.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::SockRef;

/// How many packets a call receives at most.
pub(crate) const MOST: usize = 1;

/// What kind of addresses the senders have; here nobody asks.
#[derive(Clone, Copy, Debug)]
pub struct Family;

impl Family {
    pub(crate) fn of(_: &SockRef<'_>) -> Self {
        Self
    }
}

/// Never called, for one packet at a time is all there is.
pub(crate) fn receive(
    _: &UdpSocket,
    _: Family,
    _: &mut [Box<[u8]>],
    _: impl FnMut(usize, SocketAddr),
) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
