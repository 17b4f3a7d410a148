//! The contract for what happens to a request: the methods a subclass overrides in CPython.

use crate::handler_error::{HandlerError, HandlerResult};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server_handle::ServerHandle;
use crate::turn::Session;

/// What happens to a request: every hook that a subclass of CPython's servers overrides. The default
/// methods are CPython's defaults.
///
/// Most services are made by the crate `socketserver-handlers` from a handler or a closure. To replace
/// a single hook, wrap a service with [`ServiceExt`](crate::ServiceExt); to replace many, implement
/// this.
///
/// # Examples
///
/// A service around another one, which it stands in for: what a subclass does in Python. Hooks that are
/// not passed on are the default ones, not those of the service inside.
///
/// ```
/// use socketserver_core::{HandlerError, HandlerResult, Request, ServerHandle, Service};
///
/// /// Stops the server at the first error.
/// struct StopAtError<S> {
///     inner: S,
/// }
///
/// impl<R: Request, S: Service<R>> Service<R> for StopAtError<S> {
///     fn finish_request(
///         &self,
///         request: &mut R,
///         client_address: &R::Addr,
///         server: &ServerHandle,
///     ) -> HandlerResult {
///         let result = self.inner.finish_request(request, client_address, server);
///         if result.is_err() {
///             server.request_shutdown();
///         }
///         result
///     }
///
///     fn handle_error(&self, request: &mut R, client_address: &R::Addr, error: HandlerError) {
///         // Python's `super().handle_error(…)`.
///         self.inner.handle_error(request, client_address, error);
///     }
/// }
/// ```
///
/// # Order of calls
///
/// For each request:
///
/// 1. [`verify_request`](Self::verify_request), in the serving thread. If it says no: step 4. For a request that is
///    turned away before this, or because nobody can run it after this,
///    [`handle_refusal`](Self::handle_refusal) in the same place, then step 4.
/// 2. [`finish_request`](Self::finish_request), where the strategy runs it.
/// 3. [`handle_error`](Self::handle_error), in the same place, if step 2 failed.
/// 4. [`shutdown_request`](Self::shutdown_request), which calls
///    [`close_request`](Self::close_request), in the same place; exactly once, unless the handler
///    detached the connection.
///
/// # Panics
///
/// A panic in `finish_request` is a failure like any other. What a panic in another hook does is told
/// [at the crate's root](crate#what-happens-to-errors-and-panics).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service for requests of type `{R}`",
    note = "a closure becomes one with `stream_fn(…)` or `base_fn(…)`",
    note = "a handler type becomes one with `StreamService::new(|| …)` or `BaseService::new(|| …)`"
)]
pub trait Service<R: Request> {
    /// Serves the request: makes a handler and runs it.
    ///
    /// # Errors
    ///
    /// An error goes to [`handle_error`](Self::handle_error);
    /// [`HandlerError::exit`] goes to the strategy.
    fn finish_request(
        &self,
        request: &mut R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult;

    /// Serves the request in turns instead, if the service can: strategies that can use that ask for it first, and call
    /// [`finish_request`](Self::finish_request) if there is none, which is the default. It is made before the first turn,
    /// in the same place.
    ///
    /// The session holds what it needs of the request; the request itself is closed after it.
    ///
    /// A service around another one has to pass this on like the other hooks, or its connections are not parked.
    ///
    /// # Errors
    ///
    /// As for [`finish_request`](Self::finish_request).
    fn begin_session(
        &self,
        request: &R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> Result<Option<Box<dyn Session>>, HandlerError> {
        let _ = (request, client_address, server);
        Ok(None)
    }

    /// Whether the request is to be served. The default says yes.
    ///
    /// On a dual-stack listener an IPv4 client's address looks like `::ffff:192.0.2.1`: compare
    /// `client_address.ip().to_canonical()`, or a deny-list lets it in.
    fn verify_request(&self, request: &R, client_address: &R::Addr) -> bool {
        let _ = (request, client_address);
        true
    }

    /// Deals with a failed request, which is still open: a last reply can be sent, unless the handler
    /// had [detached](Request::is_detached) it before it failed.
    ///
    /// The default is [`HandlerError::report`], which writes to standard error, as CPython does.
    fn handle_error(&self, request: &mut R, client_address: &R::Addr, error: HandlerError) {
        let _ = request;
        error.report(client_address);
    }

    /// Has the last word to a client that is turned away, for the reason given: the strategy has nobody to run its
    /// request, a limit is reached, an [`Admission`](crate::Admission) said no. Then the request is closed. It is not
    /// called for those that [`verify_request`](Self::verify_request) says no to.
    ///
    /// The default says nothing. It runs in the serving thread, so it should be short. CPython has no such hook.
    fn handle_refusal(&self, request: &mut R, client_address: &R::Addr, refusal: Refusal) {
        let _ = (request, client_address, refusal);
    }

    /// Called when [`handle_request`](crate::Server::handle_request) ran out of time. The default
    /// does nothing.
    fn handle_timeout(&self, server: &ServerHandle) {
        let _ = server;
    }

    /// Called once per turn of [`serve_forever`](crate::Server::serve_forever): after each request,
    /// and at the poll interval when there is none. The default does nothing.
    fn service_actions(&self, server: &ServerHandle) {
        let _ = server;
    }

    /// Says goodbye to the client and closes the request. The default calls
    /// [`Request::say_goodbye`], then [`close_request`](Self::close_request).
    fn shutdown_request(&self, request: R) {
        request.say_goodbye();
        self.close_request(request);
    }

    /// Closes the request. The default drops it.
    fn close_request(&self, request: R) {
        drop(request);
    }
}
