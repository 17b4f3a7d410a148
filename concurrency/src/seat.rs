//! Giving a job to a new thread so that it comes back if the thread cannot be started.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use socketserver_core::Rejected;

/// A job on its way to a thread.
pub(crate) struct Seated<J>(Arc<Mutex<Option<J>>>);

impl<J> Seated<J> {
    /// The job, when the thread has started.
    pub(crate) fn take(self) -> Option<J> {
        take(&self.0)
    }
}

/// Starts a thread for `job` by `spawn`.
///
/// A thread that cannot be started takes what it was given down with it; so the job is left where
/// this side can take it back.
pub(crate) fn start<J>(
    job: J,
    spawn: impl FnOnce(Seated<J>) -> io::Result<()>,
) -> Result<(), Rejected<J>> {
    let seat = Arc::new(Mutex::new(Some(job)));
    match spawn(Seated(Arc::clone(&seat))) {
        Ok(()) => Ok(()),
        // Without a job in its seat the thread has started after all.
        Err(error) => take(&seat).map_or(Ok(()), |job| Err(Rejected::new(job, error))),
    }
}

fn take<J>(seat: &Mutex<Option<J>>) -> Option<J> {
    // Nothing panics under this lock.
    seat.lock().unwrap_or_else(PoisonError::into_inner).take()
}
