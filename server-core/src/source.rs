//! Something the operating system can tell to be readable, as each platform names it.

/// What a wait can watch besides the transport's own sockets: a descriptor.
#[cfg(unix)]
pub type Source<'a> = std::os::fd::BorrowedFd<'a>;

/// What a wait can watch besides the transport's own sockets: a socket.
#[cfg(windows)]
pub type Source<'a> = std::os::windows::io::BorrowedSocket<'a>;
