//! What a connection needs of its socket.

/// A socket of a connection. It is implemented for the sockets that this crate's stream transports
/// accept, and cannot be implemented elsewhere.
pub trait StreamSocket: sealed::Socket {}

/// Keeps [`StreamSocket`] to this crate.
pub(crate) mod sealed {
    use std::fmt;
    use std::io;
    use std::net::Shutdown;
    use std::time::Duration;

    use socketserver_core::{Direction, Source};

    /// Whether a call waits until something moves, or fails with [`io::ErrorKind::WouldBlock`].
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum Block {
        /// It waits.
        Yes,
        /// It fails.
        No,
    }

    /// What a [`Connection`](crate::Connection) needs of a socket.
    pub trait Socket: Send + Sync + 'static {
        /// The address of a client.
        type Addr: Clone + fmt::Debug + Send + Sync + 'static;

        /// Whether a receive that filled less than it was given has taken all there was.
        const SHORT_IS_ALL: bool;

        /// What becomes readable when there is something to receive.
        fn source(&self) -> Source<'_>;
        /// Receives what is there.
        fn receive(&self, buf: &mut [u8], block: Block) -> io::Result<usize>;
        /// Sends the beginning of `buf`, as much as is taken.
        fn transmit(&self, buf: &[u8], block: Block) -> io::Result<usize>;
        /// Waits until there may be something to receive, or room to send, or the time is over; says whether it is not.
        fn wait(&self, direction: Direction, time: Option<Duration>) -> io::Result<bool>;
        /// Limits each receive and each send.
        fn limit(&self, timeout: Option<Duration>) -> io::Result<()>;
        /// Switches Nagle's algorithm off or on, where there is such a thing.
        fn nodelay(&self, nodelay: bool) -> io::Result<()>;
        /// The server's own address.
        fn bound_to(&self) -> io::Result<Self::Addr>;
        /// Sends an end of the stream.
        fn end(&self) -> io::Result<()>;
        /// Ends a direction, or both, so that calls that block in another thread return.
        fn sever(&self, direction: Shutdown) -> io::Result<()>;
    }
}
