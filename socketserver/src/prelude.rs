//! What most servers need: `use socketserver::prelude::*;`

#[doc(no_inline)]
pub use crate::{
    Counts, Ended, Handled, HandlerError, HandlerResult, PollInterval, PoolTcpServer, ServeError,
    Server, ServerConfig, ServerHandle, Service, ServiceExt, ShutdownError, ShutdownHandle, Spawn,
    StopOrder, TcpConnection, TcpServer, ThreadingTcpServer,
};
#[doc(no_inline)]
pub use socketserver_concurrency::{Synchronous, ThreadPerRequest, ThreadPool, WhenFull};
#[doc(no_inline)]
pub use socketserver_core::{Request, StreamRequest, Transport};
#[doc(no_inline)]
pub use socketserver_handlers::{
    BaseRequestHandler, BaseService, Context, Stream, StreamRequestHandler, StreamService, base_fn,
    stream_fn,
};
#[doc(no_inline)]
pub use socketserver_transports::{Tcp, TcpOptions};
#[cfg(unix)]
#[doc(no_inline)]
pub use {crate::ForkingTcpServer, socketserver_concurrency::Fork};
