//! Loops around a UDP socket: a call for each packet, and a call for many.

use std::array;
use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg as receive_many, sendto};

use crate::Outcome;
use crate::protocol::obey;
use crate::serve::announce;

/// Room for a packet; those of the benchmark have 64 bytes.
const PACKET: usize = 2048;
/// How many packets a call takes at most.
const BATCH: usize = 32;

fn bind() -> Outcome<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    announce("udp", socket.local_addr()?)?;
    Ok(socket)
}

/// One receive and one send for each packet.
pub(super) fn recvfrom() -> Outcome<()> {
    let socket = bind()?;
    let mut packet = [0; PACKET];
    loop {
        let (length, client) = socket.recv_from(&mut packet)?;
        obey(&packet[..length]);
        socket.send_to(&packet[..length], client)?;
    }
}

/// One receive for all packets that wait, and a send for each.
pub(super) fn recvmmsg() -> Outcome<()> {
    let socket = bind()?;
    let fd = socket.as_raw_fd();
    let mut buffers = vec![[0; PACKET]; BATCH];
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    loop {
        let mut left = buffers.iter_mut();
        let mut slices: [Option<[IoSliceMut<'_>; 1]>; BATCH] =
            array::from_fn(|_| left.next().map(|buffer| [IoSliceMut::new(buffer)]));
        let packets = receive_many(
            fd,
            &mut headers,
            slices.iter_mut().flatten(),
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        for packet in packets {
            let (Some(client), Some(bytes)) = (packet.address, packet.iovs().next()) else {
                return Err("a packet without an address or bytes".into());
            };
            obey(bytes);
            sendto(fd, bytes, &client, MsgFlags::empty())?;
        }
    }
}
