//! What time it is for the serving thread: by the machine's clock, but in tests by a virtual one if the thread
//! has it. Waiting is the transport's business.

use std::time::Instant;

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
