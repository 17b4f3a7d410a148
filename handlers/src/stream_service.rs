//! The service that makes a stream handler for each connection, and its options.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketserver_core::{
    HandlerError, HandlerResult, ServerHandle, Service, Session, StreamRequest,
};

use crate::life;
use crate::stash::Stash;
use crate::stream::{Stream, StreamRequestHandler};

/// A service that makes a [`StreamRequestHandler`] for each connection.
///
/// Its options are class attributes of the handler in CPython, with the same names.
#[derive(Clone, Debug)]
#[must_use]
pub struct StreamService<F> {
    factory: F,
    rfiles: Stash,
    wfiles: Stash,
    timeout: Option<Duration>,
    disable_nagle_algorithm: bool,
}

impl<F> StreamService<F> {
    const RBUFSIZE: usize = 8192;
    const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);

    /// A service of the handlers that `factory` makes.
    ///
    /// What handlers share, which in Python is an attribute of the server, they get from the factory:
    ///
    /// ```
    /// use socketserver_core::{HandlerResult, StreamRequest};
    /// use socketserver_handlers::{Stream, StreamRequestHandler, StreamService};
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// struct KeyValue {
    ///     store: Arc<Mutex<HashMap<String, String>>>,
    /// }
    /// # impl<C: StreamRequest> StreamRequestHandler<C> for KeyValue {
    /// #     fn handle(&mut self, _: &mut Stream<C>) -> HandlerResult { Ok(()) }
    /// # }
    ///
    /// let store = Arc::default();
    /// let service = StreamService::new(move || KeyValue { store: Arc::clone(&store) });
    /// ```
    pub fn new<H>(factory: F) -> Self
    where
        F: Fn() -> H,
    {
        Self {
            factory,
            rfiles: Stash::new(Self::RBUFSIZE),
            wfiles: Stash::new(0),
            timeout: None,
            disable_nagle_algorithm: false,
        }
    }

    /// How many bytes `rfile` reads ahead at most. The default is 8192; with 0 it reads nothing
    /// that was not asked for, at the price of a system call for each byte of a line.
    pub fn rbufsize(mut self, bytes: usize) -> Self {
        // Less than one byte cannot be looked at.
        self.rfiles = Stash::new(bytes.max(1));
        self
    }

    /// How many bytes `wfile` collects before it sends them. The default is 0: it sends at once.
    pub fn wbufsize(mut self, bytes: usize) -> Self {
        self.wfiles = Stash::new(bytes);
        self
    }

    /// How long a single receive or send may take; then it fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). The default is for ever. Less than a millisecond counts
    /// as a millisecond.
    ///
    /// A client that sends a byte now and then never exceeds it: for those there are
    /// [deadlines](socketserver_core::Deadlines).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout.max(Self::SHORTEST_TIMEOUT));
        self
    }

    /// Whether small writes leave at once (`TCP_NODELAY`). The default is off. Where there is no such
    /// algorithm it does nothing; CPython fails there.
    pub const fn disable_nagle_algorithm(mut self, disable: bool) -> Self {
        self.disable_nagle_algorithm = disable;
        self
    }

    /// What CPython's `setup` does.
    fn set_up<C: StreamRequest>(&self, connection: &C) -> HandlerResult {
        if self.timeout.is_some() {
            connection.set_timeout(self.timeout)?;
        }
        if self.disable_nagle_algorithm {
            connection.set_nodelay(true)?;
        }
        Ok(())
    }

    fn stream<C: StreamRequest>(
        &self,
        connection: &C,
        client_address: &C::Addr,
        server: &ServerHandle,
    ) -> Stream<C> {
        Stream::new(connection, (&self.rfiles, &self.wfiles), client_address, server)
    }
}

impl<C, F, H> Service<C> for StreamService<F>
where
    C: StreamRequest,
    F: Fn() -> H,
    H: StreamRequestHandler<C>,
{
    fn finish_request(
        &self,
        request: &mut C,
        client_address: &C::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        let handler = (self.factory)();
        self.set_up(request)?;
        let stream = self.stream(request, client_address, server);
        life::run(
            &mut (handler, stream),
            |(handler, stream)| handler.setup(stream),
            |(handler, stream)| handler.handle(stream),
            |(handler, stream)| {
                let finished = life::guarded(|| handler.finish(stream));
                life::both(finished, stream.close_files())
            },
        )
    }

    fn begin_session(
        &self,
        request: &C,
        client_address: &C::Addr,
        server: &ServerHandle,
    ) -> Result<Option<Box<dyn Session>>, HandlerError> {
        let Some(in_turns) = H::in_turns() else { return Ok(None) };
        if request.waits_for().is_none() {
            // Somebody's own connection, which nobody can wait for but its handler.
            return Ok(None);
        }
        let handler = (self.factory)();
        self.set_up(request)?;
        Ok(Some(in_turns(handler, self.stream(request, client_address, server))))
    }
}

/// A service whose handler is a closure.
///
/// If the compiler asks for types, name the client's: `|client: &mut Stream<TcpConnection>| …`, where
/// `TcpConnection` is the facade's name for `Connection<TcpStream>`.
///
/// ```
/// use socketserver_core::{Service, StreamRequest};
/// use socketserver_handlers::{Stream, stream_fn};
/// use std::io::{BufRead, Write};
///
/// fn greeter<C: StreamRequest>() -> impl Service<C> {
///     stream_fn(|stream: &mut Stream<C>| {
///         let mut name = String::new();
///         stream.rfile.read_line(&mut name)?;
///         writeln!(stream.wfile, "hello {}", name.trim_end())?;
///         Ok(())
///     })
/// }
/// ```
pub fn stream_fn<C, F>(handle: F) -> StreamService<impl Fn() -> StreamFn<F>>
where
    C: StreamRequest,
    F: Fn(&mut Stream<C>) -> HandlerResult,
{
    let handle = Arc::new(handle);
    StreamService::new(move || StreamFn(Arc::clone(&handle)))
}

/// The handler of [`stream_fn`].
pub struct StreamFn<F>(Arc<F>);

impl<C, F> StreamRequestHandler<C> for StreamFn<F>
where
    C: StreamRequest,
    F: Fn(&mut Stream<C>) -> HandlerResult,
{
    fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
        (self.0)(stream)
    }
}

impl<F> fmt::Debug for StreamFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamFn").finish_non_exhaustive()
    }
}
