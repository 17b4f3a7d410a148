//! The contract for what happens to a request: the methods a subclass overrides in CPython.

use crate::handler_error::{HandlerError, HandlerResult};
use crate::report;
use crate::request::Request;
use crate::server_handle::ServerHandle;

/// What happens to a request: every hook that a subclass of CPython's servers overrides. The default
/// methods are CPython's defaults.
///
/// Most services are made by the crate `socketserver-handlers` from a handler or a closure. To replace
/// a single hook, wrap a service with [`ServiceExt`](crate::ServiceExt); to replace many, implement
/// this.
///
/// # Order of calls
///
/// For each request:
///
/// 1. [`verify_request`](Self::verify_request), in the serving thread. If it says no: step 4.
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

    /// Whether the request is to be served. The default says yes.
    fn verify_request(&self, request: &R, client_address: &R::Addr) -> bool {
        let _ = (request, client_address);
        true
    }

    /// Deals with a failed request, which is still open: a last reply can be sent.
    ///
    /// The default writes the client's address and the error with all its sources to standard
    /// error, as CPython does, and ignores that this may fail.
    fn handle_error(&self, request: &mut R, client_address: &R::Addr, error: HandlerError) {
        let _ = request;
        report::to_standard_error(client_address, &error);
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
    /// [`Request::shutdown`], then [`close_request`](Self::close_request).
    fn shutdown_request(&self, request: R) {
        request.shutdown();
        self.close_request(request);
    }

    /// Closes the request. The default drops it.
    fn close_request(&self, request: R) {
        drop(request);
    }
}
