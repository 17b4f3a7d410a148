//! What a server and all handles on it share, whatever the types of its three parts.

use crate::connections::Registry;
use crate::counts::Counters;
use crate::lifecycle::Lifecycle;
use crate::sync::Arc;

/// The shared part: who serves and who wants that to end, and the books.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) counters: Counters,
    pub(crate) connections: Arc<Registry>,
}

impl Common {
    pub(crate) fn new(lifecycle: Lifecycle) -> Self {
        Self { lifecycle, counters: Counters::default(), connections: Arc::default() }
    }
}
