//! All live connections of a server, and how many requests are in progress.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::cut::CutReason;
use super::cuts::{CutCounters, Cuts};
use super::gate::Gate;
use super::info::{ConnectionId, ConnectionInfo};
use super::rate::Bucket;
use super::tally::Tally;
use super::watch::Watch;
use crate::config::ServerConfig;
use crate::deadlines::Deadlines;
use crate::request::Request;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, lock};
use crate::transport::Waker;

/// Connections are spread over so many maps, so that looking at all of them never keeps one that comes waiting for long.
/// A model has two: each more is a lock more to meet at.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };

/// The connections that are alive.
#[derive(Debug)]
pub(crate) struct Registry {
    next: AtomicU64,
    shards: [Mutex<HashMap<u64, Arc<Watch>>>; SHARDS],
    /// Requests in progress, connections or not.
    pub(crate) gate: Gate,
    /// How fast others may come.
    pub(crate) rate: Bucket,
    draining: AtomicBool,
    /// Every connection is cut, also one that comes yet.
    forced: AtomicBool,
    pub(crate) tally: Tally,
    /// Those of the connections that come from here on.
    deadlines: Mutex<Deadlines>,
    cuts: Arc<CutCounters>,
}

/// A place among the requests in progress, given up by dropping it.
#[derive(Debug)]
pub(crate) struct Place(Arc<Registry>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.gate.leave();
    }
}

/// A request in its place, and in the list if it is a connection.
pub(crate) struct Registered {
    id: ConnectionId,
    /// `None` for a request that is no connection.
    watch: Option<Arc<Watch>>,
    /// It has been served.
    served: bool,
    /// `None` for one that is turned away because there is no place. Nor is that in the list.
    place: Option<Place>,
}

impl Registered {
    /// The number of the request.
    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    /// What can be told of it, if it is a connection.
    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.watch.as_deref()
    }

    /// Somebody begins to serve it.
    pub(crate) fn begin(&self) {
        if let Some(watch) = &self.watch {
            watch.begin();
        }
    }

    /// The request is closed, and cannot be cut any more.
    pub(crate) fn left(&self) {
        if let Some(watch) = &self.watch {
            watch.leave();
        }
    }

    /// The request has been served.
    pub(crate) fn served(&mut self) {
        self.served = true;
    }
}

impl Registry {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            next: AtomicU64::new(0),
            shards: Default::default(),
            gate: Gate::new(waker.clone()),
            rate: Bucket::new(waker),
            draining: AtomicBool::new(false),
            forced: AtomicBool::new(false),
            tally: Tally::default(),
            deadlines: Mutex::default(),
            cuts: Arc::default(),
        }
    }

    pub(crate) fn set_limits(&self, config: ServerConfig) {
        self.gate.set_most(config.get_max_connections());
        self.gate.set_at_limit(config.get_at_limit());
        self.rate.set_rate(config.get_accept_rate());
        *lock(&self.deadlines) = config.get_deadlines();
    }

    pub(crate) fn cuts(&self) -> Cuts {
        self.cuts.snapshot()
    }

    /// A place for a request that is about to be accepted, if there is room.
    pub(crate) fn reserve(self: &Arc<Self>) -> Option<Place> {
        self.gate.try_enter().then(|| Place(Arc::clone(self)))
    }

    /// A request comes in, and gets its number. If it is a connection it gets its watch too.
    pub(crate) fn enter<R: Request>(
        &self,
        place: Option<Place>,
        request: &R,
        client: &R::Addr,
    ) -> Registered {
        // Only has to be different from all others.
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let watched = place.as_ref().and_then(|_| request.as_watched());
        let watch = watched.map(|_| self.add(id, Box::new(client.clone())));
        // From here on it is given up again also if the transport panics.
        let registered = Registered { id, watch, served: false, place };
        if let (Some(watched), Some(watch)) = (watched, &registered.watch) {
            watched.watched_by(watch);
        }
        registered
    }

    fn add(&self, id: ConnectionId, peer: Box<dyn fmt::Debug + Send + Sync>) -> Arc<Watch> {
        let deadlines = *lock(&self.deadlines);
        let mut shard = lock(self.shard(id));
        // The lock gives the order: `drain` and `force` set their marks before they look through the shards. So either
        // those are seen here, or the connection is seen there.
        let forced = self.forced.load(Ordering::Relaxed);
        let cuts = Arc::clone(&self.cuts);
        let watch = Arc::new(Watch::new(id, peer, self.is_draining(), deadlines, cuts));
        shard.insert(id.0, Arc::clone(&watch));
        drop(shard);
        if forced {
            // Its transport does not know it yet, and cuts it as soon as it does.
            watch.cut_counted(CutReason::Forced, |was_idle| self.tally.forced(was_idle));
        }
        watch
    }

    fn shard(&self, id: ConnectionId) -> &Mutex<HashMap<u64, Arc<Watch>>> {
        let remainder = usize::try_from(id.0 % SHARDS as u64).unwrap_or_default();
        &self.shards[remainder]
    }

    /// Whether connections are told to end as soon as they are idle.
    pub(crate) fn is_draining(&self) -> bool {
        // Where it must be seen together with the connections, their locks see to that.
        self.draining.load(Ordering::Relaxed)
    }

    /// From here on idle connections end.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        // All know before the first is ended: who sees that and then becomes idle was not when the drain began.
        let idle: Vec<_> = self.all().filter(|watch| watch.heed_drain()).collect();
        for watch in idle {
            watch.end_idle(|| self.tally.idle_ended());
        }
    }

    /// Ends every connection, also those that come yet.
    pub(crate) fn force(&self) {
        self.forced.store(true, Ordering::Relaxed);
        for watch in self.all() {
            watch.cut_counted(CutReason::Forced, |was_idle| self.tally.forced(was_idle));
        }
    }

    /// Ends one; says whether there was such a connection, and nobody had ended it.
    pub(crate) fn cut(&self, id: ConnectionId, reason: CutReason) -> bool {
        let watch = lock(self.shard(id)).get(&id.0).cloned();
        watch.is_some_and(|watch| watch.cut(reason))
    }

    /// Connections whose handlers have been at work by themselves for longer than `after`, and for how long; each is told
    /// of once, until something moves again.
    pub(crate) fn stuck(&self, after: Duration) -> impl Iterator<Item = (Arc<Watch>, Duration)> {
        self.all().filter_map(move |watch| watch.stuck(after).map(|time| (watch, time)))
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
        if let Some(place) = &self.place {
            let registry = &place.0;
            let ended = self.watch.as_ref().is_some_and(|watch| {
                lock(registry.shard(self.id)).remove(&self.id.0);
                watch.leave()
            });
            // Too late, also for one that could not be forced: no connection, or one that somebody had ended before.
            let ended = ended || registry.forced.load(Ordering::Relaxed);
            // Before its place is given up, which is what a drain waits for.
            if self.served && !ended {
                registry.tally.finished();
            }
        }
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("watch", &self.watch).finish_non_exhaustive()
    }
}
