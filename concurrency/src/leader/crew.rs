//! What the threads of a pool that parks share: the jobs, and who does what. One mutex guards it all; no job, no poller and
//! nobody's destructor runs under it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use socketserver_core::Waker;

use super::dues::Dues;
use super::pace::Pace;
use super::poller::News;
use super::roster::Roster;
use super::settings::Settings;
use super::slots::{Key, Place, Slots};

/// Some systems count milliseconds, and leave the rest out.
const ROUNDED: Duration = Duration::from_millis(1);

/// No job is put off for longer than for a few times that.
const SOON: Duration = Duration::from_millis(10);

/// The pool, under its mutex.
pub(super) struct Crew<J> {
    pub(super) slots: Slots<J>,
    pub(super) ready: VecDeque<Key>,
    pub(super) dues: Dues,
    pub(super) roster: Roster,
    /// How many of those that lead wait for news, up to then if anything is due.
    pub(super) polling: usize,
    /// So many turns were given since the last look for news.
    pub(super) turns_since: u32,
    pub(super) polling_until: Option<Instant>,
    /// Up to when no thread is to be started: one could not be.
    pub(super) short_until: Option<Instant>,
    pub(super) closed: bool,
    pub(super) waker: Option<Waker>,
    /// The loop found no room and wants to be told when there is some.
    pub(super) loop_waits: bool,
    pub(super) pace: Pace,
    /// Somebody was free meanwhile: one may come in, whatever he does by then.
    pub(super) promised: bool,
    /// How many jobs came when there was nobody free, and have not had a turn yet.
    pub(super) came_in_vain: usize,
    pub(super) refused: u64,
}

impl<J> Crew<J> {
    /// After so many turns somebody looks for news, even if more jobs are ready: about as many as one look can find.
    const TURNS: u32 = 128;

    pub(super) const fn new(leaders: usize) -> Self {
        Self {
            slots: Slots::new(),
            ready: VecDeque::new(),
            dues: Dues::new(),
            roster: Roster::new(leaders),
            polling: 0,
            turns_since: 0,
            polling_until: None,
            short_until: None,
            closed: false,
            waker: None,
            loop_waits: false,
            pace: Pace::new(),
            promised: false,
            came_in_vain: 0,
            refused: 0,
        }
    }

    /// There is nothing to do any more.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.slots.len() == 0
    }

    /// All are at work in handlers, and nobody more may come.
    pub(super) fn is_saturated(&self, settings: &Settings) -> bool {
        let is_short = self.short_until.is_some_and(|until| until > Instant::now());
        (self.roster.threads >= settings.max_threads || is_short) && self.roster.all_are_in_turns()
    }

    /// Whether another job may come in.
    pub(super) fn has_room(&self, settings: &Settings) -> bool {
        !self.is_saturated(settings) || self.came_in_vain < settings.queue
    }

    /// A job waits for its turn. Says whether the one that leads has to be told.
    pub(super) fn enqueue(&mut self, key: Key, job: Box<J>) -> bool {
        if let Some(entry) = self.slots.get(key) {
            entry.place = Place::Queued(job);
            self.ready.push_back(key);
        }
        self.polling > 0
    }

    /// A job rests, unless there is news of it already. Says whether the one that leads has to be told.
    pub(super) fn park(&mut self, key: Key, job: Box<J>, due: Option<Instant>) -> bool {
        let Some(entry) = self.slots.get(key) else { return false };
        if entry.news > 0 {
            entry.news -= 1;
            // Its next turn begins with a receive.
            return self.enqueue(key, job);
        }
        entry.place = Place::Resting(job);
        entry.due = due;
        let is_next = self.dues.set(key, entry);
        let Self { dues, slots, .. } = self;
        dues.forget(slots.len(), |time, key| {
            slots.get(key).is_some_and(|entry| entry.alarm == Some(time))
        });
        is_next && self.polling > 0 && self.polling_until.is_none_or(|until| due < Some(until))
    }

    /// Something was heard of a connection.
    pub(super) fn hear(&mut self, news: News) {
        let key = Key::from_raw(news.key);
        let Some(entry) = self.slots.get(key) else { return };
        // One turn finds what has come, one more what may be behind it.
        let behind = u8::from(news.has_end);
        if entry.rouse() {
            entry.news = behind;
            self.ready.push_back(key);
        } else {
            // The turn that it has, or is about to have, may be past its receive.
            entry.news = entry.news.max(1 + behind);
        }
    }

    /// Looks after those that rest.
    pub(super) fn ring(&mut self) {
        if self.dues.next().is_none() {
            return;
        }
        let now = Instant::now();
        while let Some(alarm) = self.dues.ring(now) {
            let (_, key) = alarm;
            let Some(entry) = self.slots.get(key) else { continue };
            if self.dues.look(alarm, entry) {
                self.ready.push_back(key);
            }
        }
    }

    /// The next job to have its turn, and whether it is watched.
    pub(super) fn next_ready(&mut self) -> Option<(Key, Box<J>, bool)> {
        // Those who always have something to do must not keep the others from being heard.
        if self.turns_since >= Self::TURNS {
            return None;
        }
        self.turns_since += 1;
        while let Some(key) = self.ready.pop_front() {
            let Some(entry) = self.slots.get(key) else { continue };
            if let Place::Queued(job) = std::mem::replace(&mut entry.place, Place::Out) {
                let watched = entry.watched.is_some();
                let in_vain = usize::from(std::mem::take(&mut entry.in_vain));
                self.came_in_vain = self.came_in_vain.saturating_sub(in_vain);
                return Some((key, job, watched));
            }
        }
        None
    }

    /// How long to poll: not at all if somebody waits for his turn.
    pub(super) fn time_to_poll(&mut self, idle: Duration) -> Option<Duration> {
        self.turns_since = 0;
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        // Who came in vain and has not said anything yet takes no place from those who do.
        self.came_in_vain = 0;
        self.polling_until = self.dues.next();
        let until = self
            .polling_until
            .map(|until| until.saturating_duration_since(Instant::now()) + ROUNDED);
        if self.slots.len() == 0 { Some(idle.saturating_add(ROUNDED)) } else { until }
    }

    /// A new job is ready while others poll. Says whether they have to be told now, or the job may begin together with the next
    /// ones: somebody has to see that it does if the serving thread is kept from it, by a hook say.
    pub(super) fn put_off(&mut self, patience: Duration) -> bool {
        let is_seen = patience <= SOON && self.roster.standby.is_some() && !self.roster.dozing;
        if is_seen {
            self.pace.put_off();
        }
        !is_seen
    }

    /// What was put off begins. Says whether those who poll have to be told.
    pub(super) fn begin_put_off(&mut self) -> bool {
        self.pace.take_put_off() && self.polling > 0 && !self.ready.is_empty()
    }

    /// The serving thread has handed over what there was. Says whether those who poll have to be told; and whether there is so
    /// much to do that it had better not wait for more by itself.
    pub(super) fn batch_ends(&mut self) -> (bool, bool) {
        let tell = self.begin_put_off();
        let at_work = self.polling == 0 && !self.roster.leaders.is_empty();
        let busy = (at_work || (tell && self.ready.len() > 1)) && self.roster.is_looked_after();
        if busy {
            self.pace.gives_way();
        }
        (tell, busy)
    }

    /// Those that lead have nothing to do. Says whether there soon is something, because the loop goes on; and who is to be
    /// told so, if it sleeps.
    pub(super) fn keep_pace(&mut self) -> (bool, Option<Waker>) {
        let (soon, sleeps) = self.pace.catch_up();
        (soon, self.waker.clone().filter(|_| sleeps))
    }

    /// A turn is over. Says who is to be told that somebody is free again.
    pub(super) fn relieved(&mut self, settings: &Settings) -> Option<Waker> {
        if !self.loop_waits || self.is_saturated(settings) {
            return None;
        }
        (self.loop_waits, self.promised) = (false, true);
        self.waker.clone()
    }
}
