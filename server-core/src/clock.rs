//! What time it is for the serving thread, and how it sleeps: by the machine's clock, but in tests by a
//! virtual one if the thread has it. Waiting for requests is the transport's business.

use std::time::{Duration, Instant};

use crate::sync::{self, Condvar, MutexGuard};
#[cfg(feature = "testing")]
use crate::testing::clock as virtual_clock;

/// Now.
pub(crate) fn now() -> Instant {
    #[cfg(feature = "testing")]
    if let Some(now) = virtual_clock::now() {
        return now;
    }
    Instant::now()
}

/// Waits on `condvar` for at most `timeout`. In virtual time that is over at once, and nobody else gets
/// the lock meanwhile.
pub(crate) fn wait_timeout<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> MutexGuard<'a, T> {
    #[cfg(feature = "testing")]
    if let Some(end) = virtual_clock::end_of_sleep(timeout) {
        virtual_clock::advance_to(end);
        return guard;
    }
    sync::wait_timeout(condvar, guard, timeout)
}
