//! A keep-alive handler that is served in turns: one request after another, and nobody who waits between them.

use std::io::{self, Write};
use std::time::Instant;

use socketserver_core::{HandlerError, HandlerResult, Progress, Session, StreamRequest, Watch};

use crate::keep_alive::{KeepAliveHandler, end_if_idle, serve_one};
use crate::life;
use crate::stream::Stream;

/// A handler and its client, between two turns.
pub(crate) struct KeepAliveSession<H, C: StreamRequest> {
    handler: H,
    stream: Stream<C>,
    is_set_up: bool,
    /// Since when the client is waited for.
    waits_since: Option<Instant>,
}

/// What comes before the next request.
enum Before {
    /// It is there, at least its beginning.
    Request,
    /// There is none, and the client is gone or was idle for too long.
    End,
    /// The client has to be waited for.
    Rest(Progress),
}

impl<H: KeepAliveHandler<C>, C: StreamRequest> KeepAliveSession<H, C> {
    /// So many requests in a row, and others have their turn. Who sends more at once gets what he sent answered, but not
    /// at the price of others.
    const IN_A_ROW: usize = 16;

    pub(crate) fn new(handler: H, stream: Stream<C>) -> Self {
        Self { handler, stream, is_set_up: false, waits_since: None }
    }

    fn go_on(&mut self) -> Result<Progress, HandlerError> {
        self.rouse();
        for number in 0..Self::IN_A_ROW {
            match self.before(number > 0)? {
                Before::Rest(progress) => return Ok(progress),
                Before::End => return Ok(Progress::Done),
                Before::Request => {}
            }
            if serve_one(&mut self.handler, &mut self.stream)? {
                return Ok(Progress::Done);
            }
        }
        self.stream.wfile.flush()?;
        Ok(Progress::Ready)
    }

    /// Looks for the next request; `again` if there was one in this turn.
    fn before(&mut self, again: bool) -> io::Result<Before> {
        let Stream { rfile, wfile, connection, .. } = &mut self.stream;
        // What was answered must be on its way before the client is waited for.
        wfile.flush()?;
        if !rfile.buffer().is_empty() {
            return Ok(Before::Request);
        }
        // Not asked again if the last receive got all: what comes after that is news to whoever watches.
        let received = if again && connection.is_drained() {
            None
        } else {
            let received = rfile.try_fill();
            let nothing = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
            Some(received).filter(|received| !received.as_ref().is_err_and(nothing))
        };
        let ended = match received {
            Some(received) => received.map(|bytes| bytes == 0),
            None => match connection.watch().map_or(Ok(None), Watch::rest) {
                Ok(due) => {
                    let due = self.until_timeout(due)?;
                    let Stream { rfile, wfile, .. } = &mut self.stream;
                    rfile.release();
                    wfile.release();
                    return Ok(Before::Rest(Progress::Resting { due }));
                }
                Err(error) => Err(error),
            },
        };
        self.waits_since = None;
        Ok(if ended.or_else(end_if_idle)? { Before::End } else { Before::Request })
    }

    /// A receive that waits may have its timeout, and this is one.
    fn until_timeout(&mut self, due: Option<Instant>) -> io::Result<Option<Instant>> {
        let Some(timeout) = self.stream.connection.timeout() else { return Ok(due) };
        let now = Instant::now();
        let since = *self.waits_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= timeout {
            self.rouse();
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(due.into_iter().chain(since.checked_add(timeout)).min())
    }

    fn rouse(&self) {
        if let Some(watch) = self.stream.connection.watch() {
            watch.rouse();
        }
    }

    fn close(&mut self) -> HandlerResult {
        let finished = life::guarded(|| self.handler.finish(&mut self.stream));
        life::both(finished, self.stream.close_files())
    }
}

impl<H, C> Session for KeepAliveSession<H, C>
where
    C: StreamRequest,
    H: KeepAliveHandler<C> + Send,
{
    fn turn(&mut self) -> Result<Progress, HandlerError> {
        if !self.is_set_up {
            self.handler.setup(&mut self.stream)?;
            self.is_set_up = true;
        }
        let mut progress = Progress::Done;
        let handled = life::guarded(|| self.go_on().map(|how| progress = how));
        if handled.is_ok() && progress != Progress::Done {
            return Ok(progress);
        }
        life::both(handled, life::guarded(|| self.close())).map(|()| Progress::Done)
    }
}
