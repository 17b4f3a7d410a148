//! A server in the background that is drained when a signal comes.

use socketserver_core::{Drain, ServeError};

use super::course::Course;
use super::{Signalled, Signals};
use crate::Running;

impl<A: 'static> Running<A> {
    /// Waits until a signal comes, then [drains](Self::drain) the server; or until it has ended by itself. See
    /// [`signals`](super).
    ///
    /// A server that has stopped by itself, with requests in progress, is waited for, and drained when a signal comes.
    ///
    /// # Errors
    ///
    /// Those of [`drain`](Self::drain); and [`ServeError::Signals`] when the thread cannot be started that waits for signals. The
    /// server is stopped then.
    ///
    /// # Panics
    ///
    /// As for [`stop`](Self::stop).
    pub fn drain_when_signalled(
        mut self,
        signals: &mut Signals,
        drain: Drain,
    ) -> Result<Signalled, ServeError> {
        let course = Course::stopped_by(self.drainer(drain), drain);
        let handle = self.handle().clone();
        let (ended, report, counts) = signals.watched(&course, &handle, || self.wait())??;
        Ok(course.outcome(ended, report, counts))
    }
}
