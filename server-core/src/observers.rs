//! The observers of one server: a list that only grows, so that telling them takes no lock.

use std::fmt;

use crate::concurrency::Concurrency;
use crate::job::{ServiceJob, guarded};
use crate::observer::{Event, Observer};
use crate::server::Server;
use crate::service::Service;
use crate::sync::OnceLock;
use crate::transport::Transport;

/// The observers, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Observers(OnceLock<Box<Link>>);

struct Link {
    observer: Box<dyn Observer>,
    rest: Observers,
}

impl Observers {
    pub(crate) fn add(&self, observer: Box<dyn Observer>) {
        let mut link = Box::new(Link { observer, rest: Self::default() });
        let mut list = self;
        while let Err(back) = list.0.set(link) {
            link = back;
            let Some(taken) = list.0.get() else { return };
            list = &taken.rest;
        }
    }

    /// Whether there is anybody to tell. It costs next to nothing.
    pub(crate) fn any(&self) -> bool {
        self.0.get().is_some()
    }

    /// Tells all. Says how many panicked.
    pub(crate) fn tell(&self, event: &Event<'_>) -> usize {
        let mut panics = 0;
        let mut list = self;
        while let Some(link) = list.0.get() {
            panics += usize::from(guarded(|| link.observer.event(event)).is_err());
            list = &link.rest;
        }
        panics
    }
}

impl<T, C, S> Server<T, C, S>
where
    T: Transport,
    S: Service<T::Request>,
    C: Concurrency<ServiceJob<T::Request, S>>,
{
    /// Has `observer` told what happens from now on, after those that were added before. It stays as long as the server
    /// and its handles; see [`Observer`] for when it is called. CPython has nothing like it.
    pub fn add_observer(&self, observer: impl Observer + 'static) {
        self.common.observers.add(Box::new(observer));
    }

    /// The same server with an [observer](Self::add_observer).
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        self.add_observer(observer);
        self
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("any", &self.any()).finish()
    }
}
