//! Something that the serving thread attends to while it waits: for programs that must not have another thread for it.

use std::fmt;

use crate::concurrency::Concurrency;
use crate::job::ServiceJob;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::source::Source;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, lock};
use crate::transport::Transport;

/// Something besides requests that wakes a serving thread, and what it then does: looks who sent a signal, say, and stops
/// the server.
///
/// A program with threads has no need of this: there a thread can wait for whatever it is and use a
/// [`ServerHandle`]. It is for servers that [fork](Concurrency::forks), which must not have another thread.
///
/// It is attended to in the waits for requests and in those of a drain for processes; not while a handler runs in the
/// serving thread, nor while a drain waits for threads. A transport of your own has to watch [`Wait::get_interrupt`](crate::Wait::get_interrupt) for it.
pub trait Interrupt {
    /// Becomes readable when there is something to attend to.
    fn source(&self) -> Source<'_>;

    /// Called in the serving thread, after each of its waits. It must not block; and if the source is readable it must not
    /// stay so.
    fn attend(&self, server: &ServerHandle);
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Has the serving thread attend to something while it waits; `None` ends that. There is nothing by default.
    pub fn set_interrupt(&mut self, interrupt: Option<Arc<dyn Interrupt + Send + Sync>>) {
        self.common.interrupts.set(interrupt);
    }
}

/// What the serving thread attends to, if anything.
#[derive(Default)]
pub(crate) struct Interrupts {
    /// There is something: if not, there is nothing to look for.
    any: AtomicBool,
    interrupt: Mutex<Option<Arc<dyn Interrupt + Send + Sync>>>,
}

impl Interrupts {
    pub(crate) fn set(&self, interrupt: Option<Arc<dyn Interrupt + Send + Sync>>) {
        let before = {
            let mut place = lock(&self.interrupt);
            // Who serves has the server to itself, so it is not set meanwhile, and no order is needed.
            self.any.store(interrupt.is_some(), Ordering::Relaxed);
            std::mem::replace(&mut *place, interrupt)
        };
        // What it owned is dropped outside the lock.
        drop(before);
    }

    /// What there is now, for a wait of the server's thread.
    pub(crate) fn attending<'a>(&self, server: &'a ServerHandle) -> Attending<'a> {
        let any = self.any.load(Ordering::Relaxed);
        let interrupt = if any { lock(&self.interrupt).clone() } else { None };
        Attending { interrupt, server }
    }
}

impl fmt::Debug for Interrupts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupts").field("any", &lock(&self.interrupt).is_some()).finish()
    }
}

/// What the serving thread attends to during one wait.
pub(crate) struct Attending<'a> {
    interrupt: Option<Arc<dyn Interrupt + Send + Sync>>,
    server: &'a ServerHandle,
}

impl Attending<'_> {
    pub(crate) fn source(&self) -> Option<Source<'_>> {
        self.interrupt.as_ref().map(|interrupt| interrupt.source())
    }

    pub(crate) fn attend(&self) {
        if let Some(interrupt) = &self.interrupt {
            interrupt.attend(self.server);
        }
    }
}
