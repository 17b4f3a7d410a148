//! What a worker of a pool does all day.

use socketserver_core::Job;

use super::settings::Settings;
use super::state::State;
use crate::contained::contained;

/// Runs `first`, then whatever is in the queue, until there is nothing for long or the pool is closed.
pub(super) fn work<J: Job>(state: &State<J>, settings: &Settings, first: J) {
    let mut next = Some(first);
    while let Some(job) = next {
        // An exit ends the request and nothing else; a hook's panic has been counted. A job does not
        // unwind, but what it drops may: the service itself, if the server is gone.
        contained(|| drop(job.run()));
        state.finished();
        next = state.next(settings.idle_timeout);
    }
}
