//! Observers for what other programs use to look at servers: one file for each.
//!
//! An observer is given to a server with [`Server::with_observer`](crate::Server::with_observer); one of your own is a
//! closure that takes an [`Event`], or a type that implements [`Observer`].

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
mod tracing;

pub use socketserver_core::{Client, Door, DrainStage, Event, Finish, Observer, Refusal};

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;
