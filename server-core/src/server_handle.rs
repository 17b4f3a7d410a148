//! What a handler or a hook can do with the server it belongs to.

use crate::common::Common;
use crate::counts::{Counters, Counts};
use crate::shutdown::{ShutdownHandle, StopOrder};
use crate::sync::Arc;

/// The server as a handler, a hook or another thread sees it: CPython's `self.server`. Cheap to clone.
///
/// It belongs to the run it was made in, or else to the next. A handler that outlives its run cannot
/// stop the next one by mistake.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    common: Arc<Common>,
    /// How many runs had ended when this was made.
    run: u64,
}

impl ServerHandle {
    pub(crate) fn new(common: Arc<Common>) -> Self {
        let run = common.lifecycle.runs();
        Self { common, run }
    }

    /// A handle that stops the run this one belongs to, and no other.
    #[must_use = "the handle does nothing by itself"]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::of_run(Arc::clone(&self.common), self.run)
    }

    /// Asks the server to stop after this request, and returns at once: a short form of
    /// [`ShutdownHandle::request`].
    #[expect(clippy::must_use_candidate, reason = "most callers just want it to stop")]
    pub fn request_shutdown(&self) -> StopOrder {
        self.shutdown_handle().request()
    }

    /// Whether the run this handle belongs to was asked to stop, or is over, or the server is closed.
    ///
    /// A handler with a long life looks here to end early.
    pub fn is_stopping(&self) -> bool {
        self.common.lifecycle.is_over(self.run)
    }

    /// How many requests came in and how each of them left, up to now.
    ///
    /// A client may see its connection end a moment before that is counted; what workers do is final
    /// when the server is closed.
    pub fn counts(&self) -> Counts {
        self.counters().snapshot()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.common.counters
    }
}
