//! Requests that are served in turns: what a service says of one between two, and what a strategy has to know of it.

use std::fmt;
use std::time::Instant;

use crate::concurrency::Finished;
use crate::handler_error::HandlerError;
use crate::source::Source;

/// A connection that is served one request at a time, and needs nobody between two of them: what
/// [`Service::begin_session`](crate::Service::begin_session) makes for strategies that can use it.
///
/// It is what is left of [`finish_request`](crate::Service::finish_request) when its waiting is taken out. CPython has
/// nothing like it.
///
/// # For implementers
///
/// [`turn`](Self::turn) is called again and again, on whatever thread, until it says [`Progress::Done`] or fails; never by two
/// threads at a time. A session that is dropped before that has been given up: it closes what it holds and no more.
pub trait Session: Send {
    /// Serves what the client has sent, and goes on to its end or until the client would have to be waited for. It may block
    /// in the middle of a request, and should not between two.
    ///
    /// # Errors
    ///
    /// As for [`finish_request`](crate::Service::finish_request): it is over then.
    fn turn(&mut self) -> Result<Progress, HandlerError>;
}

/// How far a [`Session`] has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// To its end.
    Done,
    /// There is more to do at once, and others may come first.
    Ready,
    /// It waits for its client. All that had come when the turn began has been received, so that what comes from here on
    /// is news.
    Resting {
        /// When to take a turn even if nothing has come: a deadline is over then.
        due: Option<Instant>,
    },
}

/// What became of a job in its turn.
#[must_use = "the job is in it"]
#[non_exhaustive]
pub enum Turn<J> {
    /// It has left.
    Finished(Finished),
    /// It has more to do at once, and others may come first.
    Ready(Box<J>),
    /// It waits for its client, and needs no thread for that. The next turn is due when what it
    /// [waits for](crate::Job::waits_for) has become readable since this turn began, or at that time.
    Resting(Box<J>, Option<Instant>),
}

impl<J> fmt::Debug for Turn<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished(finished) => f.debug_tuple("Finished").field(finished).finish(),
            Self::Ready(_) => f.write_str("Ready"),
            Self::Resting(_, due) => f.debug_tuple("Resting").field(due).finish(),
        }
    }
}

/// Something that becomes readable, and stays what it is as long as this lives.
pub trait Pollable: Send + Sync {
    /// What to watch.
    fn source(&self) -> Source<'_>;

    /// Whether it was cut, for systems on which that does not make it readable. The default is `false`.
    fn was_cut(&self) -> bool {
        false
    }
}
