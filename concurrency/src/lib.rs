//! How requests run side by side: strategies behind the
//! [`Concurrency`](socketserver_core::Concurrency) contract.
//!
//! # Which one
//!
//! | strategy | a request runs | asks of the service | for |
//! |---|---|---|---|
//! | [`Synchronous`] | in the loop, one after another | nothing | short requests; services that cannot be shared |
//! | [`ThreadPerRequest`] | in a thread of its own | `Send + Sync + 'static` | connections that live long, as many as there may be threads |
//!
//! A strategy here knows jobs and nothing of sockets, handlers or the loop. A service that a strategy cannot
//! run does not compile with it: the job is then not `Send`.
//!
//! Neither of them limits how many requests run at once.

#[cfg(unix)]
mod fork;
mod join_set;
mod pool;
#[cfg(feature = "rayon")]
mod rayon_pool;
mod seat;
mod synchronous;
mod thread_name;
mod thread_per_request;

#[cfg(unix)]
pub use fork::{ChildExit, Fork};
pub use pool::{AtClose, PoolStatus, ThreadPool, WhenFull};
#[cfg(feature = "rayon")]
pub use rayon_pool::RayonPool;
pub use synchronous::Synchronous;
pub use thread_per_request::ThreadPerRequest;
