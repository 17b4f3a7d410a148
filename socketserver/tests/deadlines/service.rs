//! A service that says how its handlers failed.

use std::io::{BufRead, ErrorKind, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver::prelude::*;
use socketserver::{CutReason, Deadline};

use crate::support::PATIENCE;

/// A short deadline: long enough to be seen.
pub(crate) const SHORT: Duration = Duration::from_millis(60);

/// Longer than that.
pub(crate) const LONGER: Duration = Duration::from_millis(150);

/// How a handler failed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) reason: Option<CutReason>,
    pub(crate) text: String,
}

/// Told what handlers do.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Sender<Failure>>>);

/// What was told.
pub(crate) struct Failures(Receiver<Failure>);

impl Log {
    pub(crate) fn new() -> (Self, Failures) {
        let (sender, receiver) = channel();
        (Self(Arc::new(Mutex::new(sender))), Failures(receiver))
    }

    pub(crate) fn tell(&self, error: &HandlerError) {
        let failure = Failure {
            kind: error.io_kind(),
            reason: error.as_error().and_then(|error| CutReason::of(error)),
            text: error.to_string(),
        };
        // Nobody may be there any more.
        let _ = self.0.lock().unwrap().send(failure);
    }
}

impl Failures {
    pub(crate) fn next(&self) -> Failure {
        self.0.recv_timeout(PATIENCE).unwrap()
    }

    /// The next is that this deadline was over, and says so.
    pub(crate) fn is_over(&self, deadline: Deadline) {
        let failure = self.next();
        assert_eq!(failure.reason, Some(CutReason::Deadline(deadline)), "{}", failure.text);
        assert_eq!(failure.kind, Some(ErrorKind::TimedOut));
        assert_eq!(failure.text, format!("a deadline is over: {deadline}"));
    }

    pub(crate) fn are_none(&self) {
        assert_eq!(self.0.try_recv().ok(), None);
    }
}

/// Answers lines in upper case, idle between them; after the line `flood` sends without end.
pub(crate) fn upper<C: StreamRequest + 'static>(
    log: &Log,
) -> impl Service<C> + Send + Sync + 'static + use<C> {
    handle(log, |client: &mut Stream<C>| {
        let mut line = String::new();
        while client.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
            if line == "flood\n" {
                loop {
                    client.wfile.write_all(&[b'x'; 4096])?;
                }
            }
            client.wfile.write_all(line.to_uppercase().as_bytes())?;
            line.clear();
        }
        Ok(())
    })
}

/// Does this, and says how it failed.
pub(crate) fn handle<C, F>(
    log: &Log,
    handler: F,
) -> impl Service<C> + Send + Sync + 'static + use<C, F>
where
    C: StreamRequest + 'static,
    F: Fn(&mut Stream<C>) -> HandlerResult + Send + Sync + 'static,
{
    let log = log.clone();
    stream_fn(handler).on_error(move |_, _, error| log.tell(&error))
}
