//! What most servers need: `use socketserver::prelude::*;`

#[doc(no_inline)]
pub use crate::servers::*;
#[doc(no_inline)]
pub use crate::{
    AcceptRate, AtLimit, Backlog, Counts, CutReason, Deadline, Deadlines, Drain, DrainReport,
    Ended, Handled, HandlerError, HandlerResult, PollInterval, Refusal, ServeError, Server,
    ServerConfig, ServerHandle, Service, ServiceExt, ShutdownError, ShutdownHandle, Spawn,
    StopOrder,
};
#[cfg(unix)]
#[doc(no_inline)]
pub use socketserver_concurrency::{Fork, PreFork};
#[doc(no_inline)]
pub use socketserver_concurrency::{
    LeaderPool, Synchronous, ThreadPerRequest, ThreadPool, WhenFull,
};
#[doc(no_inline)]
pub use socketserver_core::{DatagramRequest, Event, Request, StreamRequest, Transport};
#[doc(no_inline)]
pub use socketserver_handlers::{
    BaseRequestHandler, BaseService, Context, DatagramExchange, DatagramRequestHandler,
    DatagramService, KeepAlive, KeepAliveHandler, Next, Stream, StreamRequestHandler,
    StreamService, base_fn, datagram_fn, stream_fn,
};
#[cfg(unix)]
#[doc(no_inline)]
pub use socketserver_transports::PerUser;
#[doc(no_inline)]
pub use socketserver_transports::{AddressList, PerSource, Tcp, TcpOptions, Udp, UdpOptions};
