//! One hook of a service replaced by a closure, the rest as it was: `ServiceExt` and its wrappers.

use crate::handler_error::{HandlerError, HandlerResult};
use crate::pass_on::pass_on;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server_handle::ServerHandle;
use crate::service::Service;

/// Replaces single hooks of a service by closures.
///
/// A hook set twice is the last one; the one before is not called. Options of a service come before its
/// hooks: `stream_fn(…).timeout(…).verify(…)`. If the compiler asks for types, name the request's:
/// `|_: &TcpConnection, client_address| …`.
///
#[cfg_attr(feature = "testing", doc = "```")]
#[cfg_attr(not(feature = "testing"), doc = "```ignore")]
/// use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
/// use socketserver_core::{Handled, Server, ServiceExt};
///
/// let transport = ScriptedTransport::new();
/// transport.script().request("from a stranger");
/// let service = RecordingService::new().verify(|request, _client| request.name() != "from a stranger");
///
/// let mut server = Server::new(transport, Inline, service);
/// assert!(matches!(server.handle_request()?, Handled::Refused));
/// # Ok::<(), socketserver_core::ServeError>(())
/// ```
pub trait ServiceExt<R: Request>: Service<R> + Sized {
    /// Serves only the requests that `verify` says `true` to.
    ///
    /// On a dual-stack listener an IPv4 client's address looks like `::ffff:192.0.2.1`: compare
    /// `client_address.ip().to_canonical()`.
    fn verify<F>(self, verify: F) -> Verify<Self, F>
    where
        F: Fn(&R, &R::Addr) -> bool,
    {
        Verify { inner: self, verify }
    }

    /// Deals with failed requests by `on_error`; the request is still open then.
    /// [`HandlerError::report`] does what happens without this.
    fn on_error<F>(self, on_error: F) -> OnError<Self, F>
    where
        F: Fn(&mut R, &R::Addr, HandlerError),
    {
        OnError { inner: self, on_error }
    }

    /// Calls `actions` once per turn of `serve_forever`.
    fn on_service_actions<F>(self, actions: F) -> OnServiceActions<Self, F>
    where
        F: Fn(&ServerHandle),
    {
        OnServiceActions { inner: self, actions }
    }

    /// Has the last word to clients that are [turned away](Service::handle_refusal), for want of somebody to run their
    /// request or because of a limit.
    fn on_refusal<F>(self, on_refusal: F) -> OnRefusal<Self, F>
    where
        F: Fn(&mut R, &R::Addr, Refusal),
    {
        OnRefusal { inner: self, on_refusal }
    }

    /// Calls `on_timeout` when `handle_request` ran out of time.
    fn on_timeout<F>(self, on_timeout: F) -> OnTimeout<Self, F>
    where
        F: Fn(&ServerHandle),
    {
        OnTimeout { inner: self, on_timeout }
    }
}

impl<R: Request, S: Service<R>> ServiceExt<R> for S {}

/// A service with another `verify_request`; see [`ServiceExt::verify`].
#[derive(Clone, Debug)]
pub struct Verify<S, F> {
    inner: S,
    verify: F,
}

impl<R, S, F> Service<R> for Verify<S, F>
where
    R: Request,
    S: Service<R>,
    F: Fn(&R, &R::Addr) -> bool,
{
    pass_on!([.inner]: finish_request begin_session handle_refusal handle_error handle_timeout service_actions closing);

    fn verify_request(&self, request: &R, client_address: &R::Addr) -> bool {
        (self.verify)(request, client_address)
    }
}

/// A service with another `handle_error`; see [`ServiceExt::on_error`].
#[derive(Clone, Debug)]
pub struct OnError<S, F> {
    inner: S,
    on_error: F,
}

impl<R, S, F> Service<R> for OnError<S, F>
where
    R: Request,
    S: Service<R>,
    F: Fn(&mut R, &R::Addr, HandlerError),
{
    pass_on!([.inner]: finish_request begin_session handle_refusal verify_request handle_timeout service_actions closing);

    fn handle_error(&self, request: &mut R, client_address: &R::Addr, error: HandlerError) {
        (self.on_error)(request, client_address, error);
    }
}

/// A service with other `service_actions`; see [`ServiceExt::on_service_actions`].
#[derive(Clone, Debug)]
pub struct OnServiceActions<S, F> {
    inner: S,
    actions: F,
}

impl<R, S, F> Service<R> for OnServiceActions<S, F>
where
    R: Request,
    S: Service<R>,
    F: Fn(&ServerHandle),
{
    pass_on!([.inner]: finish_request begin_session handle_refusal verify_request handle_error handle_timeout closing);

    fn service_actions(&self, server: &ServerHandle) {
        (self.actions)(server);
    }
}

/// A service with another `handle_timeout`; see [`ServiceExt::on_timeout`].
#[derive(Clone, Debug)]
pub struct OnTimeout<S, F> {
    inner: S,
    on_timeout: F,
}

impl<R, S, F> Service<R> for OnTimeout<S, F>
where
    R: Request,
    S: Service<R>,
    F: Fn(&ServerHandle),
{
    pass_on!([.inner]: finish_request begin_session handle_refusal verify_request handle_error service_actions closing);

    fn handle_timeout(&self, server: &ServerHandle) {
        (self.on_timeout)(server);
    }
}

/// A service with another `handle_refusal`; see [`ServiceExt::on_refusal`].
#[derive(Clone, Debug)]
pub struct OnRefusal<S, F> {
    inner: S,
    on_refusal: F,
}

impl<R, S, F> Service<R> for OnRefusal<S, F>
where
    R: Request,
    S: Service<R>,
    F: Fn(&mut R, &R::Addr, Refusal),
{
    pass_on!([.inner]: finish_request begin_session verify_request handle_error handle_timeout service_actions closing);

    fn handle_refusal(&self, request: &mut R, client_address: &R::Addr, refusal: Refusal) {
        (self.on_refusal)(request, client_address, refusal);
    }
}
