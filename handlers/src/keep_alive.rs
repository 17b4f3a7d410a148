//! The handler for protocols with many requests on one connection: what CPython's `http.server` does by hand.

use std::io::{BufRead, Write};

use socketserver_core::{CutReason, Deadline, HandlerError, HandlerResult, StreamRequest};

use crate::stream::{Stream, StreamRequestHandler};

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
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeepAlive<H>(pub H);

impl<C: StreamRequest, H: KeepAliveHandler<C>> StreamRequestHandler<C> for KeepAlive<H> {
    fn setup(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        self.0.setup(stream)
    }

    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        loop {
            // What was answered must be on its way before the client is waited for.
            stream.wfile.flush()?;
            match stream.while_idle(|rfile| rfile.fill_buf().map(<[u8]>::is_empty)) {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(error)
                    if CutReason::of(&error) == Some(CutReason::Deadline(Deadline::Idle)) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
            let next = self.0.handle_one_request(stream)?;
            // A handler may have taken the connection over.
            if next == Next::Close || stream.server.is_draining() || stream.connection.is_detached()
            {
                return Ok(());
            }
        }
    }

    fn finish(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        self.0.finish(stream)
    }
}
