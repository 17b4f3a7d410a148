//! What can be told about a live connection, as values.

use std::fmt;
use std::time::Duration;

/// The number of a connection: the same one is never given twice by a server.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub(super) u64);

/// The number again, from a log or a command. That there is no such connection is found out when it is used.
impl From<u64> for ConnectionId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl ConnectionId {
    /// The number, for logs.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Its handler is at work.
    Busy,
    /// Its handler [said](super::Watch::idle) that it waits for the client and holds nothing that could be lost.
    Idle,
    /// It was ended by the server; its handler has not come to its end yet.
    Ending,
}

/// A live connection, as it was when it was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Its number.
    pub id: ConnectionId,
    /// The client's address, as its `Debug` shows it.
    pub peer: String,
    /// What it is doing.
    pub state: ConnectionState,
    /// How long it has been alive.
    pub age: Duration,
    /// How long ago something was last received or sent.
    pub quiet: Duration,
    /// How long its handler has been at work by itself: it neither receives nor sends, nor waits for that. `None` if it
    /// does, is idle, or has not begun. Where that is long, something is stuck.
    pub at_work: Option<Duration>,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
}
