//! Those who want to know when a drain begins: handlers that wait for something that a connection's end does not end.

use std::collections::BTreeMap;
use std::fmt;

use crate::counts::Counters;
use crate::job::guarded;
use crate::sync::{Arc, Mutex, lock};

/// What is to be called when a drain begins.
#[derive(Default)]
pub(crate) struct DrainHooks(Mutex<Hooks>);

#[derive(Default)]
struct Hooks {
    /// A drain has begun: who comes now is called at once.
    begun: bool,
    last: u64,
    waiting: BTreeMap<u64, Hook>,
}

type Hook = Box<dyn FnOnce() + Send>;

impl DrainHooks {
    /// Calls `hook` when a drain begins; now, if one has.
    pub(crate) fn add(self: &Arc<Self>, hook: impl FnOnce() + Send + 'static) -> OnDrain {
        let mut hooks = lock(&self.0);
        if hooks.begun {
            drop(hooks);
            hook();
            return OnDrain { hooks: None };
        }
        hooks.last += 1;
        let number = hooks.last;
        hooks.waiting.insert(number, Box::new(hook));
        OnDrain { hooks: Some((Arc::clone(self), number)) }
    }

    /// A drain begins: calls all of them, in the order they came, each once, whatever the others do.
    pub(crate) fn begin(&self, counters: &Counters) {
        lock(&self.0).begun = true;
        loop {
            // One by one: what is forgotten meanwhile is not called any more. And not under the lock.
            let Some((_, hook)) = lock(&self.0).waiting.pop_first() else { break };
            if guarded(hook).is_err() {
                counters.hook_panics.add();
            }
        }
    }
}

impl fmt::Debug for DrainHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainHooks").field("begun", &lock(&self.0).begun).finish_non_exhaustive()
    }
}

/// Keeps what was said to [`ServerHandle::on_drain`](crate::ServerHandle::on_drain): when this is dropped it will not be
/// called any more. If the call has begun by then, in another thread, it is not waited for.
#[must_use = "nobody is told when this is gone"]
pub struct OnDrain {
    /// `None` if it has been called already.
    hooks: Option<(Arc<DrainHooks>, u64)>,
}

impl Drop for OnDrain {
    fn drop(&mut self) {
        if let Some((hooks, number)) = &self.hooks {
            let forgotten = lock(&hooks.0).waiting.remove(number);
            // What it owned is dropped outside the lock.
            drop(forgotten);
        }
    }
}

impl fmt::Debug for OnDrain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDrain").finish_non_exhaustive()
    }
}
