//! What a worker of a pool does all day.

use socketserver_core::Job;

use super::settings::Settings;
use super::state::State;
use crate::contained::contained;
use crate::handover::Bell;

/// Runs `first`, then whatever is in the queue, until there is nothing for long or the pool is closed. Its number is that
/// in its [`JoinSet`](crate::join_set::JoinSet).
pub(super) fn work<J: Job>(state: &State<J>, settings: &Settings, first: J, number: Option<u64>) {
    let bell = Bell::new(number);
    let mut next = Some(first);
    while let Some(job) = next {
        // An exit ends the request and nothing else; a hook's panic has been counted. A job does not
        // unwind, but what it drops may: the service itself, if the server is gone.
        contained(|| drop(job.run()));
        next = state.next(&bell, settings.idle_timeout);
    }
}
