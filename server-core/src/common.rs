//! What a server and all handles on it share, whatever the types of its three parts.

use crate::connections::Registry;
use crate::counts::Counters;
use crate::lifecycle::Lifecycle;
use crate::sync::Arc;
use crate::transport::Waker;

/// The shared part: who serves and who wants that to end, and the books.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) counters: Counters,
    pub(crate) connections: Arc<Registry>,
}

impl Common {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            lifecycle: Lifecycle::new(waker.clone()),
            counters: Counters::default(),
            connections: Arc::new(Registry::new(waker)),
        }
    }
}
