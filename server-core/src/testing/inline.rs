//! The smallest strategy: the job is run where it stands.

use crate::concurrency::{Concurrency, Dispatched, Job, Listener, Rejected};

/// Runs each request in the serving thread, and does nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl<J: Job> Concurrency<J> for Inline {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        Ok(Dispatched::Finished(job.run()))
    }
}
