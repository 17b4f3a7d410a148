//! A packet together with the socket that replies to it: what a datagram handler gets.

use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use socketserver_core::{DatagramRequest, Request};

use crate::buffers::Buffers;
use crate::many::Family;

/// A packet that a client sent, over a server's socket of type `S`; CPython's pair
/// `(bytes, socket)`.
///
/// It can be used from any thread. Replies go out on the server's own socket, so they come from the
/// address that the client knows; replies to several packets may overtake each other.
///
/// It holds on to the server's socket: when the server is closed while a packet is still being
/// handled, the address is free only when that has ended. In CPython the reply fails then.
///
/// ```
/// use socketserver_core::{DatagramRequest, Transport};
/// use socketserver_transports::Udp;
/// use std::net::UdpSocket;
///
/// let udp = Udp::bind("127.0.0.1:0")?;
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to(b"ping", udp.local_addr()?)?;
///
/// udp.wait(socketserver_core::Wait::for_request())?;
/// let (request, client_address) = udp.get_request().unwrap();
/// assert_eq!(request.packet(), b"ping");
/// assert_eq!(client_address, client.local_addr()?);
/// request.reply(b"pong")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Datagram<S: DatagramSocket> {
    shared: Arc<Shared<S>>,
    buffer: Box<[u8]>,
    /// How much of the buffer is the packet.
    length: usize,
    truncated: bool,
    sender: S::Addr,
    #[cfg_attr(not(unix), expect(dead_code, reason = "only packets over Unix sockets have any"))]
    credentials: S::Credentials,
}

/// What a server's socket shares with the packets that came out of it.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) socket: S,
    pub(crate) buffers: Buffers,
    /// How long a reply may take.
    pub(crate) patience: Duration,
    /// Whether to ask the system who sent a packet.
    pub(crate) pass_credentials: bool,
}

/// A socket of packets. It is implemented for the sockets of this crate's datagram transports, and
/// cannot be implemented elsewhere.
pub trait DatagramSocket: sealed::Packets {}

/// Keeps [`DatagramSocket`] to this crate.
pub(crate) mod sealed {
    use super::{Duration, Family, SockRef, fmt, io};

    /// What a transport needs of a socket of packets.
    pub trait Packets {
        /// The address of a client.
        type Addr: Clone + fmt::Debug + Send + Sync + 'static;

        /// What the system tells of the process that sent a packet: `()` where it never does.
        type Credentials: Copy;

        /// The socket, for waiting.
        fn socket_ref(&self) -> SockRef<'_>;

        /// Receives one packet, without blocking; with the credentials of its sender if they were asked
        /// for when the socket was made.
        fn receive(
            &self,
            buffer: &mut [u8],
            pass_credentials: bool,
        ) -> io::Result<(usize, Self::Addr, Self::Credentials)>;

        /// How many packets one call may receive.
        const MOST: usize = 1;

        /// Receives packets without blocking, one into each of these buffers, in their order; as many as there are, and
        /// at least one. Tells of each how long it was, and who sent it. Only for sockets of which one call may receive
        /// several.
        fn receive_many(
            &self,
            family: Family,
            buffers: &mut [Box<[u8]>],
            received: impl FnMut(usize, Self::Addr, Self::Credentials),
        ) -> io::Result<()> {
            let _ = (family, buffers, received);
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Sends one packet; waits no longer than `patience`.
        fn send(&self, data: &[u8], to: &Self::Addr, patience: Duration) -> io::Result<()>;
    }
}

impl<S: DatagramSocket> Datagram<S> {
    /// Receives one packet, without blocking.
    pub(crate) fn receive(shared: &Arc<Shared<S>>) -> io::Result<Self> {
        let mut buffer = shared.buffers.take();
        let (received, sender, credentials) = loop {
            match shared.socket.receive(&mut buffer, shared.pass_credentials) {
                Ok(received) => break received,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    shared.buffers.put_back(buffer);
                    return Err(error);
                }
            }
        };
        Ok(Self::new(shared, buffer, received, sender, credentials))
    }

    /// A packet that was received into `buffer`.
    pub(crate) fn new(
        shared: &Arc<Shared<S>>,
        buffer: Box<[u8]>,
        received: usize,
        sender: S::Addr,
        credentials: S::Credentials,
    ) -> Self {
        // The buffer is longer than a packet may be, so more than that shows that it was cut.
        let length = received.min(shared.buffers.packet_size()).min(buffer.len());
        let truncated = received > length;
        Self { shared: Arc::clone(shared), buffer, length, truncated, sender, credentials }
    }

    /// The server's socket, CPython's `self.socket`: to send to somebody else than the sender, say.
    ///
    /// A UDP socket does not block; a Unix one does, for no longer than a reply may take. Receiving from
    /// it takes packets away from the server.
    pub fn socket(&self) -> &S {
        &self.shared.socket
    }

    /// Who sent the packet.
    pub fn sender(&self) -> &S::Addr {
        &self.sender
    }

    /// What the system told of the process that sent it.
    #[cfg(unix)]
    pub(crate) fn credentials(&self) -> S::Credentials {
        self.credentials
    }
}

impl<S: DatagramSocket> Request for Datagram<S> {
    type Addr = S::Addr;
}

impl<S: DatagramSocket> DatagramRequest for Datagram<S> {
    fn packet(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    fn is_truncated(&self) -> bool {
        self.truncated
    }

    fn reply(&self, data: &[u8]) -> io::Result<()> {
        loop {
            match self.shared.socket.send(data, &self.sender, self.shared.patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// The buffer is used again.
impl<S: DatagramSocket> Drop for Datagram<S> {
    fn drop(&mut self) {
        self.shared.buffers.put_back(mem::take(&mut self.buffer));
    }
}

/// Without the packet: it may hold secrets.
impl<S: DatagramSocket> fmt::Debug for Datagram<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("length", &self.length)
            .field("truncated", &self.truncated)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
