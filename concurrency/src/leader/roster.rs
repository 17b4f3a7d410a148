//! The threads of a pool that parks, and what each of them does.

use std::thread::Thread;
use std::time::Instant;

use super::member::{Member, Role};
use super::stalls::Stalls;
use super::state_of_thread::StateOfThread;

/// Who there is.
pub(super) struct Roster {
    /// By number; `None` for one that has gone.
    members: Vec<Option<Member>>,
    pub(super) leaders: Vec<usize>,
    pub(super) stalls: Stalls,
    pub(super) standby: Option<usize>,
    /// The last one is the next to be called.
    pub(super) bench: Vec<usize>,
    /// How many threads there are, or will be in a moment; and how many of them have not come yet.
    pub(super) threads: usize,
    pub(super) coming: usize,
    pub(super) started: u64,
    /// The one that stands by sleeps, because nothing happened for a while.
    pub(super) dozing: bool,
}

impl Roster {
    pub(super) const fn new(leaders: usize) -> Self {
        Self {
            members: Vec::new(),
            leaders: Vec::new(),
            stalls: Stalls::new(leaders),
            standby: None,
            bench: Vec::new(),
            threads: 0,
            coming: 0,
            started: 0,
            dozing: false,
        }
    }

    /// Somebody looks whether those that lead are stalled, or will in a moment.
    pub(super) const fn is_looked_after(&self) -> bool {
        self.standby.is_some() || self.coming > 0
    }

    /// Nobody is free, nor on his way.
    pub(super) fn all_are_in_turns(&self) -> bool {
        self.coming == 0 && self.members.iter().flatten().all(Member::is_in_turn)
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
    /// was last asked. They are known to `still` be in the turns in which they were for as long as one waits to ask again, or
    /// in none.
    pub(super) fn find_stalls(&mut self, now: Instant, still: bool) -> (bool, bool) {
        let Self { leaders, members, stalls, .. } = self;
        let before = leaders.len();
        let mut nothing_new = true;
        leaders.retain(|leader| {
            let Some(member) = members[*leader].as_mut() else { return false };
            if still && member.seen != member.turn {
                (member.seen, member.looks) = (member.turn, 0);
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_one_turn_took_says_nothing_about_the_next() {
        let mut roster = Roster::new(1);
        roster.coming = 1;
        // It is at work, as the one that asks is.
        let number = roster.join(std::thread::current(), StateOfThread::of_current());
        let turn = |roster: &mut Roster, turn| roster.member(number).unwrap().turn = turn;
        turn(&mut roster, 1);
        // What is not over after so many looks is too long if nobody tells what a thread does.
        let mut looks = 0;
        while looks < 9 && !roster.find_stalls(Instant::now(), false).0 {
            looks += 1;
        }
        turn(&mut roster, 3);
        let waits = cfg!(not(any(target_os = "linux", target_os = "android")));
        assert_eq!(roster.find_stalls(Instant::now(), true).0, waits);
    }
}
