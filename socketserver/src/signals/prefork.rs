//! Worker processes that serve until a signal comes.

use socketserver_concurrency::PreFork;
use socketserver_core::{Concurrency, Drain, ServeError, Server, Service, ServiceJob, Transport};

use super::course::Course;
use super::{Signalled, Signals};

/// Serving with worker processes until a signal comes; see the [module](super).
pub trait PreForkUntilSignal {
    /// Serves until the parent gets a signal; then [drains](PreFork::serve_and_drain) the workers.
    ///
    /// # Errors
    ///
    /// Those of [`PreFork::serve_and_drain`], after it has drained; and [`ServeError::Signals`].
    ///
    /// # Panics
    ///
    /// As [`PreFork::serve_and_drain`].
    fn serve_until<T, C, S>(
        &self,
        server: &mut Server<T, C, S>,
        signals: &mut Signals,
        drain: Drain,
    ) -> Result<Signalled, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>;
}

impl PreForkUntilSignal for PreFork {
    fn serve_until<T, C, S>(
        &self,
        server: &mut Server<T, C, S>,
        signals: &mut Signals,
        drain: Drain,
    ) -> Result<Signalled, ServeError>
    where
        T: Transport,
        S: Service<T::Request>,
        C: Concurrency<ServiceJob<T::Request, S>>,
    {
        let course = Course::new(server.shutdown_handle(), drain);
        let serve = |server: &mut Server<T, C, S>| self.serve_and_drain(server, drain);
        let (ended, report) = signals.attended(&course, server, serve)??;
        Ok(course.outcome(ended, report, server.counts()))
    }
}
