//! The contracts and the serving loop of `socketserver`: what CPython's `BaseServer` does, in Rust.
//!
//! A server is the product of three values, each behind a contract of this crate:
//!
//! | question | contract | CPython |
//! |---|---|---|
//! | where do requests come from? | [`Transport`] | `TCPServer`, `UDPServer`, … |
//! | who runs them? | [`Concurrency`] | `ThreadingMixIn`, `ForkingMixIn` |
//! | what happens to one? | [`Service`] | the methods a subclass overrides |
//!
//! [`Server`] puts them together and has the verbs: [`serve_forever`](Server::serve_forever),
//! [`handle_request`](Server::handle_request), [`close`](Server::close). A [`ShutdownHandle`] stops
//! it from anywhere.
//!
//! This crate opens no socket, starts no thread and forks nothing; the crates
//! `socketserver-transports`, `socketserver-concurrency` and `socketserver-handlers` do. Most
//! programs depend on the facade `socketserver`, which holds them all.
//!
//! # Example
//!
//! A server over the in-memory transport of the `testing` feature:
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
//! use socketserver_core::{Handled, Server, ServerConfig};
//! use std::time::Duration;
//!
//! let transport = ScriptedTransport::new();
//! transport.script().request("hello");
//! let service = RecordingService::new();
//! let calls = service.calls();
//!
//! let config = ServerConfig::new().timeout(Duration::from_secs(1));
//! let mut server = Server::new(transport, Inline, service).with_config(config);
//! assert!(matches!(server.handle_request()?, Handled::Served));
//! assert!(matches!(server.handle_request()?, Handled::TimedOut));
//! assert_eq!(calls.hooks(), "VR FR SR CR HT");
//! # Ok::<(), socketserver_core::ServeError>(())
//! ```
//!
//! # How a server stops
//!
//! [`ShutdownHandle`] wakes the loop at once, whatever the poll interval; see its page for the rules.
//! Stopping ends the loop, [`Server::close`] closes the listener and joins the workers. Requests in
//! progress are not cut. [`Server::drain`] closes too, but within a time: idle connections end at once, busy ones
//! get until a deadline, and it says what became of all.
//!
//! # What happens to errors and panics
//!
//! An `Err` or a panic of a handler reaches [`Service::handle_error`] once, with the request still
//! open; then the request is closed; the loop goes on. [`HandlerError::exit`] stands for Python's
//! `SystemExit`. A panic in a *hook* of the service ([`verify_request`](Service::verify_request),
//! [`handle_error`](Service::handle_error), [`service_actions`](Service::service_actions),
//! [`handle_timeout`](Service::handle_timeout)) in the serving thread closes the request it was
//! about, releases everyone who waits for the loop to end, and unwinds out of the verb that was
//! called. In a worker it ends that request only.
//!
//! # Features
//!
//! - `testing`: `testing`, an in-memory transport, a recording service and a virtual clock.

mod admission;
mod alarm;
mod backoff;
mod batch;
mod builder;
mod clock;
mod common;
mod concurrency;
mod config;
mod connections;
mod counts;
mod deadlines;
mod drain;
mod draining;
mod entry;
mod error;
mod handler_error;
mod hope;
mod interrupt;
mod job;
mod lifecycle;
#[cfg(all(loom, test))]
mod models;
mod observer;
mod observers;
mod outcome;
mod overrides;
mod pass_on;
mod patience;
mod refusal;
mod report;
mod request;
mod rest;
mod serve;
mod server;
mod server_handle;
mod service;
mod serving_job;
mod shutdown;
mod source;
mod supervise;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod turn;

pub use admission::{Admission, Permit};
pub use builder::{ServerBuilder, Unset};
pub use concurrency::{
    AfterBatch, Concurrency, Dispatched, EndWorkers, Finished, Job, Listener, Rejected,
};
pub use config::{PollInterval, ServerConfig};
pub use connections::{
    AcceptRate, CallGuard, ConnectionId, ConnectionInfo, ConnectionState, CutReason, Cuts,
    Direction, IdleGuard, OnDrain, Waiting, Watch,
};
pub use counts::Counts;
pub use deadlines::{Deadline, Deadlines};
pub use drain::{Backlog, Drain, DrainReport};
pub use error::{ServeError, ShutdownError};
pub use handler_error::{BoxError, HandlerError, HandlerResult};
pub use interrupt::Interrupt;
pub use job::ServiceJob;
pub use observer::{Client, Door, DrainStage, Event, Finish, Observer};
pub use outcome::{Ended, Exit, Handled};
pub use overrides::{OnError, OnRefusal, OnServiceActions, OnTimeout, ServiceExt, Verify};
pub use patience::{Patience, WakeGuard};
pub use refusal::{AtLimit, Refusal, TurnedAway};
pub use request::{DatagramRequest, Request, StreamRequest, Watched};
pub use server::Server;
pub use server_handle::ServerHandle;
pub use service::Service;
pub use shutdown::{ShutdownHandle, StopOrder};
pub use source::Source;
pub use supervise::Supervision;
pub use transport::{Bind, GetRequestError, Readiness, Transport, Wait, Waker};
pub use turn::{Pollable, Progress, Session, Turn};
