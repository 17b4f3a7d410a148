//! What a server and all handles on it share, whatever the types of its three parts.

use crate::connections::{DrainHooks, Registry};
use crate::counts::Counters;
use crate::interrupt::Interrupts;
use crate::lifecycle::Lifecycle;
use crate::observer::Event;
use crate::observers::Observers;
use crate::patience::Hurry;
use crate::sync::Arc;
use crate::transport::Waker;

/// The shared part: who serves and who wants that to end, and the books.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) counters: Counters,
    pub(crate) connections: Arc<Registry>,
    pub(crate) drain_hooks: Arc<DrainHooks>,
    pub(crate) hurry: Hurry,
    pub(crate) interrupts: Interrupts,
    pub(crate) observers: Observers,
}

impl Common {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            lifecycle: Lifecycle::new(waker.clone()),
            counters: Counters::default(),
            connections: Arc::new(Registry::new(waker)),
            drain_hooks: Arc::default(),
            hurry: Hurry::default(),
            interrupts: Interrupts::default(),
            observers: Observers::default(),
        }
    }

    /// Tells the observers, if there are any; else the event is not even made.
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if self.observers.any() {
            for _ in 0..self.observers.tell(&event()) {
                self.counters.hook_panics.add();
            }
        }
    }
}
