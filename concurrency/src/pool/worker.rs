//! What a worker of a pool does all day.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use socketserver_core::Job;

use super::settings::Settings;
use super::state::State;

/// Runs `first`, then whatever is in the queue, until there is nothing for long or the pool is closed.
pub(super) fn work<J: Job>(state: &State<J>, settings: &Settings, first: J) {
    let mut next = Some(first);
    while let Some(job) = next {
        // An exit ends the request and nothing else; a hook's panic has been counted. A job does not
        // unwind, but what it drops may: the service itself, if the server is gone.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(job.run()))) {
            // To drop it could unwind once more.
            let _ = ManuallyDrop::new(payload);
        }
        state.finished();
        next = state.next(settings.idle_timeout);
    }
}
