//! Giving a job to a new thread so that it comes back if the thread cannot be started.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use socketserver_core::Rejected;

/// A job and what to do with it, on its way to a thread.
pub(crate) struct Seated<J, F> {
    seat: Arc<Mutex<Option<J>>>,
    run: F,
}

impl<J, F: FnOnce(J)> Seated<J, F> {
    pub(crate) fn run(self) {
        if let Some(job) = take(&self.seat) {
            (self.run)(job);
        }
    }
}

/// Starts a thread by `spawn`, to do `run` with `job`.
///
/// A thread that cannot be started takes what it was given down with it; so the job is left where
/// this side can take it back.
pub(crate) fn start<J, F: FnOnce(J)>(
    job: J,
    run: F,
    spawn: impl FnOnce(Seated<J, F>) -> io::Result<()>,
) -> Result<(), Rejected<J>> {
    let seat = Arc::new(Mutex::new(Some(job)));
    match spawn(Seated { seat: Arc::clone(&seat), run }) {
        Ok(()) => Ok(()),
        // Without a job in its seat the thread has started after all.
        Err(error) => take(&seat).map_or(Ok(()), |job| Err(Rejected::new(job, error))),
    }
}

fn take<J>(seat: &Mutex<Option<J>>) -> Option<J> {
    // Nothing panics under this lock.
    seat.lock().unwrap_or_else(PoisonError::into_inner).take()
}
