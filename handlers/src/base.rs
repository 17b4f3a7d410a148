//! The handler for any kind of request, with nothing done for it: CPython's `BaseRequestHandler`.

use std::fmt;
use std::sync::Arc;

use socketserver_core::{HandlerResult, Request, ServerHandle, Service};

use crate::life;

/// A handler that gets the bare request.
///
/// The order of the steps is told [at the crate's root](crate#the-life-of-a-handler).
pub trait BaseRequestHandler<R: Request> {
    /// Prepares. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`; neither `handle` nor `finish` is called.
    fn setup(&mut self, context: &mut Context<'_, R>) -> HandlerResult {
        let _ = context;
        Ok(())
    }

    /// Serves the request.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`, after `finish`.
    fn handle(&mut self, context: &mut Context<'_, R>) -> HandlerResult;

    /// Cleans up, also after `handle` failed. The default does nothing.
    ///
    /// # Errors
    ///
    /// Goes to `handle_error`.
    fn finish(&mut self, context: &mut Context<'_, R>) -> HandlerResult {
        let _ = context;
        Ok(())
    }
}

/// What a handler is about: CPython's `self.request`, `self.client_address`, `self.server`.
#[non_exhaustive]
pub struct Context<'a, R: Request> {
    /// The request.
    pub request: &'a mut R,
    /// The client's address.
    pub client_address: &'a R::Addr,
    /// The server, to stop it or read its counts.
    pub server: &'a ServerHandle,
}

impl<R: Request> fmt::Debug for Context<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("client_address", self.client_address)
            .finish_non_exhaustive()
    }
}

/// A service that makes a [`BaseRequestHandler`] for each request.
#[derive(Clone, Debug)]
pub struct BaseService<F> {
    factory: F,
}

impl<F> BaseService<F> {
    /// A service of the handlers that `factory` makes.
    pub const fn new<H>(factory: F) -> Self
    where
        F: Fn() -> H,
    {
        Self { factory }
    }
}

impl<R, F, H> Service<R> for BaseService<F>
where
    R: Request,
    F: Fn() -> H,
    H: BaseRequestHandler<R>,
{
    fn finish_request(
        &self,
        request: &mut R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        let handler = (self.factory)();
        let context = Context { request, client_address, server };
        life::run(
            &mut (handler, context),
            |(handler, context)| handler.setup(context),
            |(handler, context)| handler.handle(context),
            |(handler, context)| handler.finish(context),
        )
    }
}

/// A service whose handler is a closure: it gets the bare request.
///
/// ```
/// use socketserver_core::{Request, StreamRequest};
/// use socketserver_handlers::{Context, base_fn};
///
/// fn discard<C: StreamRequest>() -> impl socketserver_core::Service<C> {
///     base_fn(|context: &mut Context<'_, C>| {
///         while context.request.recv(&mut [0; 512])? > 0 {}
///         Ok(())
///     })
/// }
/// ```
pub fn base_fn<R, F>(handle: F) -> BaseService<impl Fn() -> BaseFn<F>>
where
    R: Request,
    F: Fn(&mut Context<'_, R>) -> HandlerResult,
{
    let handle = Arc::new(handle);
    BaseService::new(move || BaseFn(Arc::clone(&handle)))
}

/// The handler of [`base_fn`].
pub struct BaseFn<F>(Arc<F>);

impl<R, F> BaseRequestHandler<R> for BaseFn<F>
where
    R: Request,
    F: Fn(&mut Context<'_, R>) -> HandlerResult,
{
    fn handle(&mut self, context: &mut Context<'_, R>) -> HandlerResult {
        (self.0)(context)
    }
}

impl<F> fmt::Debug for BaseFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BaseFn").finish_non_exhaustive()
    }
}
