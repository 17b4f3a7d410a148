//! Models for `cargo xtask loom`: a few threads that do to a part of this crate what a server does to it, in every order
//! in which they can meet. A model that cannot go on, because a wake was lost, fails by itself.

#![expect(clippy::unwrap_used, reason = "in a model it is an assertion")]

mod counts;
mod drain;
mod lifecycle;
mod limit;

use loom::model::Builder;
use loom::thread::JoinHandle;

use crate::sync::{Arc, Condvar, Mutex, lock, wait};
use crate::transport::Waker;

/// Runs `model` in every order, as long as no thread is interrupted more often than `LOOM_MAX_PREEMPTIONS` says: twice,
/// unless it says otherwise. Nearly every fault shows with two.
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}

/// What a transport's wait is to the loop: it sleeps until it is woken, now or before.
#[derive(Default)]
pub(crate) struct Port {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Port {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        let port = Arc::clone(self);
        Waker::new(move || {
            *lock(&port.woken) = true;
            port.changed.notify_all();
        })
    }

    pub(crate) fn wait(&self) {
        let mut woken = lock(&self.woken);
        while !std::mem::take(&mut *woken) {
            woken = wait(&self.changed, woken);
        }
    }
}

/// What each of these threads gave.
pub(crate) fn joined<R, const N: usize>(threads: [JoinHandle<R>; N]) -> [R; N] {
    threads.map(|thread| thread.join().unwrap())
}
