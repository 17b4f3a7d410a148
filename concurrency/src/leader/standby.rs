//! What the one that stands by does: it looks whether those that lead are stalled, and takes over.

use std::thread;
use std::time::{Duration, Instant};

use socketserver_core::Job;

use super::worker::{Guard, Worker};

/// After so many looks at which nothing had happened it dozes.
const QUIET: u32 = 3;

/// So often it only glances at the one that leads before it looks closely. With several that lead, the progress of one hides
/// that another is stalled.
const GLANCES: u32 = 4;

/// For so long at least: it is woken when there is a reason, however soon threads are to end that have nothing to do.
const DOZE: Duration = Duration::from_secs(1);

impl<'a, J: Job + Send + 'static> Worker<'a, J> {
    /// Looks whether one that leads is stalled.
    pub(super) fn stand_by(&mut self, mut crew: Guard<'a, J>) -> (Guard<'a, J>, bool) {
        let mut quiet = 0;
        let mut stuck_at = None;
        loop {
            if crew.is_over() {
                crew.roster.leave(self.number);
                return (crew, false);
            }
            if crew.roster.standby != Some(self.number) {
                return (crew, true);
            }
            let now = Instant::now();
            let still = stuck_at == Some(self.shared.progress());
            let (stalled, nothing_new) = crew.roster.find_stalls(now, still);
            if crew.roster.leaders.is_empty()
                && crew.slots.len() == 0
                && crew.roster.bench.is_empty()
                && !stalled
            {
                // They have gone, because there is nothing to do.
                crew.roster.leave(self.number);
                return (crew, false);
            }
            if stalled && let (_, Some(waker)) = crew.keep_pace() {
                // Perhaps nobody can take over, and those who come now are to be turned away.
                drop(crew);
                waker.wake();
                crew = self.shared.lock();
            }
            if stalled || crew.roster.leaders.is_empty() {
                return (self.take_over(crew), true);
            }
            if crew.begin_put_off() {
                // The serving thread has not come to it: it is in a hook, say.
                self.shared.wake_poller();
            }
            quiet = if nothing_new { quiet + 1 } else { 0 };
            crew.roster.stalls.look(now);
            let tick = crew.roster.stalls.tick(self.shared.settings.patience);
            crew.roster.dozing = quiet >= QUIET && crew.roster.stalls.are_rare();
            let (dozing, one_leads) = (crew.roster.dozing, crew.roster.leaders.len() == 1);
            drop(crew);
            stuck_at = if dozing {
                thread::park_timeout(self.shared.settings.idle_timeout.max(DOZE));
                None
            } else {
                self.glance(tick, if one_leads { GLANCES } else { 1 })
            };
            crew = self.shared.lock();
            crew.roster.dozing = false;
        }
    }

    /// Looks so many times, at intervals, whether those that lead get on, for which it need not disturb them. Says where they
    /// are if they do not.
    fn glance(&self, tick: Duration, times: u32) -> Option<u64> {
        for _ in 0..times {
            let (begun, before) = (Instant::now(), self.shared.progress());
            while begun.elapsed() < tick {
                thread::park_timeout(tick.saturating_sub(begun.elapsed()));
                // Whoever wakes it early has a reason, or it was woken from a doze; it must not look twice for one.
                if begun.elapsed() < tick && !self.shared.is_led() {
                    return None;
                }
            }
            if self.shared.progress() == before {
                return Some(before);
            }
        }
        None
    }

    /// Leads instead of those that are stalled, or has others do so, and sees to it that somebody stands by.
    fn take_over(&mut self, mut crew: Guard<'a, J>) -> Guard<'a, J> {
        let mut called = None;
        if crew.roster.leaders.is_empty() || crew.roster.bench.is_empty() {
            crew.roster.standby = None;
            crew.roster.assign(self.number);
        } else if crew.roster.leaders.len() < crew.roster.stalls.leaders() {
            called = crew.roster.call();
        }
        if called.is_none() && crew.polling > 0 {
            // What the stalled one has heard and left is for those who poll, and so is what is due.
            self.shared.wake_poller();
        }
        let standby = crew.roster.appoint_standby();
        if crew.roster.standby.is_none() && crew.slots.len() > 0 {
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
