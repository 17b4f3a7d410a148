//! What a thread of a pool that parks does: it leads, stands by, or sits.

use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use socketserver_core::{Job, Pollable, Turn};

use super::crew::Crew;
use super::member::Role;
use super::poller::{Events, News};
use super::shared::Shared;
use super::slots::Key;
use super::state_of_thread::StateOfThread;
use crate::contained::contained;

/// How long to let it be when the system cannot wait for news. That is when it is out of memory.
const A_MOMENT: Duration = Duration::from_millis(1);

pub(super) type Guard<'a, J> = MutexGuard<'a, Crew<J>>;

/// What came of a job's turn.
enum After<J> {
    Left,
    Ready(Box<J>),
    /// Up to a time, if it has one; with what the poller watches of it from now on.
    Resting(Box<J>, Option<Instant>, Option<Arc<dyn Pollable>>),
}

/// A thread at work.
pub(super) struct Worker<'a, J> {
    pub(super) shared: &'a Arc<Shared<J>>,
    pub(super) number: usize,
    events: Events,
    /// What was heard, on its way to those whom it concerns.
    heard: Vec<News>,
    /// What was watched of a job that has left, to be dropped outside the lock.
    gone: Option<(Key, Arc<dyn Pollable>)>,
    /// It has just let another one go first.
    gave_way: bool,
}

impl<'a, J: Job + Send + 'static> Worker<'a, J> {
    /// Works until there is nothing to do.
    pub(super) fn work(shared: &'a Arc<Shared<J>>) {
        let state = StateOfThread::of_current();
        let number = shared.lock().roster.join(thread::current(), state);
        let mut worker = Self {
            shared,
            number,
            events: Events::new(),
            heard: Vec::new(),
            gone: None,
            gave_way: false,
        };
        let mut crew = shared.lock();
        loop {
            let (next, stays) = match crew.roster.role(number) {
                Some(Role::Leads) => worker.lead(crew),
                Some(Role::StandsBy) => worker.stand_by(crew),
                Some(Role::Sits) => worker.sit(crew),
                Some(Role::Stalled) => (worker.return_to_work(crew), true),
                None => (crew, false),
            };
            crew = next;
            if !stays {
                break;
            }
        }
        let others = crew.roster.everybody();
        if crew.polling > 0 {
            shared.wake_poller();
        }
        drop(crew);
        // The last thing may have been done, or somebody else has to take this one's part.
        for thread in others {
            thread.unpark();
        }
    }

    /// A turn for the next job, or a look for news.
    fn lead(&mut self, mut crew: Guard<'a, J>) -> (Guard<'a, J>, bool) {
        if crew.roster.leaders.len() > crew.roster.stalls.leaders() {
            crew.roster.step_down(self.number);
            if crew.polling > 0 {
                // Who polls knows neither what this one has heard nor up to when it would have polled.
                self.shared.wake_poller();
            }
            return (self.let_go_before_rest(crew), true);
        }
        crew.ring();
        if let Some((key, job, watched)) = crew.next_ready() {
            return (self.take_turn(crew, key, job, watched), true);
        }
        if crew.is_over() {
            crew.roster.leave(self.number);
            return (crew, false);
        }
        let (soon, waker) = crew.keep_pace();
        if soon {
            drop(crew);
            if let Some(waker) = waker {
                waker.wake();
            }
            // Who slept until then would have to be woken.
            return (self.shared.give_way(|crew| !crew.ready.is_empty()), true);
        }
        // Another one who leads is at work: while he is, to be woken for each bit of news costs more than it gains. If he blocks
        // this one is there at once.
        self.gave_way = crew.roster.leaders.len() > 1 && crew.polling == 0 && !self.gave_way;
        if self.gave_way {
            drop(crew);
            return (self.shared.give_way(|crew| !crew.ready.is_empty()), true);
        }
        let idle = self.shared.settings.idle_timeout;
        let time = crew.time_to_poll(idle);
        let nobody_since = (crew.slots.len() == 0).then(Instant::now);
        crew.polling += 1;
        drop(crew);
        self.let_go();
        let Self { events, heard, .. } = self;
        let polled = match self.shared.poller.get() {
            Some(poller) => poller.wait(events, time, |news| heard.push(news)),
            None => Ok(()),
        };
        if polled.is_err() {
            thread::sleep(A_MOMENT);
        }
        let mut crew = self.shared.lock();
        crew.polling -= 1;
        for news in self.heard.drain(..) {
            crew.hear(news);
        }
        if crew.polling > 0 && crew.ready.len() > 1 {
            // Others who lead may take some of it.
            self.shared.wake_poller();
        }
        let is_long = nobody_since.is_some_and(|since| since.elapsed() >= idle);
        if is_long && crew.slots.len() == 0 {
            // Nothing to do for a long time.
            crew.roster.leave(self.number);
            return (crew, false);
        }
        (crew, true)
    }

    fn take_turn(
        &mut self,
        mut crew: Guard<'a, J>,
        key: Key,
        job: Box<J>,
        watched: bool,
    ) -> Guard<'a, J> {
        if let Some(member) = crew.roster.member(self.number) {
            member.turn += 1;
        }
        self.shared.gets_on(&mut crew);
        let standby = self.see_to_standby(&mut crew);
        // If nobody looks after it, nobody would tell the loop that it is stalled.
        let waker = if crew.roster.is_looked_after() { None } else { crew.keep_pace().1 };
        drop(crew);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(thread) = standby {
            thread.unpark();
        }
        self.let_go();
        let after = self.turn(key, job, watched);
        let mut crew = self.shared.lock();
        if let Some(member) = crew.roster.member(self.number) {
            member.turn += 1;
        }
        if crew.roster.leaders.contains(&self.number) {
            // Else others do, and that this one is done says nothing about them.
            self.shared.gets_on(&mut crew);
        }
        self.put_back(&mut crew, key, after);
        self.relieve(crew)
    }

    /// Outside the lock: what somebody else's code does there, and drops.
    fn turn(&self, key: Key, job: Box<J>, watched: bool) -> After<J> {
        // A job does not unwind, but what it drops may: the service itself, if the server is gone.
        match contained(|| job.turn()) {
            Some(Turn::Ready(job)) => After::Ready(job),
            Some(Turn::Resting(job, due)) if watched => After::Resting(job, due, None),
            Some(Turn::Resting(job, due)) => {
                let pollable = job.waits_for().filter(|it| self.shared.watch(it, key));
                if pollable.is_some() {
                    return After::Resting(job, due, pollable);
                }
                // Nobody would hear of it any more. The system is out of memory, or does not watch as many.
                contained(|| drop(job));
                After::Left
            }
            // In it may be what a hook panicked with.
            ended => {
                contained(|| drop(ended));
                After::Left
            }
        }
    }

    fn put_back(&mut self, crew: &mut Guard<'a, J>, key: Key, after: After<J>) {
        // Who leads sees to it himself. If others do by now they may be waiting for news.
        let leads = crew.roster.leaders.contains(&self.number);
        let tell = match after {
            After::Ready(job) => crew.enqueue(key, job),
            After::Resting(job, due, pollable) => self.shared.park(crew, key, job, due, pollable),
            After::Left => {
                self.gone = crew.slots.remove(key).map(|watched| (key, watched));
                // Who polls does not know for how long.
                crew.slots.len() == 0
            }
        };
        if tell && crew.polling > 0 && (!leads || crew.slots.len() == 0) {
            self.shared.wake_poller();
        }
    }

    /// Watches what has left no more. Closing it would not be enough: somebody may have a duplicate of the descriptor.
    fn let_go(&mut self) {
        if let (Some((key, pollable)), Some(poller)) = (self.gone.take(), self.shared.poller.get())
        {
            poller.remove(&pollable, key.raw());
        }
    }

    /// Sees to it that somebody looks after this thread while it is in its turn. Says whom to wake.
    fn see_to_standby(&self, crew: &mut Guard<'a, J>) -> Option<thread::Thread> {
        if crew.roster.standby.is_none() {
            let appointed = crew.roster.appoint_standby();
            if crew.roster.standby.is_none() {
                self.shared.start_another(crew);
            }
            return appointed;
        }
        if !std::mem::take(&mut crew.roster.dozing) {
            return None;
        }
        let standby = crew.roster.standby?;
        crew.roster.member(standby).map(|member| member.thread.clone())
    }

    /// It was stalled, and another leads, or nobody could.
    fn return_to_work(&mut self, mut crew: Guard<'a, J>) -> Guard<'a, J> {
        crew = self.let_go_before_rest(crew);
        crew.roster.assign(self.number);
        self.relieve(crew)
    }

    /// It may have nothing else to do for a long time.
    fn let_go_before_rest(&mut self, crew: Guard<'a, J>) -> Guard<'a, J> {
        if self.gone.is_none() {
            return crew;
        }
        drop(crew);
        self.let_go();
        self.shared.lock()
    }

    /// A turn is over: if the serving thread waits for that, it is told.
    fn relieve(&self, mut crew: Guard<'a, J>) -> Guard<'a, J> {
        if let Some(waker) = crew.relieved(&self.shared.settings) {
            drop(crew);
            waker.wake();
            return self.shared.lock();
        }
        crew
    }

    /// Waits until it is called.
    fn sit(&mut self, crew: Guard<'a, J>) -> (Guard<'a, J>, bool) {
        drop(crew);
        let since = Instant::now();
        let idle = self.shared.settings.idle_timeout;
        thread::park_timeout(idle);
        let mut crew = self.shared.lock();
        let sits = crew.roster.bench.contains(&self.number);
        if sits && (crew.is_over() || since.elapsed() >= idle) {
            crew.roster.leave(self.number);
            return (crew, false);
        }
        (crew, true)
    }
}
