//! Watching many connections at once: each is told of once per piece of news, to one of those who wait.

#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "epoll.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "portable.rs")]
mod system;

pub(super) use system::{Events, Poller};

/// Something was heard of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// The number it was added with.
    pub(super) key: u64,
    /// A receive that takes less than it could need not have taken all: the end of the stream, of the connection or of what
    /// comes before urgent data was told together with the data before it.
    pub(super) has_end: bool,
}
