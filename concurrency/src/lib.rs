//! How requests run side by side: strategies behind the
//! [`Concurrency`](socketserver_core::Concurrency) contract.
//!
//! # Which one
//!
//! | strategy | for | a request runs | asks of the service |
//! |---|---|---|---|
//! | [`Synchronous`] | short requests, one client after another; a service that cannot be shared | in the loop | nothing |
//! | [`ThreadPerRequest`] | connections that live long or wait much, as many as there may be threads | in a thread of its own, new or idle | `Send + Sync + 'static` |
//! | [`ThreadPool`] | many short requests; a server that must not be overrun | in one of a limited number of threads | `Send + Sync + 'static` |
//! | [`LeaderPool`] | many connections that are kept, and are idle most of the time | in one thread, or a limited number of them while handlers block | `Send + Sync + 'static` |
//! | `RayonPool` (feature `rayon`) | requests that compute, and wait for nobody | in one of as many threads as the machine runs at once | `Send + Sync + 'static` |
//! | `Fork` (Unix) | requests that may crash, leak or change the process; code that is not thread-safe | in a child process each | nothing |
//! | `PreFork` (Unix) | the same, for many short requests: it is not a strategy but a way to serve, with any of the above in each worker | in one of a fixed number of processes | what the strategy asks |
//!
//! What each costs for a request, and what a request cannot do to the others:
//!
//! | strategy | costs | at once | too many clients | isolates |
//! |---|---|---|---|---|
//! | [`Synchronous`] | nothing | 1 | wait in the backlog | panics; a request that hangs stops all, and an exit ends the loop |
//! | [`ThreadPerRequest`] | handing over to an idle thread; starting and joining one when there is none, and its stack while it lives | no limit | more threads, until one cannot be started; that request goes to `handle_error` | panics, exits, requests that hang |
//! | [`ThreadPool`] | handing over through a queue; starting a thread only when load grows | the workers | [wait, are refused, or run in the loop](WhenFull) | panics and exits; each request that hangs holds a worker |
//! | [`LeaderPool`] | next to nothing between two requests of a connection | the threads; connections that are parked hold none | wait for a thread; new ones [wait, are refused, or run in the loop](WhenFull) | panics and exits; each request that hangs holds a thread |
//! | `RayonPool` | handing over through a queue | the threads | wait in the backlog | panics and exits; requests that wait hold up all, even with locks, see there |
//! | `Fork` | a fork, which grows with the memory of the process, and reaping a child | its `max_children` | wait in the backlog | everything: memory, crashes, exits |
//! | `PreFork` | what the strategy costs | workers times the strategy's | wait in the backlog | between workers everything; a crash costs the requests of one worker |
//!
//! Strategies of threads do not protect against a request that ends or corrupts the process: memory is shared.
//!
//! They run on Linux, macOS, FreeBSD and Windows; `Fork` and `PreFork` on Unix. Only Linux tells whether
//! forking is safe, elsewhere they have to be promised that.
//!
//! # What a strategy knows
//!
//! A strategy here knows jobs and nothing of sockets, handlers or the loop. A service that a strategy cannot
//! run does not compile with it: the job is then not `Send`.
//!
//! Closing a server waits for the requests that are in progress, without a limit of time, unless the strategy is
//! told to leave its threads alone.
//!
//! # Features
//!
//! - `rayon`: `RayonPool`.

mod contained;
#[cfg(unix)]
mod fork;
mod give_way;
mod handover;
mod join_set;
mod leader;
mod pool;
#[cfg(unix)]
mod prefork;
#[cfg(feature = "rayon")]
mod rayon_pool;
mod seat;
mod spare;
mod synchronous;
mod thread_name;
mod thread_per_request;

#[cfg(unix)]
pub use fork::{ChildExit, Fork};
pub use leader::LeaderPool;
pub use pool::{AtClose, PoolStatus, ThreadPool, WhenFull};
#[cfg(unix)]
pub use prefork::PreFork;
#[cfg(feature = "rayon")]
pub use rayon_pool::RayonPool;
pub use synchronous::Synchronous;
pub use thread_per_request::ThreadPerRequest;
