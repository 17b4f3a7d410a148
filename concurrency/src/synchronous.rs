//! One request after another, in the thread that serves: what CPython's servers do without a mix-in.

use socketserver_core::{Concurrency, Dispatched, Job, Listener, Rejected};

/// Runs each request in the serving thread, to its end, before the next is taken.
///
/// Nothing has to be `Send` or `'static`. A handler that waits makes all other clients wait. One that
/// [asks to exit](socketserver_core::HandlerError::exit) ends the loop.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Synchronous;

impl Synchronous {
    /// The strategy; it has no settings.
    pub const fn new() -> Self {
        Self
    }
}

impl<J: Job> Concurrency<J> for Synchronous {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        Ok(Dispatched::Finished(job.run()))
    }
}
