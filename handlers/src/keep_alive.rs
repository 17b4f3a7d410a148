//! The handler for protocols with many requests on one connection: what CPython's `http.server` does by hand.

use std::io::{self, BufRead, Write};

use socketserver_core::{CutReason, Deadline, HandlerError, HandlerResult, StreamRequest};

use crate::keep_alive_session::KeepAliveSession;
use crate::stream::{InTurns, Stream, StreamRequestHandler};

/// Whether a connection goes on after a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Next {
    /// Another request may come.
    Keep,
    /// That was the last one.
    Close,
}

/// A handler that is asked for one request after another: between them the connection is idle, and a server that
/// [drains](socketserver_core::Server::drain) ends it there, where nothing is lost.
///
/// It becomes a [`StreamRequestHandler`] by wrapping it in [`KeepAlive`].
///
/// ```
/// use socketserver_core::{HandlerError, Service, StreamRequest};
/// use socketserver_handlers::{KeepAlive, KeepAliveHandler, Next, Stream, StreamService};
/// use std::io::{BufRead, Write};
///
/// struct Upper;
///
/// impl<C: StreamRequest> KeepAliveHandler<C> for Upper {
///     fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError> {
///         let mut line = String::new();
///         stream.rfile.read_line(&mut line)?;
///         stream.wfile.write_all(line.to_uppercase().as_bytes())?;
///         Ok(if line == "quit\n" { Next::Close } else { Next::Keep })
///     }
/// }
///
/// fn service<C: StreamRequest>() -> impl Service<C> {
///     StreamService::new(|| KeepAlive(Upper))
/// }
/// ```
pub trait KeepAliveHandler<C: StreamRequest> {
    /// Prepares. The default does nothing.
    ///
    /// # Errors
    ///
    /// As for [`StreamRequestHandler::setup`].
    fn setup(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        let _ = stream;
        Ok(())
    }

    /// Serves one request, the first byte of which has been received, and says whether another may come.
    ///
    /// # Errors
    ///
    /// An error ends the connection, and goes to `handle_error`.
    fn handle_one_request(&mut self, stream: &mut Stream<C>) -> Result<Next, HandlerError>;

    /// Cleans up. The default does nothing.
    ///
    /// # Errors
    ///
    /// As for [`StreamRequestHandler::finish`].
    fn finish(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        let _ = stream;
        Ok(())
    }
}

/// Makes a [`StreamRequestHandler`] of a [`KeepAliveHandler`].
///
/// Before each request it flushes `wfile` and waits, idle, for the first byte; when there is none the connection ends
/// well, also when that is because its [idle deadline](socketserver_core::Deadlines::idle) is over. A server that drains
/// is not kept: the request in progress is the last.
///
/// With a strategy that parks idle connections it is that which waits: no thread does, and `rfile` and `wfile` have no
/// buffers meanwhile. So the handler may go from thread to thread between two requests, and has to be [`Send`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeepAlive<H>(pub H);

impl<C, H> StreamRequestHandler<C> for KeepAlive<H>
where
    C: StreamRequest,
    H: KeepAliveHandler<C> + Send + 'static,
{
    fn setup(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        self.0.setup(stream)
    }

    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        loop {
            // What was answered must be on its way before the client is waited for.
            stream.wfile.flush()?;
            let ended = stream.while_idle(|rfile| rfile.fill_buf().map(<[u8]>::is_empty));
            if ended.or_else(end_if_idle)? || serve_one(&mut self.0, stream)? {
                return Ok(());
            }
        }
    }

    fn finish(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        self.0.finish(stream)
    }

    fn in_turns() -> Option<InTurns<Self, C>> {
        Some(|KeepAlive(handler), stream| Box::new(KeepAliveSession::new(handler, stream)))
    }
}

/// A connection that was idle for too long ends like any other: whether this is its end, and else the error.
pub(crate) fn end_if_idle(error: io::Error) -> io::Result<bool> {
    match CutReason::of(&error) {
        Some(CutReason::Deadline(Deadline::Idle)) => Ok(true),
        _ => Err(error),
    }
}

/// Serves a request, and says whether it was the last.
pub(crate) fn serve_one<C: StreamRequest>(
    handler: &mut impl KeepAliveHandler<C>,
    stream: &mut Stream<C>,
) -> Result<bool, HandlerError> {
    let next = handler.handle_one_request(stream)?;
    // A handler may have taken the connection over.
    Ok(next == Next::Close || stream.server.is_draining() || stream.connection.is_detached())
}
