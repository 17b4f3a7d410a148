//! What an observer was told of a server, to be compared with what that counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use socketserver::Counts;
use socketserver::observe::{Event, Observer};

/// How often something was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    accepted: AtomicU64,
    started: AtomicU64,
    refused: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    cut: AtomicU64,
}

impl Told {
    /// An observer that notes what it is told here.
    pub(crate) fn observer(self: &Arc<Self>) -> impl Observer + use<> {
        let told = Arc::clone(self);
        move |event: &Event<'_>| {
            let count = match event {
                Event::Accepted(_) => &told.accepted,
                Event::Started(_) => &told.started,
                Event::Refused(..) => &told.refused,
                Event::Failed(..) | Event::Panicked(..) => &told.failed,
                Event::Finished(_, finish) => {
                    told.cut.fetch_add(u64::from(finish.cut.is_some()), Ordering::Relaxed);
                    &told.finished
                }
                _ => return,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether that is what the server counted, of which nothing is in progress any more, and which has cut so many
    /// connections.
    pub(crate) fn agrees(&self, counts: &Counts, cuts: u64) -> bool {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let ran = counts.served + counts.detached;
        let refused = counts.refused + counts.overloaded + counts.turned_away.total();
        let cut = get(&self.cut);
        get(&self.accepted) == counts.accepted
            && get(&self.started) == ran
            && get(&self.finished) == ran + counts.unserved + counts.handed_over
            && get(&self.refused) == refused
            && get(&self.failed) == counts.errors
            // Of one that was refused nobody tells that it had been cut before.
            && cut <= cuts
            && cuts <= cut + refused
    }
}
