//! Passing hooks on from one service to another, and services behind pointers, which pass on all.

use std::ops::Deref;
use std::sync::Arc;

use crate::handler_error::{HandlerError, HandlerResult};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server_handle::ServerHandle;
use crate::service::Service;

/// Passes hooks on to the service that `self`, followed by what is in the brackets, stands for; each
/// hook named by its method.
macro_rules! pass_on {
    ($inner:tt: $($hook:ident)*) => { $(pass_on!(@ $hook $inner);)* };
    (@ finish_request [$($inner:tt)*]) => {
        fn finish_request(&self, request: &mut R, client: &R::Addr, server: &ServerHandle) -> HandlerResult {
            self $($inner)*.finish_request(request, client, server)
        }
    };
    (@ begin_session [$($inner:tt)*]) => {
        fn begin_session(
            &self,
            request: &R,
            client: &R::Addr,
            server: &ServerHandle,
        ) -> Result<Option<Box<dyn crate::turn::Session>>, HandlerError> {
            self $($inner)*.begin_session(request, client, server)
        }
    };
    (@ verify_request [$($inner:tt)*]) => {
        fn verify_request(&self, request: &R, client: &R::Addr) -> bool {
            self $($inner)*.verify_request(request, client)
        }
    };
    (@ handle_error [$($inner:tt)*]) => {
        fn handle_error(&self, request: &mut R, client: &R::Addr, error: HandlerError) {
            self $($inner)*.handle_error(request, client, error);
        }
    };
    (@ handle_refusal [$($inner:tt)*]) => {
        fn handle_refusal(&self, request: &mut R, client: &R::Addr, refusal: Refusal) {
            self $($inner)*.handle_refusal(request, client, refusal);
        }
    };
    (@ handle_timeout [$($inner:tt)*]) => {
        fn handle_timeout(&self, server: &ServerHandle) {
            self $($inner)*.handle_timeout(server);
        }
    };
    (@ service_actions [$($inner:tt)*]) => {
        fn service_actions(&self, server: &ServerHandle) {
            self $($inner)*.service_actions(server);
        }
    };
    (@ closing [$($inner:tt)*]) => {
        fn shutdown_request(&self, request: R) {
            self $($inner)*.shutdown_request(request);
        }

        fn close_request(&self, request: R) {
            self $($inner)*.close_request(request);
        }
    };
}

pub(crate) use pass_on;

macro_rules! pass_all_on {
    ($($pointer:ty)*) => {$(
        /// The service behind the pointer.
        impl<R: Request, S: Service<R> + ?Sized> Service<R> for $pointer {
            pass_on!([.deref()]: finish_request begin_session handle_refusal verify_request handle_error handle_timeout service_actions closing);
        }
    )*};
}

pass_all_on!(&S Arc<S> Box<S>);
