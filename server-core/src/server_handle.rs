//! What a handler or a hook can do with the server it belongs to.

use crate::common::Common;
use crate::counts::{Counters, Counts};
use crate::shutdown::{ShutdownHandle, StopOrder};
use crate::sync::Arc;

/// The server as a handler, a hook or another thread sees it: CPython's `self.server`. Cheap to clone.
///
/// It belongs to the run it was made in, or else to the next; see [`ShutdownHandle`] for what that
/// means for a stop. A handler that outlives its run cannot stop the next one by mistake.
#[derive(Clone, Debug)]
pub struct ServerHandle(ShutdownHandle);

impl ServerHandle {
    pub(crate) fn new(common: Arc<Common>) -> Self {
        Self(ShutdownHandle::new(common))
    }

    /// The handle that stops this server.
    pub fn shutdown_handle(&self) -> &ShutdownHandle {
        &self.0
    }

    /// Asks the server to stop after this request, and returns at once: a short form of
    /// [`ShutdownHandle::request`].
    #[expect(clippy::must_use_candidate, reason = "most callers just want it to stop")]
    pub fn request_shutdown(&self) -> StopOrder {
        self.0.request()
    }

    /// Whether the run this handle belongs to was asked to stop, or is over, or the server is closed.
    ///
    /// A handler with a long life looks here to end early.
    pub fn is_stopping(&self) -> bool {
        self.0.is_over()
    }

    /// How many requests came in and how each of them left, up to now.
    ///
    /// A client may see its connection end a moment before that is counted; what workers do is final
    /// when the server is closed.
    pub fn counts(&self) -> Counts {
        self.counters().snapshot()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.common.counters
    }
}
