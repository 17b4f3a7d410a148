//! What can go wrong with the serving verbs and with stopping. A handler's errors are in
//! `handler_error`.

use std::error::Error;
use std::fmt;
use std::io;

/// Why [`serve_forever`](crate::Server::serve_forever) or
/// [`handle_request`](crate::Server::handle_request) could not go on.
#[non_exhaustive]
pub enum ServeError {
    /// The server has been closed: a mistake of the caller. CPython raises `ValueError`.
    Closed,
    /// Waiting for requests failed.
    Wait(io::Error),
    /// Taking a request failed in a way that will not get better.
    GetRequest(io::Error),
    /// A process that serves could not be started.
    StartWorker(io::Error),
    /// Signals could not be waited for. Only where a server serves until one comes.
    Signals(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server has been closed"),
            Self::Wait(error) => write!(f, "cannot wait for requests: {error}"),
            Self::GetRequest(error) => write!(f, "cannot take requests any more: {error}"),
            Self::Signals(error) => write!(f, "cannot wait for signals: {error}"),
            Self::StartWorker(error) => write!(f, "cannot start a worker process: {error}"),
        }
    }
}

/// The same, because that is what a `main` prints that returns it.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Wait(error)
            | Self::GetRequest(error)
            | Self::StartWorker(error)
            | Self::Signals(error) => Some(error),
        }
    }
}

/// Why [`ShutdownHandle::shutdown`](crate::ShutdownHandle::shutdown) did not wait for the end. The
/// request to stop stands in every case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShutdownError {
    /// It was called from the thread that serves, which cannot wait for itself. CPython deadlocks.
    FromServingThread,
    /// The time was over before the loop ended.
    TimedOut,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromServingThread => {
                "the serving thread cannot wait for its own end; the server will stop all the same"
            }
            Self::TimedOut => "the server did not stop in time; the request to stop stands",
        })
    }
}

impl Error for ShutdownError {}
