//! The handler for connections and what it works with: CPython's `StreamRequestHandler`.

use std::fmt;
use std::io;

use socketserver_core::{
    Deadlines, HandlerResult, Request, ServerHandle, Session, StreamRequest, Watch,
};

use crate::detached::Detached;
use crate::reader::RFile;
use crate::stash::Stash;
use crate::writer::WFile;

/// A handler for connections, with `rfile` and `wfile`.
///
/// The order of the steps is told [at the crate's root](crate#the-life-of-a-handler). Before `setup` the
/// connection has been set up as the [service](crate::StreamService)'s options say; after `finish`,
/// `wfile` is flushed and both files are closed.
pub trait StreamRequestHandler<C: StreamRequest> {
    /// Prepares. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`; neither `handle` nor `finish` is called.
    fn setup(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        let _ = stream;
        Ok(())
    }

    /// Serves the client.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`, after `finish`.
    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult;

    /// Cleans up, also after `handle` failed. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`.
    fn finish(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        let _ = stream;
        Ok(())
    }

    /// How to serve such a handler in turns, if it can be: for strategies that park idle connections. A
    /// [`KeepAlive`](crate::KeepAlive) can; others are served as a whole, which is the default.
    fn in_turns() -> Option<InTurns<Self, C>>
    where
        Self: Sized,
    {
        None
    }
}

/// Makes a session of a handler and its client.
pub type InTurns<H, C> = fn(H, Stream<C>) -> Box<dyn Session>;

/// One client of a stream handler: its connection as two files, and all there is to know about it.
///
/// Protocols that read lines from strangers should limit them:
/// `(&mut stream.rfile).take(1000).read_until(b'\n', &mut line)`. To go through all lines:
/// `for line in (&mut stream.rfile).lines()`.
#[non_exhaustive]
pub struct Stream<C: StreamRequest> {
    /// What the client sends.
    pub rfile: RFile<C>,
    /// What goes to the client.
    pub wfile: WFile<C>,
    /// The connection itself. Mind that `rfile` may have read ahead.
    pub connection: C,
    /// The client's address.
    pub client_address: C::Addr,
    /// The server, to stop it or read its counts.
    pub server: ServerHandle,
}

impl<C: StreamRequest> Stream<C> {
    pub(crate) fn new(
        connection: &C,
        (rfiles, wfiles): (&Stash, &Stash),
        client_address: &<C as Request>::Addr,
        server: &ServerHandle,
    ) -> Self {
        Self {
            rfile: RFile::new(connection.clone(), rfiles.clone()),
            wfile: WFile::new(connection.clone(), wfiles.clone()),
            connection: connection.clone(),
            client_address: client_address.clone(),
            server: server.clone(),
        }
    }

    /// The server's own address on this connection.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_address(&self) -> io::Result<C::Addr> {
        self.connection.local_addr()
    }

    /// Waits for the client, as `wait` does, and says meanwhile that the connection is idle: nothing would be lost if it
    /// ended. A server that [drains](socketserver_core::Server::drain) ends it then, and reading finds the end of the
    /// stream. A connection of which something was received and not read yet is not idle, nor is one from the first byte
    /// on that is received meanwhile: who has sent half a line may send the rest.
    ///
    /// When the [idle deadline](Deadlines::idle) passes reading fails, with an error of the kind
    /// [`TimedOut`](io::ErrorKind::TimedOut). Who wants that to be an end like others looks
    /// [why](socketserver_core::CutReason::of), or is a [`KeepAliveHandler`](crate::KeepAliveHandler).
    ///
    /// ```
    /// use socketserver_core::{HandlerResult, StreamRequest};
    /// use socketserver_handlers::Stream;
    /// use std::io::{BufRead, Write};
    ///
    /// fn handle<C: StreamRequest>(stream: &mut Stream<C>) -> HandlerResult {
    ///     let mut line = String::new();
    ///     while stream.while_idle(|rfile| rfile.read_line(&mut line))? > 0 {
    ///         stream.wfile.write_all(line.as_bytes())?;
    ///         line.clear();
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn while_idle<T>(&mut self, wait: impl FnOnce(&mut RFile<C>) -> T) -> T {
        let nothing_read = self.rfile.buffer().is_empty();
        let _idle = self.connection.watch().filter(|_| nothing_read).map(Watch::idle);
        wait(&mut self.rfile)
    }

    /// How long the client may take for what: the deadlines of the server, or those that were
    /// [set](Self::set_deadlines) here. None for a connection that no server watches.
    pub fn deadlines(&self) -> Deadlines {
        self.connection.watch().map(Watch::deadlines).unwrap_or_default()
    }

    /// Sets other deadlines for this connection, longer ones, shorter ones or none, for the time that has passed too. To
    /// change one of them, begin with those there [are](Self::deadlines). Does nothing for a connection that no server
    /// watches.
    ///
    /// ```
    /// use socketserver_core::{HandlerResult, StreamRequest};
    /// use socketserver_handlers::Stream;
    /// use std::time::Duration;
    ///
    /// fn handle<C: StreamRequest>(stream: &mut Stream<C>) -> HandlerResult {
    ///     // An upload may take its time.
    ///     let patient = stream.deadlines().whole(Duration::from_secs(24 * 3600));
    ///     stream.set_deadlines(patient);
    ///     std::io::copy(&mut stream.rfile, &mut std::io::sink())?;
    ///     Ok(())
    /// }
    /// ```
    pub fn set_deadlines(&self, deadlines: Deadlines) {
        if let Some(watch) = self.connection.watch() {
            watch.set_deadlines(deadlines);
        }
    }

    /// Takes the connection over: the server neither shuts it down nor closes it when the handler
    /// ends, and counts it as detached. `wfile` is flushed and both files are closed; what
    /// `rfile` had read ahead goes along.
    ///
    /// If the handler fails afterwards, `handle_error` still gets the request, which says that it is
    /// [detached](socketserver_core::Request::is_detached): it should not write to it then.
    ///
    /// In CPython a handler cannot hand a live connection on: the server shuts it down.
    ///
    /// # Errors
    ///
    /// That of the flush; the connection is the server's then as before, with `wfile` closed.
    pub fn detach(&mut self) -> io::Result<Detached<C>> {
        self.wfile.close()?;
        let unread = self.rfile.buffer().to_vec();
        self.rfile.close();
        self.connection.mark_detached();
        Ok(Detached::new(self.connection.clone(), unread))
    }

    /// The end of every stream handler: `wfile` is flushed, then both files are closed.
    ///
    /// That the client is gone by now is no failure of the handler's.
    pub(crate) fn close_files(&mut self) -> HandlerResult {
        let flushed = self.wfile.close().map_err(socketserver_core::HandlerError::from);
        self.rfile.close();
        match flushed {
            Err(error) if error.is_disconnect() => Ok(()),
            other => other,
        }
    }
}

impl<C: StreamRequest> fmt::Debug for Stream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("client_address", &self.client_address)
            .field("rfile", &self.rfile)
            .field("wfile", &self.wfile)
            .finish_non_exhaustive()
    }
}
