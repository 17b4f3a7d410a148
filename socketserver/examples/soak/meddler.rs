//! What is done to a server while it serves: limits, suspending, lists, ending connections.

use std::thread;
use std::time::Instant;

use socketserver::{AcceptRate, ServerHandle};

use crate::books::left;
use crate::random::Random;

/// What was done, how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meddled {
    pub(crate) limits: u64,
    pub(crate) suspended: u64,
    pub(crate) lists: u64,
    /// Connections that somebody ended.
    pub(crate) ended: u64,
    /// The most connections at a time that were seen.
    pub(crate) most: usize,
}

impl Meddled {
    pub(crate) fn add(&mut self, other: &Self) {
        self.limits += other.limits;
        self.suspended += other.suspended;
        self.lists += other.lists;
        self.ended += other.ended;
        self.most = self.most.max(other.most);
    }

    /// Goes on up to `end`; nothing is suspended then. Says what was seen that cannot be.
    pub(crate) fn meddle(
        &mut self,
        server: &ServerHandle,
        random: &mut Random,
        end: Instant,
    ) -> Result<(), String> {
        while Instant::now() < end {
            match random.number(0..10) {
                0..3 => {
                    let most = random.number(1..9);
                    server.set_max_connections((most < 8).then_some(most));
                    self.limits += 1;
                }
                3 => {
                    let rate = AcceptRate::one_per(random.millis(1..20)).burst(5);
                    server.set_accept_rate(random.percent(50).then_some(rate));
                    self.limits += 1;
                }
                4 => {
                    server.suspend();
                    thread::sleep(random.millis(0..15));
                    server.resume();
                    self.suspended += 1;
                }
                5..8 => self.list(server, random)?,
                _ => thread::sleep(random.millis(0..30)),
            }
            thread::sleep(random.millis(0..4));
        }
        server.set_max_connections(None);
        server.set_accept_rate(None);
        Ok(())
    }

    fn list(&mut self, server: &ServerHandle, random: &mut Random) -> Result<(), String> {
        let list = server.connections();
        self.lists += 1;
        self.most = self.most.max(list.len());
        if !list.is_sorted_by(|one, next| one.id < next.id) {
            return Err(format!("the list is not in order: {list:?}"));
        }
        if random.percent(20) && !list.is_empty() {
            self.ended += u64::from(server.end_connection(random.pick(&list).id));
        }
        let counts = server.counts();
        if left(&counts) > counts.accepted {
            return Err(format!("more have left than came: {counts:?}"));
        }
        Ok(())
    }
}
