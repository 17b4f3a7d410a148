//! What the threads of a pool that parks share: the jobs, and who does what. One mutex guards it all; no job, no poller and
//! nobody's destructor runs under it.

use std::collections::VecDeque;
use std::thread::Thread;
use std::time::{Duration, Instant};

use socketserver_core::Waker;

use super::dues::Dues;
use super::member::{Member, Role};
use super::poller::News;
use super::settings::Settings;
use super::slots::{Key, Place, Slots};
use super::stalls::Stalls;
use super::state_of_thread::StateOfThread;

/// Some systems count milliseconds, and leave the rest out.
const ROUNDED: Duration = Duration::from_millis(1);

/// The pool, under its mutex.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Crew<J> {
    pub(super) slots: Slots<J>,
    pub(super) ready: VecDeque<Key>,
    pub(super) dues: Dues,
    /// By number; `None` for one that has gone.
    pub(super) members: Vec<Option<Member>>,
    pub(super) leaders: Vec<usize>,
    pub(super) stalls: Stalls,
    pub(super) standby: Option<usize>,
    /// The last one is the next to be called.
    pub(super) bench: Vec<usize>,
    /// How many threads there are, or will be in a moment; and how many of them have not come yet.
    pub(super) threads: usize,
    pub(super) coming: usize,
    pub(super) started: u64,
    /// How many of those that lead wait for news, up to then if anything is due.
    pub(super) polling: usize,
    /// So many turns were given since the last look for news.
    pub(super) turns_since: u32,
    pub(super) polling_until: Option<Instant>,
    /// The one that stands by sleeps, because nothing happened for a while.
    pub(super) dozing: bool,
    /// Up to when no thread is to be started: one could not be.
    pub(super) short_until: Option<Instant>,
    pub(super) closed: bool,
    pub(super) waker: Option<Waker>,
    /// The loop found no room and wants to be told when there is some.
    pub(super) loop_waits: bool,
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
            members: Vec::new(),
            leaders: Vec::new(),
            stalls: Stalls::new(leaders),
            standby: None,
            bench: Vec::new(),
            threads: 0,
            coming: 0,
            started: 0,
            polling: 0,
            turns_since: 0,
            polling_until: None,
            dozing: false,
            short_until: None,
            closed: false,
            waker: None,
            loop_waits: false,
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
        (self.threads >= settings.max_threads || is_short)
            && self.coming == 0
            && self.members.iter().flatten().all(Member::is_in_turn)
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

    pub(super) fn member(&mut self, number: usize) -> Option<&mut Member> {
        self.members.get_mut(number).and_then(Option::as_mut)
    }

    /// A new thread takes its place.
    pub(super) fn join(&mut self, thread: Thread, state: StateOfThread) -> usize {
        self.coming -= 1;
        let member = Member { thread, turn: 0, seen: 0, looks: 0, state };
        let free = self.members.iter().position(Option::is_none);
        let number = free.unwrap_or(self.members.len());
        if free.is_none() {
            self.members.push(None);
        }
        self.members[number] = Some(member);
        self.assign(number);
        number
    }

    /// What a thread does; `None` if it has left.
    pub(super) fn role(&self, number: usize) -> Option<Role> {
        self.members[number].as_ref()?;
        Some(if self.leaders.contains(&number) {
            Role::Leads
        } else if self.standby == Some(number) {
            Role::StandsBy
        } else if self.bench.contains(&number) {
            Role::Sits
        } else {
            Role::Stalled
        })
    }

    /// Finds something to do for a thread that has nothing.
    pub(super) fn assign(&mut self, number: usize) {
        if self.leaders.len() < self.stalls.leaders() {
            self.leaders.push(number);
        } else if self.standby.is_none() {
            self.standby = Some(number);
        } else {
            self.bench.push(number);
        }
    }

    /// A thread leaves for good. Those that are left are told if that was the last thing to do.
    pub(super) fn leave(&mut self, number: usize) {
        self.members[number] = None;
        self.threads -= 1;
        self.leaders.retain(|leader| *leader != number);
        self.standby = self.standby.filter(|standby| *standby != number);
        self.bench.retain(|sitting| *sitting != number);
    }

    /// Calls somebody from the bench; says who is to be woken, if there is anybody.
    pub(super) fn call(&mut self) -> Option<Thread> {
        let number = self.bench.pop()?;
        self.assign(number);
        self.member(number).map(|member| member.thread.clone())
    }

    /// One of those that lead is not needed as such any more.
    pub(super) fn step_down(&mut self, number: usize) {
        self.leaders.retain(|leader| *leader != number);
        self.assign(number);
    }

    /// The leaders that are stalled are none any more. Says whether there were any; and whether nothing has happened since this
    /// was last asked.
    pub(super) fn find_stalls(&mut self, now: Instant) -> (bool, bool) {
        let Self { leaders, members, stalls, .. } = self;
        let before = leaders.len();
        let mut nothing_new = true;
        leaders.retain(|leader| {
            let Some(member) = members[*leader].as_mut() else { return false };
            nothing_new &= member.seen == member.turn && !member.is_in_turn();
            if member.is_stalled() {
                stalls.found(now);
                return false;
            }
            true
        });
        (leaders.len() < before, nothing_new)
    }

    /// Calls somebody from the bench to stand by; says who is to be woken, if there is anybody.
    pub(super) fn appoint_standby(&mut self) -> Option<Thread> {
        self.standby.is_none().then(|| self.call()).flatten()
    }

    /// All threads look for themselves what there is to do.
    pub(super) fn everybody(&self) -> Vec<Thread> {
        self.members.iter().flatten().map(|member| member.thread.clone()).collect()
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
