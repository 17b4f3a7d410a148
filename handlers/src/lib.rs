//! What a request meets: a handler with `setup`, `handle` and `finish`, made anew for each request.
//!
//! | for | a type | a closure | CPython |
//! |---|---|---|---|
//! | any request | [`BaseRequestHandler`] with [`BaseService`] | [`base_fn`] | `BaseRequestHandler` |
//! | a connection, with `rfile` and `wfile` | [`StreamRequestHandler`] with [`StreamService`] | [`stream_fn`] | `StreamRequestHandler` |
//! | a packet, with `rfile` and `wfile` | [`DatagramRequestHandler`] with [`DatagramService`] | [`datagram_fn`] | `DatagramRequestHandler` |
//!
//! The services here implement [`Service`](socketserver_core::Service); single hooks of them are
//! replaced with [`ServiceExt`](socketserver_core::ServiceExt). This crate knows requests and nothing
//! of sockets, strategies or the loop.
//!
//! # The life of a handler
//!
//! 1. The factory makes it.
//! 2. `setup`. If it fails, that is all: `finish` is not called.
//! 3. `handle`.
//! 4. `finish`, also when `handle` failed or panicked.
//!
//! When both `handle` and `finish` fail, `handle_error` gets the failure of `finish`, with that of `handle`
//! as its [context](socketserver_core::HandlerError::context).
//!
//! # Example
//!
//! ```
//! use socketserver_handlers::{StreamRequestHandler, StreamService, Stream};
//! use socketserver_core::{HandlerResult, StreamRequest};
//! use std::io::{BufRead, Write};
//!
//! /// Counts the lines of one client.
//! #[derive(Default)]
//! struct Count(usize);
//!
//! impl<C: StreamRequest> StreamRequestHandler<C> for Count {
//!     fn handle(&mut self, stream: &mut Stream<C>) -> HandlerResult {
//!         let mut line = Vec::new();
//!         while stream.rfile.read_until(b'\n', &mut line)? > 0 {
//!             self.0 += 1;
//!             line.clear();
//!         }
//!         writeln!(stream.wfile, "{} lines", self.0)?;
//!         Ok(())
//!     }
//! }
//!
//! let service = StreamService::new(Count::default).wbufsize(512);
//! ```

mod base;
mod datagram;
mod datagram_service;
mod detached;
mod keep_alive;
mod keep_alive_session;
mod life;
mod reader;
mod stash;
mod stream;
mod stream_service;
mod writer;

pub use base::{BaseFn, BaseRequestHandler, BaseService, Context, base_fn};
pub use datagram::{DatagramExchange, DatagramRequestHandler};
pub use datagram_service::{DatagramFn, DatagramService, datagram_fn};
pub use detached::Detached;
pub use keep_alive::{KeepAlive, KeepAliveHandler, Next};
pub use reader::RFile;
pub use stream::{InTurns, Stream, StreamRequestHandler};
pub use stream_service::{StreamFn, StreamService, stream_fn};
pub use writer::WFile;
