//! Why a connection was ended from outside, and how an error tells it.

use std::error::Error;
use std::fmt;
use std::io;

use crate::deadlines::Deadline;

/// Why the server ended a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CutReason {
    /// It was idle when the server drained. Its handler sees the end of the stream, as if the client had gone.
    Drained,
    /// It was still busy at the deadline of a drain, or when somebody [forced](crate::ServerHandle::force_drain) it.
    Forced,
    /// Somebody [ended](crate::ServerHandle::end_connection) it.
    Ended,
    /// Its client took longer than one of the [`Deadlines`](crate::Deadlines) allows.
    Deadline(Deadline),
}

impl CutReason {
    /// Its name in logs and metrics: `drained`, say, or `first byte` for that deadline.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Forced => "forced",
            Self::Ended => "ended",
            Self::Deadline(deadline) => deadline.name(),
        }
    }

    /// The reason that is in an error of a receive or send, or in one that wraps it.
    ///
    /// ```
    /// use socketserver_core::{CutReason, Deadline, HandlerError};
    ///
    /// /// Whether the client was just too long between two requests.
    /// fn was_idle(error: &HandlerError) -> bool {
    ///     let reason = error.as_error().and_then(|error| CutReason::of(error));
    ///     reason == Some(CutReason::Deadline(Deadline::Idle))
    /// }
    /// ```
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(reason) = error.downcast_ref() {
                return Some(*reason);
            }
            // Of what an I/O error wraps `source` gives the source.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }
}

impl fmt::Display for CutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => f.write_str("the server drains and the connection was idle"),
            Self::Forced => f.write_str("the server drains and its deadline is over"),
            Self::Ended => f.write_str("the connection was ended by the server"),
            Self::Deadline(deadline) => write!(f, "a deadline is over: {deadline}"),
        }
    }
}

impl Error for CutReason {}

/// What a receive or send of the connection returns: of the kind [`TimedOut`](io::ErrorKind::TimedOut) for a deadline,
/// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) for all others.
impl From<CutReason> for io::Error {
    fn from(reason: CutReason) -> Self {
        let kind = match reason {
            CutReason::Deadline(_) => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::ConnectionAborted,
        };
        Self::new(kind, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler_error::HandlerError;

    #[test]
    fn the_reason_is_found_behind_other_errors() {
        let reason = CutReason::Deadline(Deadline::Rate);
        let wrapped = io::Error::other(io::Error::other(io::Error::from(reason)));
        assert_eq!(CutReason::of(&wrapped), Some(reason));
        assert_eq!(CutReason::of(&reason), Some(reason));
        assert_eq!(CutReason::of(&io::Error::other("another")), None);
        assert_eq!(CutReason::of(&io::Error::from(io::ErrorKind::TimedOut)), None);
    }

    #[test]
    fn an_error_is_a_timeout_for_a_deadline_only_and_names_it() {
        let error = HandlerError::from(io::Error::from(CutReason::Deadline(Deadline::FirstByte)));
        assert!(error.is_timeout());
        assert_eq!(error.to_string(), "a deadline is over: first byte");
        let error = HandlerError::from(io::Error::from(CutReason::Forced));
        assert!(!error.is_timeout() && error.is_disconnect());
    }
}
