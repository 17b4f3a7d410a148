//! The service under test: it answers lines, with the two ways to keep a connection, and notes what went wrong.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use socketserver::CutReason;
use socketserver::prelude::*;

use crate::told::Told;

/// A longer line is refused.
pub(crate) const LONGEST_LINE: usize = 16 * 1024;

/// What the server says to a line.
pub(crate) fn answer(line: &[u8]) -> Vec<u8> {
    line.to_ascii_uppercase()
}

/// What the service saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Lines that were answered.
    pub(crate) answers: AtomicU64,
    /// What an observer was told.
    pub(crate) told: Arc<Told>,
    /// Errors that nobody expects.
    pub(crate) strange: Mutex<Vec<String>>,
}

impl Seen {
    fn error(&self, error: &HandlerError) {
        let kind = error.io_kind();
        let reason = error.as_error().and_then(|error| CutReason::of(error));
        // Clients that went away or were too slow, connections that were ended, and the line that was too long.
        let expected = error.is_disconnect()
            || matches!(reason, Some(CutReason::Deadline(_)))
            || matches!(kind, Some(ErrorKind::ConnectionAborted | ErrorKind::InvalidInput));
        if !expected {
            self.strange.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
        }
    }
}

/// How the service is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// A `KeepAliveHandler`, or a handler with a loop of its own.
    pub(crate) keep_alive: bool,
    /// A `KeepAliveHandler` that a strategy can serve in turns.
    pub(crate) in_turns: bool,
    pub(crate) rbufsize: usize,
    pub(crate) wbufsize: usize,
}

/// The service for any transport.
pub(crate) fn service<C: StreamRequest + 'static>(
    setup: Setup,
    seen: &Arc<Seen>,
) -> impl Service<C> + Send + Sync + use<C> {
    let (own, errors) = (Arc::clone(seen), Arc::clone(seen));
    StreamService::new(move || Talk { keep_alive: setup.keep_alive, seen: Arc::clone(&own) })
        .rbufsize(setup.rbufsize)
        .wbufsize(setup.wbufsize)
        .on_error(move |_, _, error| errors.error(&error))
}

/// The same, as a service that can be served in turns.
pub(crate) fn in_turns<C: StreamRequest + 'static>(
    setup: Setup,
    seen: &Arc<Seen>,
) -> impl Service<C> + Send + Sync + use<C> {
    let (own, errors) = (Arc::clone(seen), Arc::clone(seen));
    StreamService::new(move || KeepAlive(One(Arc::clone(&own))))
        .rbufsize(setup.rbufsize)
        .wbufsize(setup.wbufsize)
        .on_error(move |_, _, error| errors.error(&error))
}

struct Talk {
    keep_alive: bool,
    seen: Arc<Seen>,
}

impl<C: StreamRequest> StreamRequestHandler<C> for Talk {
    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        if self.keep_alive {
            return KeepAlive(One(Arc::clone(&self.seen))).handle(stream);
        }
        let mut one = One(Arc::clone(&self.seen));
        loop {
            // Waits for a request, and takes nothing of it.
            let more = stream.while_idle(|rfile| rfile.fill_buf().map(|data| !data.is_empty()))?;
            if !more || one.handle_one_request(stream)? == Next::Close {
                return Ok(());
            }
        }
    }
}

/// One request.
struct One(Arc<Seen>);

impl<C: StreamRequest> KeepAliveHandler<C> for One {
    fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError> {
        let mut line = Vec::new();
        (&mut stream.rfile).take(LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
        if line.last() == Some(&b'\n') {
            stream.wfile.write_all(&answer(&line))?;
            stream.wfile.flush()?;
            self.0.answers.fetch_add(1, Ordering::Relaxed);
            Ok(Next::Keep)
        } else if line.len() == LONGEST_LINE {
            Err(std::io::Error::new(ErrorKind::InvalidInput, "the line is too long").into())
        } else {
            // The client ended in the middle of it.
            Ok(Next::Close)
        }
    }
}
