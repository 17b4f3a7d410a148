//! How a request can fail: an error, a panic, or the wish to exit, as `handle_error` gets it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;

use crate::outcome::Exit;
use crate::report;

/// Any error that can travel between threads.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// What a handler returns. `?` turns any error into a [`HandlerError`].
pub type HandlerResult = Result<(), HandlerError>;

/// Why a request failed.
///
/// Any `Error`, `String` or `&str` converts into it, so `?` works in a handler; for that reason it
/// cannot implement [`Error`] itself.
///
/// ```
/// use socketserver_core::{HandlerError, HandlerResult};
///
/// fn number(line: &str) -> HandlerResult {
///     let number: i32 = line.parse()?;
///     if number < 0 {
///         return Err("negative".into());
///     }
///     Ok(())
/// }
///
/// assert!(number("seven").unwrap_err().to_string().contains("invalid digit"));
/// ```
pub struct HandlerError {
    kind: Kind,
    context: Option<Box<Self>>,
}

enum Kind {
    Error(BoxError),
    Panic(Box<dyn Any + Send>),
    Exit(Exit),
}

impl HandlerError {
    /// The wish to exit, Python's `SystemExit`: not an error, `handle_error` is not called.
    ///
    /// The request is closed as always. Then `serve_forever` ends with
    /// [`Ended::Exited`](crate::Ended::Exited) if the handler ran in the serving thread; else just
    /// the worker ends what it does for this request.
    pub fn exit(code: u8) -> Self {
        Kind::Exit(Exit::new(code)).into()
    }

    /// A panic that was caught, with its payload.
    pub fn panicked(payload: Box<dyn Any + Send>) -> Self {
        Kind::Panic(payload).into()
    }

    /// The same failure with an earlier one that it happened after, Python's `__context__`.
    #[must_use]
    pub fn with_context(mut self, earlier: Self) -> Self {
        self.context = Some(Box::new(earlier));
        self
    }

    /// The failure this one happened after: when both `handle` and `finish` failed, `handle`'s.
    pub fn context(&self) -> Option<&Self> {
        self.context.as_deref()
    }

    /// The exit that was asked for, if that is what this is.
    pub fn exit_status(&self) -> Option<Exit> {
        match self.kind {
            Kind::Exit(exit) => Some(exit),
            _ => None,
        }
    }

    /// The error, if this is one rather than a panic or an exit.
    pub fn as_error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.kind {
            Kind::Error(error) => Some(&**error),
            _ => None,
        }
    }

    /// The error as an `E`, if it is one.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.as_error().and_then(|error| error.downcast_ref())
    }

    /// The payload of the panic, if this is one.
    pub fn panic_payload(&self) -> Option<&(dyn Any + Send)> {
        match &self.kind {
            Kind::Panic(payload) => Some(&**payload),
            _ => None,
        }
    }

    /// The kind of the I/O error this is, or that is behind it: the first one in the chain of sources.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut error: &(dyn Error + 'static) = self.as_error()?;
        loop {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Some(error.kind());
            }
            error = error.source()?;
        }
    }

    /// Whether this merely says that the client went away: a reset, aborted or broken connection, here
    /// or behind another error.
    ///
    /// Servers that face the open network usually do not want these reported. An input that ended too
    /// early ([`UnexpectedEof`](io::ErrorKind::UnexpectedEof)) is not among them, nor is a timeout.
    pub fn is_disconnect(&self) -> bool {
        matches!(
            self.io_kind(),
            Some(
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
            )
        )
    }

    /// Whether a receive or send took longer than the timeout of the connection, or one of its deadlines; which,
    /// [`CutReason::of`](crate::CutReason::of) tells.
    pub fn is_timeout(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::TimedOut)
    }

    /// Writes the client's address and the failure with all its sources to standard error, in one
    /// piece: what the default [`handle_error`](crate::Service::handle_error) does. That writing may
    /// fail is ignored.
    pub fn report<A: fmt::Debug + ?Sized>(&self, client_address: &A) {
        report::to_standard_error(&client_address, self);
    }
}

impl From<Kind> for HandlerError {
    fn from(kind: Kind) -> Self {
        Self { kind, context: None }
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self { kind: Kind::Error(error.into()), context: None }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Error(error) => fmt::Display::fmt(error, f),
            Kind::Panic(payload) => write!(f, "panicked: {}", panic_message(&**payload)),
            Kind::Exit(exit) => write!(f, "exit with code {}", exit.code()),
        }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = match &self.kind {
            Kind::Error(error) => {
                let mut tuple = f.debug_tuple("Error");
                tuple.field(error);
                tuple
            }
            Kind::Panic(payload) => {
                let mut tuple = f.debug_tuple("Panic");
                tuple.field(&panic_message(&**payload));
                tuple
            }
            Kind::Exit(exit) => {
                let mut tuple = f.debug_tuple("Exit");
                tuple.field(&exit.code());
                tuple
            }
        };
        if let Some(context) = &self.context {
            tuple.field(context);
        }
        tuple.finish()
    }
}

/// The text of a panic, as far as it has one.
fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_strings_and_boxes_convert() {
        let from_io: HandlerError = io::Error::from(io::ErrorKind::BrokenPipe).into();
        assert!(from_io.is_disconnect());
        let from_str: HandlerError = "no".into();
        assert_eq!(from_str.to_string(), "no");
        assert!(!from_str.is_disconnect());
        let boxed: BoxError = "boxed".into();
        assert_eq!(HandlerError::from(boxed).to_string(), "boxed");
    }

    #[test]
    fn a_disconnect_is_found_behind_other_errors() {
        let wrapped = io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset));
        let error = HandlerError::from(Wrapped(wrapped));
        assert_eq!(error.io_kind(), Some(io::ErrorKind::Other), "the first in the chain counts");
        let error = HandlerError::from(Wrapped(io::ErrorKind::ConnectionReset.into()));
        assert!(error.is_disconnect() && !error.is_timeout());
        assert!(HandlerError::from(io::Error::from(io::ErrorKind::TimedOut)).is_timeout());
    }

    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn each_kind_answers_for_itself_only() {
        let exit = HandlerError::exit(3);
        assert_eq!(exit.exit_status(), Some(Exit::new(3)));
        assert!(exit.as_error().is_none() && exit.panic_payload().is_none());
        let panic = HandlerError::panicked(Box::new("boom"));
        assert_eq!(panic.to_string(), "panicked: boom");
        assert!(panic.panic_payload().is_some() && panic.exit_status().is_none());
        let odd = HandlerError::panicked(Box::new(7));
        assert_eq!(odd.to_string(), "panicked: a value that is not text");
    }

    #[test]
    fn debug_shows_the_earlier_failure() {
        let both = HandlerError::from("finish").with_context(HandlerError::from("handle"));
        assert_eq!(format!("{both:?}"), r#"Error("finish", Error("handle"))"#);
        assert_eq!(both.context().unwrap().to_string(), "handle");
    }
}
