//! What the one that stands by does: it looks whether those that lead are stalled, and takes over.

use std::thread;
use std::time::{Duration, Instant};

use socketserver_core::Job;

use super::worker::{Guard, Worker};

/// After so many looks at which nothing had happened it dozes.
const QUIET: u32 = 3;

/// For so long at least: it is woken when there is a reason, however soon threads are to end that have nothing to do.
const DOZE: Duration = Duration::from_secs(1);

impl<'a, J: Job + Send + 'static> Worker<'a, J> {
    /// Looks whether one that leads is stalled.
    pub(super) fn stand_by(&mut self, mut crew: Guard<'a, J>) -> (Guard<'a, J>, bool) {
        let mut quiet = 0;
        loop {
            if crew.is_over() {
                crew.leave(self.number);
                return (crew, false);
            }
            if crew.standby != Some(self.number) {
                return (crew, true);
            }
            let now = Instant::now();
            let (stalled, nothing_new) = crew.find_stalls(now);
            if crew.leaders.is_empty() && crew.slots.len() == 0 && crew.bench.is_empty() && !stalled
            {
                // They have gone, because there is nothing to do.
                crew.leave(self.number);
                return (crew, false);
            }
            if stalled || crew.leaders.is_empty() {
                return (self.take_over(crew), true);
            }
            quiet = if nothing_new { quiet + 1 } else { 0 };
            crew.stalls.look(now);
            let tick = crew.stalls.tick(self.shared.settings.patience);
            crew.dozing = quiet >= QUIET && crew.stalls.are_rare();
            let dozing = crew.dozing;
            drop(crew);
            if dozing {
                thread::park_timeout(self.shared.settings.idle_timeout.max(DOZE));
            } else {
                // Whoever wakes it early has a reason, or it was woken from a doze; it must not look twice for one.
                while now.elapsed() < tick && self.shared.is_led() {
                    thread::park_timeout(tick.saturating_sub(now.elapsed()));
                }
            }
            crew = self.shared.lock();
            crew.dozing = false;
        }
    }

    /// Leads instead of those that are stalled, or has others do so, and sees to it that somebody stands by.
    fn take_over(&mut self, mut crew: Guard<'a, J>) -> Guard<'a, J> {
        let mut called = None;
        if crew.leaders.is_empty() || crew.bench.is_empty() {
            crew.standby = None;
            crew.assign(self.number);
        } else if crew.leaders.len() < crew.stalls.leaders() {
            called = crew.call();
        }
        if called.is_none() && crew.polling > 0 {
            // What the stalled one has heard and left is for those who poll, and so is what is due.
            self.shared.wake_poller();
        }
        let standby = crew.appoint_standby();
        if crew.standby.is_none() && crew.slots.len() > 0 {
            self.shared.start_another(&mut crew);
        }
        if called.is_none() && standby.is_none() {
            return crew;
        }
        drop(crew);
        for thread in called.into_iter().chain(standby) {
            thread.unpark();
        }
        self.shared.lock()
    }
}
