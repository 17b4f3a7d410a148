//! Observers for what other programs use to look at servers: one file for each.
//!
//! An observer is given to a server with [`Server::with_observer`](crate::Server::with_observer); one of your own is a
//! closure that takes an [`Event`], or a type that implements [`Observer`].

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
#[cfg_attr(
    all(windows, target_env = "gnu"),
    expect(
        clippy::missing_const_for_thread_local,
        reason = "it is const; what the macro makes of it on this target hides that from the lint"
    )
)]
mod tracing;

pub use socketserver_core::{Client, Door, DrainStage, Event, Finish, Observer, Refusal};

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;
