//! The server: three values and their verbs. The loop itself is in `serve`.

use std::fmt;
use std::io;

use crate::admission::Admissions;
use crate::alarm::Alarm;
use crate::backoff::Backoff;
use crate::common::Common;
use crate::concurrency::Concurrency;
use crate::config::ServerConfig;
use crate::error::ServeError;
use crate::hope::Hope;
use crate::job::ServiceJob;
use crate::lifecycle::Verb;
use crate::outcome::{Ended, Handled};
use crate::request::Request;
use crate::serve;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::Arc;
use crate::transport::{Bind, Transport};

/// A server: a [`Transport`], a [`Concurrency`] strategy and a [`Service`]. CPython's `BaseServer`.
///
/// The verbs take `&mut self`: two threads cannot serve with one server at once, which CPython allows
/// and where it then loses shutdowns. Everything another thread may want of a running server is in
/// [`ShutdownHandle`](crate::ShutdownHandle) and [`ServerHandle`].
///
/// ```compile_fail,E0499
/// # use socketserver_core::{Concurrency, Server, Service, ServiceJob, Transport};
/// fn two_loops<T, C, S>(server: &mut Server<T, C, S>)
/// where
///     T: Transport,
///     S: Service<T::Request>,
///     C: Concurrency<ServiceJob<T::Request, S>>,
///     Server<T, C, S>: Send,
/// {
///     std::thread::scope(|scope| {
///         scope.spawn(|| server.serve_forever());
///         scope.spawn(|| server.serve_forever());
///     });
/// }
/// ```
///
/// Dropping the server closes it; see [`close`](Self::close).
pub struct Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// `None` once the server is closed.
    transport: Option<T>,
    concurrency: C,
    service: Arc<S>,
    pub(crate) common: Arc<Common>,
    config: ServerConfig,
    pub(crate) admissions: Admissions<T::Request>,
    backoff: Backoff,
    hope: Hope,
    /// Made when the server first serves with its settings.
    alarm: Option<Alarm>,
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// A server of these three, with the default settings. It does nothing yet.
    pub fn new(transport: T, concurrency: C, service: S) -> Self {
        let waker = transport.waker();
        concurrency.attach(waker.clone());
        let common = Common::new(waker);
        Self {
            transport: Some(transport),
            concurrency,
            service: Arc::new(service),
            common: Arc::new(common),
            config: ServerConfig::new(),
            admissions: Admissions::new(),
            backoff: Backoff::new(),
            hope: Hope::new(),
            alarm: None,
        }
    }

    /// A server of a transport that was made with options or adopted, and the default strategy.
    ///
    /// With the facade's names: `ThreadingTcpServer::with_transport(Tcp::from(listener), service)`.
    pub fn with_transport(transport: T, service: S) -> Self
    where
        C: Default,
    {
        Self::new(transport, C::default(), service)
    }

    /// Makes the transport from an address and listens: the constructor of CPython's servers.
    ///
    /// # Errors
    ///
    /// Those of the transport; they name the address and the step that failed.
    #[doc(alias = "server_bind")]
    #[doc(alias = "server_activate")]
    pub fn bind<A>(address: A, service: S) -> Result<Self, T::Error>
    where
        T: Bind<A>,
        C: Default,
    {
        Ok(Self::with_transport(T::bind(address)?, service))
    }

    /// The same server with other settings.
    #[must_use]
    pub fn with_config(mut self, config: ServerConfig) -> Self {
        self.set_config(config);
        self
    }

    /// The settings.
    pub fn config(&self) -> ServerConfig {
        self.config
    }

    /// Changes the settings. Its limits take the place of those that a handle has set; its deadlines are those of connections
    /// that come later.
    pub fn set_config(&mut self, config: ServerConfig) {
        self.common.connections.set_limits(config);
        self.config = config;
        self.alarm = None;
    }

    /// The address the server listens on, CPython's `server_address`: with port 0 in the request,
    /// the real port is here.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] when the server is closed; else what the system says.
    #[doc(alias = "server_address")]
    pub fn local_addr(&self) -> io::Result<<T::Request as Request>::Addr> {
        match &self.transport {
            Some(transport) => transport.local_addr(),
            None => Err(io::Error::new(io::ErrorKind::NotConnected, ServeError::Closed)),
        }
    }

    /// The transport; `None` when the server is closed. Its descriptor is CPython's `fileno()`.
    #[doc(alias = "fileno")]
    pub fn transport(&self) -> Option<&T> {
        self.transport.as_ref()
    }

    /// The strategy.
    pub fn concurrency(&self) -> &C {
        &self.concurrency
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Serves until a shutdown is requested, or a handler in this thread asks to exit.
    ///
    /// Each turn takes at most one request, then calls `service_actions`. When idle it turns at the
    /// [poll interval](ServerConfig::poll_interval). The listener stays open; the server can serve again. CPython's
    /// `serve_forever(poll_interval)`.
    ///
    /// # Errors
    ///
    /// [`ServeError::Closed`] on a closed server; the others when the transport broke, or could not
    /// prepare its first wait because no descriptors are left. All who wait for the loop to end are
    /// released in any case.
    ///
    /// # Panics
    ///
    /// With the panic of a hook of the service, see
    /// [there](crate#what-happens-to-errors-and-panics). The server can serve again afterwards.
    pub fn serve_forever(&mut self) -> Result<Ended, ServeError> {
        let poll_interval = self.config.get_poll_interval();
        if let Some(mut serve) = self.serve(Verb::ServeForever) {
            return serve.forever(poll_interval);
        }
        // A stop that was ordered before the server was closed is honoured by not serving.
        if self.common.lifecycle.take_order() {
            Ok(Ended::Shutdown)
        } else {
            Err(ServeError::Closed)
        }
    }

    /// Waits for one request and serves it. CPython's `handle_request()`.
    ///
    /// It waits for the smaller of [`ServerConfig::timeout`] and the transport's own timeout, then calls `handle_timeout`,
    /// once. A request that is refused, or fails to be accepted, uses the call up. `service_actions` is not called.
    ///
    /// A request that is waiting is served even if a shutdown was requested, as in CPython; but the
    /// call does not *wait* then, see [`Handled::ShutdownRequested`]. So that steady traffic cannot
    /// keep a loop of calls from ending, let it look:
    ///
    #[cfg_attr(feature = "testing", doc = "```")]
    #[cfg_attr(not(feature = "testing"), doc = "```ignore")]
    /// # use socketserver_core::{Server, testing::*};
    /// # let mut server = Server::new(ScriptedTransport::new(), Inline, RecordingService::new());
    /// # server.shutdown_handle().request();
    /// let stop = server.shutdown_handle();
    /// while !stop.is_requested() {
    ///     println!("{:?}", server.handle_request()?);
    /// }
    /// # Ok::<(), socketserver_core::ServeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`serve_forever`](Self::serve_forever).
    ///
    /// # Panics
    ///
    /// As for [`serve_forever`](Self::serve_forever).
    pub fn handle_request(&mut self) -> Result<Handled, ServeError> {
        let timeout = self.config.get_timeout();
        match self.serve(Verb::HandleRequest) {
            Some(mut serve) => serve.one_request(timeout),
            None => Err(ServeError::Closed),
        }
    }

    /// Closes the listener, then waits for the workers as far as the strategy says so. CPython's
    /// `server_close()`. Requests in progress are not cut; a second call does nothing.
    ///
    /// In a worker of this very server (which got hold of the server and closes or drops it) it does
    /// not wait for workers: two that did would wait for each other.
    #[doc(alias = "server_close")]
    pub fn close(&mut self) {
        if self.close_listener() {
            self.concurrency.server_close();
        }
    }

    /// Closes the listener; says whether it was open.
    pub(crate) fn close_listener(&mut self) -> bool {
        self.common.lifecycle.close();
        let Some(transport) = self.transport.take() else { return false };
        // They leave here: nobody will take them any more.
        self.common.counters.dismissed.add_many(transport.received_ahead() as u64);
        true
    }

    /// Enters a verb; `None` when the server is closed.
    pub(crate) fn serve(&mut self, verb: Verb) -> Option<serve::Serve<'_, T, C, S>> {
        self.transport.as_ref()?;
        if let (None, Some(after)) = (&self.alarm, self.config.get_stuck_after()) {
            // It goes on from verb to verb: no call of `handle_request` may last as long as it takes.
            self.alarm = Some(Alarm::new(after));
        }
        Some(serve::Serve {
            transport: &mut self.transport,
            concurrency: &self.concurrency,
            service: &self.service,
            admissions: &self.admissions,
            server: ServerHandle::new(Arc::clone(&self.common)),
            backoff: &mut self.backoff,
            hope: &mut self.hope,
            serving: self.common.lifecycle.begin(verb),
            pass: None,
            hopes: false,
            batch: <_>::default(),
            rest: None,
            alarm: &mut self.alarm,
        })
    }
}

impl<T, C, S> Drop for Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    fn drop(&mut self) {
        self.close();
    }
}

impl<T, C, S> fmt::Debug for Server<T, C, S>
where
    T: Transport + fmt::Debug,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>> + fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("transport", &self.transport)
            .field("concurrency", &self.concurrency)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
