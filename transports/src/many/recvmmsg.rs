//! Receiving several packets with one system call, `recvmmsg`. `none.rs` provides the same names.
//!
//! What the system writes lengths and addresses into is kept for the next call. It is full of pointers, so it cannot
//! move from thread to thread with a transport; each thread that serves has one of its own instead. Nothing in it
//! outlives a call.

use std::array;
use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread::LocalKey;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg};
use socket2::SockRef;

/// How many packets a call receives at most.
pub(crate) const MOST: usize = 32;

/// What kind of addresses the senders have.
#[derive(Clone, Copy, Debug)]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(crate) fn of(socket: &SockRef<'_>) -> Self {
        // Of what is not a socket nothing is received.
        let ipv6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        if ipv6 { Self::Ipv6 } else { Self::Ipv4 }
    }
}

// One for each family: a call leaves in it how long the addresses were, which is as long as the next may be.
thread_local! {
    static IPV4: RefCell<MultiHeaders<SockaddrIn>> =
        RefCell::new(MultiHeaders::preallocate(MOST, None));
    static IPV6: RefCell<MultiHeaders<SockaddrIn6>> =
        RefCell::new(MultiHeaders::preallocate(MOST, None));
}

/// Receives packets without blocking, one into each of the buffers, in their order; as many as there are, and at least
/// one. Tells of each how long it was, and who sent it.
pub(crate) fn receive(
    socket: &UdpSocket,
    family: Family,
    buffers: &mut [Box<[u8]>],
    received: impl FnMut(usize, SocketAddr),
) -> io::Result<()> {
    match family {
        Family::Ipv4 => receive_with(&IPV4, socket, buffers, received),
        Family::Ipv6 => receive_with(&IPV6, socket, buffers, received),
    }
}

fn receive_with<A: Copy + SockaddrLike + Into<SocketAddr> + 'static>(
    headers: &'static LocalKey<RefCell<MultiHeaders<A>>>,
    socket: &UdpSocket,
    buffers: &mut [Box<[u8]>],
    mut received: impl FnMut(usize, SocketAddr),
) -> io::Result<()> {
    headers.with_borrow_mut(|headers| {
        let count = buffers.len().min(MOST);
        let mut buffers = buffers.iter_mut();
        let mut slices: [_; MOST] = array::from_fn(|_| {
            [IoSliceMut::new(buffers.next().map_or(&mut [], |buffer| &mut buffer[..]))]
        });
        let slices = slices[..count].iter_mut();
        for packet in recvmmsg(socket.as_raw_fd(), headers, slices, MsgFlags::MSG_DONTWAIT, None)? {
            if let Some(sender) = packet.address {
                received(packet.bytes, sender.into());
            }
        }
        Ok(())
    })
}
