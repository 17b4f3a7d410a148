//! All live connections of a server, and how many requests are in progress.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use super::info::{ConnectionId, ConnectionInfo};
use super::watch::{Cut, CutReason, Watch};
use crate::request::Request;
use crate::sync::{Arc, AtomicBool, AtomicU64, Condvar, Mutex, Ordering, lock, wait, wait_timeout};

/// Connections are spread over so many maps, so that looking at all of them never keeps one that comes waiting for long.
const SHARDS: usize = 16;

/// The connections that are alive.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    next: AtomicU64,
    shards: [Mutex<HashMap<u64, Arc<Watch>>>; SHARDS],
    /// Requests in progress, connections or not.
    live: Mutex<usize>,
    fewer: Condvar,
    draining: AtomicBool,
}

/// A request's place among those in progress, given up by dropping it.
pub(crate) struct Registered {
    registry: Arc<Registry>,
    /// `None` for a request that is no connection.
    id: Option<ConnectionId>,
}

impl Registry {
    /// A request comes in. If it is a connection it gets its watch.
    pub(crate) fn enter<R: Request>(self: &Arc<Self>, request: &R, client: &R::Addr) -> Registered {
        *lock(&self.live) += 1;
        let id = request.as_watched().map(|watched| {
            // Only has to be different from all others.
            let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
            let mut shard = lock(self.shard(id));
            // The lock gives the order: `drain` sets the mark before it looks through the shards. So either it is seen
            // here, or the connection is seen there.
            let draining = self.is_draining();
            let watch = Arc::new(Watch::new(id, Box::new(client.clone()), draining));
            shard.insert(id.0, Arc::clone(&watch));
            drop(shard);
            watched.watched_by(&watch);
            id
        });
        Registered { registry: Arc::clone(self), id }
    }

    fn shard(&self, id: ConnectionId) -> &Mutex<HashMap<u64, Arc<Watch>>> {
        // The remainder is less than the number of shards, so it fits.
        &self.shards[(id.0 % SHARDS as u64) as usize]
    }

    /// Requests in progress.
    pub(crate) fn live(&self) -> usize {
        *lock(&self.live)
    }

    /// Waits until no more than `most` requests are in progress; says whether that came before the deadline.
    pub(crate) fn wait_until(&self, most: usize, deadline: Option<Instant>) -> bool {
        let mut live = lock(&self.live);
        while *live > most {
            live = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => wait(&self.fewer, live),
                Some(left) if left.is_zero() => return false,
                Some(left) => wait_timeout(&self.fewer, live, left),
            };
        }
        true
    }

    /// Whether connections are told to end as soon as they are idle.
    pub(crate) fn is_draining(&self) -> bool {
        // Where it must be seen together with the connections, their locks see to that.
        self.draining.load(Ordering::Relaxed)
    }

    /// From here on idle connections end. Says how many did at once.
    pub(crate) fn drain(&self) -> usize {
        self.draining.store(true, Ordering::Relaxed);
        self.all().filter(|watch| watch.drain()).count()
    }

    /// Ends every connection; says how many it were, and how many of these had been ended as idle ones are.
    pub(crate) fn cut_all(&self, reason: CutReason) -> (usize, usize) {
        let (mut ended, mut harder) = (0, 0);
        for watch in self.all() {
            let cut = watch.cut(reason);
            ended += usize::from(cut != Cut::Before);
            harder += usize::from(cut == Cut::Harder);
        }
        (ended, harder)
    }

    /// Ends one; says whether there was such a connection, and nobody had ended it.
    pub(crate) fn cut(&self, id: ConnectionId, reason: CutReason) -> bool {
        let watch = lock(self.shard(id)).get(&id.0).cloned();
        watch.is_some_and(|watch| watch.cut(reason) != Cut::Before)
    }

    /// All live connections, oldest first.
    pub(crate) fn list(&self) -> Vec<ConnectionInfo> {
        let mut all: Vec<_> = self.all().map(|watch| watch.info()).collect();
        all.sort_unstable_by_key(|info| info.id);
        all
    }

    /// Those of one shard after those of the other; no lock is held while they are looked at.
    fn all(&self) -> impl Iterator<Item = Arc<Watch>> {
        self.shards.iter().flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            lock(self.registry.shard(id)).remove(&id.0);
        }
        *lock(&self.registry.live) -= 1;
        self.registry.fewer.notify_all();
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("id", &self.id).finish_non_exhaustive()
    }
}
