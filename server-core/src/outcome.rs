//! What the serving verbs tell their caller when all went well.

use std::io;
use std::process::{ExitCode, Termination};

/// What one call of [`Server::handle_request`](crate::Server::handle_request) did.
///
/// CPython's `handle_request` returns `None` for all of these (and whatever `handle_timeout` returned
/// after a timeout).
#[derive(Debug)]
#[must_use = "it says whether a request was served at all"]
#[non_exhaustive]
pub enum Handled {
    /// The handler ran to its end in this thread; if it failed, `handle_error` has been told.
    Served,
    /// The request was given to a worker, which may still be busy with it.
    Started,
    /// The handler, in this thread, asked to exit.
    Exited(Exit),
    /// The request was refused: by `verify_request`, by the strategy because there is nobody to run it, by a limit or by an
    /// [`Admission`](crate::Admission).
    Refused,
    /// The request was accepted but nothing could be found to run it; `handle_error` has been told, and a
    /// pause was made.
    Rejected,
    /// The time was over first; `handle_timeout` has been called.
    TimedOut,
    /// Taking the request failed, with the error if there was one: without an error somebody else
    /// took it, or it was never there.
    NothingAccepted(Option<io::Error>),
    /// No request was waiting, and a shutdown was requested. The call used that request up.
    ShutdownRequested,
}

/// Why [`Server::serve_forever`](crate::Server::serve_forever) came back.
///
/// It can be what `main` returns: the exit code is the code a handler asked for, else success.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Ended {
    /// A shutdown was requested.
    Shutdown,
    /// A handler that ran in the serving thread asked to exit.
    Exited(Exit),
}

impl Termination for Ended {
    fn report(self) -> ExitCode {
        match self {
            Self::Shutdown => ExitCode::SUCCESS,
            Self::Exited(exit) => ExitCode::from(exit.code()),
        }
    }
}

/// That a handler asked to exit, and with which code: Python's `SystemExit`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Exit {
    code: u8,
}

impl Exit {
    /// An exit with `code`.
    pub const fn new(code: u8) -> Self {
        Self { code }
    }

    /// The exit code; 0 is success.
    pub const fn code(self) -> u8 {
        self.code
    }
}
