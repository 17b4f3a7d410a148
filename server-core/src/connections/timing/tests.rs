//! The arithmetic with given times: no clock, no socket.

use super::Direction::{Receive, Send};
use super::*;

/// A connection, and what time it is.
struct Life {
    timing: Timing,
    now: Instant,
    idle: bool,
}

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

impl Life {
    fn new(deadlines: Deadlines) -> Self {
        let now = Instant::now();
        Self { timing: Timing::new(deadlines, now), now, idle: false }
    }

    /// Time passes in which nobody waits.
    fn pass(&mut self, time: u64) {
        self.now += ms(time);
    }

    fn left(&mut self, direction: Direction) -> Result<Option<Duration>, Deadline> {
        self.timing.left(direction, self.idle, self.now)
    }

    /// A call blocks for so long; says what it had left then.
    fn block(&mut self, direction: Direction, time: u64) -> Result<Option<Duration>, Deadline> {
        self.timing.block(direction, self.idle, self.now);
        self.pass(time);
        let left = self.left(direction);
        self.timing.unblock(direction, self.idle, self.now);
        left
    }

    fn receive(&mut self, bytes: usize) {
        self.timing.received(bytes, self.idle, self.now);
        self.idle = false;
    }

    fn send(&mut self, bytes: usize) {
        self.timing.sent(bytes, self.idle, self.now);
    }

    fn idle(&mut self) {
        self.timing.idle();
        self.idle = true;
    }
}

const LEFT: fn(u64) -> Result<Option<Duration>, Deadline> = |left| Ok(Some(ms(left)));

#[test]
fn nothing_set_leaves_all_the_time() {
    let mut life = Life::new(Deadlines::new());
    assert_eq!(life.block(Receive, 1_000_000), Ok(None));
    assert_eq!(life.block(Send, 1_000_000), Ok(None));
    assert!(!life.timing.is_too_old(life.now));
}

#[test]
fn the_first_byte_is_waited_for_since_the_accept_or_what_was_sent() {
    let all = Deadlines::new().first_byte(ms(100)).read(ms(1)).idle(ms(1)).min_rate(1, ms(1));
    let mut life = Life::new(all);
    life.pass(30);
    assert_eq!(life.block(Receive, 30), LEFT(40), "and no other holds");
    life.send(10);
    life.idle();
    assert_eq!(life.block(Receive, 90), LEFT(10));
    assert_eq!(life.block(Receive, 10), Err(Deadline::FirstByte));
    life.receive(1);
    assert_eq!(life.left(Receive), LEFT(1), "the others");
}

#[test]
fn idle_and_read_count_what_was_waited_since_the_last_byte() {
    let mut life = Life::new(Deadlines::new().idle(ms(100)).read(ms(50)));
    assert_eq!(life.block(Receive, 20), LEFT(30));
    life.pass(1000);
    assert_eq!(life.block(Receive, 20), LEFT(10), "the handler's own time is not counted");
    life.receive(1);
    assert_eq!(life.block(Receive, 20), LEFT(30));
    life.idle();
    assert_eq!(life.block(Receive, 60), LEFT(40));
    life.idle();
    assert_eq!(life.block(Receive, 30), LEFT(10), "idle again, and nothing has come");
    life.idle = false;
    assert_eq!(life.block(Receive, 20), LEFT(30));
    assert_eq!(life.block(Receive, 30), Err(Deadline::Read));
}

#[test]
fn without_the_one_that_is_for_it_a_wait_is_not_limited() {
    let mut life = Life::new(Deadlines::new().read(ms(50)));
    life.idle();
    assert_eq!(life.block(Receive, 1000), Ok(None));
    let mut life = Life::new(Deadlines::new().idle(ms(50)));
    assert_eq!(life.block(Receive, 1000), Ok(None));
    let mut life = Life::new(Deadlines::new().read(ms(50)).first_byte(ms(50)));
    assert_eq!(life.block(Send, 1000), Ok(None));
}

#[test]
fn a_write_stalls_only_while_nothing_moves() {
    let mut life = Life::new(Deadlines::new().write(ms(50)));
    for _ in 0..5 {
        assert_eq!(life.block(Send, 40), LEFT(10));
        life.send(1);
    }
    assert_eq!(life.block(Send, 50), Err(Deadline::Write));
}

#[test]
fn the_whole_is_over_whatever_moves() {
    let mut life = Life::new(Deadlines::new().whole(ms(100)).read(ms(50)));
    life.pass(70);
    assert_eq!(life.left(Receive), LEFT(30), "the nearer one");
    life.receive(1);
    life.pass(29);
    assert!(!life.timing.is_too_old(life.now));
    life.pass(1);
    assert!(life.timing.is_too_old(life.now));
    assert_eq!(life.left(Send), Err(Deadline::Whole));
}

#[test]
fn a_request_has_to_come_at_the_rate_and_each_has_its_own_account() {
    // A byte is worth 10 ms.
    let mut life = Life::new(Deadlines::new().min_rate(100, ms(100)));
    assert_eq!(life.block(Receive, 50), LEFT(50), "from the beginning");
    life.receive(3);
    assert_eq!(life.left(Receive), LEFT(80));
    assert_eq!(life.block(Receive, 80), Err(Deadline::Rate));
    // After an answer nothing is owed up to the next byte.
    life.send(1);
    assert_eq!(life.block(Receive, 1000), Ok(None));
    life.receive(1);
    assert_eq!(life.block(Receive, 20), LEFT(90));
    life.idle();
    assert_eq!(life.block(Receive, 1000), Ok(None));
    life.receive(2);
    assert_eq!(life.left(Receive), LEFT(120));
}

#[test]
fn the_rate_begins_with_the_first_byte_if_that_has_a_deadline() {
    let mut life = Life::new(Deadlines::new().min_rate(100, ms(100)).first_byte(ms(1000)));
    assert_eq!(life.block(Receive, 500), LEFT(500));
    life.receive(1);
    assert_eq!(life.left(Receive), LEFT(110));
}

#[test]
fn time_without_a_server_counts_for_the_rate_unless_the_client_could_not_send() {
    let rate = Deadlines::new().min_rate(1_000_000, ms(100));
    let mut life = Life::new(rate);
    life.pass(80);
    life.timing.begin(life.now);
    life.receive(1);
    life.pass(1000);
    assert!(life.left(Receive).unwrap().unwrap() <= ms(21));
    assert_eq!(life.block(Receive, 21), Err(Deadline::Rate));
    // So much may have filled a buffer.
    life.receive(4096);
    assert!(life.left(Receive).unwrap().unwrap() >= ms(79));

    // It waited to be sent something.
    let mut life = Life::new(rate);
    life.pass(500);
    life.timing.begin(life.now);
    life.send(1);
    life.receive(1);
    assert!(life.block(Receive, 90).is_ok());
}

#[test]
fn a_slow_reader_is_credited_with_what_it_makes_room_for() {
    let mut life = Life::new(Deadlines::new().min_rate(100, ms(100)));
    // That went into the system's buffer.
    life.send(1_000_000);
    assert_eq!(life.block(Send, 60), LEFT(40));
    life.send(2);
    assert_eq!(life.block(Send, 30), LEFT(30));
    assert_eq!(life.block(Send, 30), Err(Deadline::Rate));
    // The answer to the next request.
    life.receive(1);
    assert_eq!(life.block(Send, 60), LEFT(40));
}

#[test]
fn who_sends_while_he_is_being_answered_owes_the_same() {
    let mut life = Life::new(Deadlines::new().min_rate(100, ms(100)));
    life.receive(1);
    life.timing.block(Send, false, life.now);
    life.pass(50);
    life.send(0);
    life.receive(1);
    life.pass(50);
    assert_eq!(life.left(Send), Err(Deadline::Rate));
}

#[test]
fn two_that_wait_at_once_wait_for_no_longer() {
    let mut life = Life::new(Deadlines::new().read(ms(100)));
    life.timing.block(Receive, false, life.now);
    life.pass(20);
    life.timing.block(Receive, false, life.now);
    life.pass(20);
    assert_eq!(life.left(Receive), LEFT(60));
    life.timing.unblock(Receive, false, life.now);
    life.pass(20);
    assert_eq!(life.left(Receive), LEFT(40));
}

#[test]
fn other_deadlines_hold_for_the_time_that_has_passed() {
    let mut life = Life::new(Deadlines::new().read(ms(100)).whole(ms(200)));
    assert_eq!(life.block(Receive, 60), LEFT(40));
    life.timing.set(Deadlines::new().read(ms(70)), life.now);
    assert_eq!(life.left(Receive), LEFT(10));
    life.timing.set(Deadlines::new().read(ms(50)), life.now);
    assert_eq!(life.left(Receive), Err(Deadline::Read));
    life.timing.set(Deadlines::new(), life.now);
    assert_eq!(life.left(Receive), Ok(None));
    // What was sent before anybody kept the time.
    let mut life = Life::new(Deadlines::new());
    life.pass(500);
    let sent = life.now;
    life.pass(30);
    life.timing.set(Deadlines::new().first_byte(ms(100)), sent);
    assert_eq!(life.left(Receive), LEFT(70));
}

#[test]
fn who_takes_nothing_does_not_gain_by_what_buffers_take() {
    let mut life = Life::new(Deadlines::new().min_rate(1000, ms(800)).write(ms(1600)));
    life.send(1_000_000);
    // Tried after an eighth: the system had room, but too little to tell of it.
    assert_eq!(life.block(Send, 0), LEFT(100));
    assert_eq!(life.block(Send, 100), LEFT(100), "for the other deadline");
    life.send(1_000_000);
    assert_eq!(life.block(Send, 650), LEFT(50));
    assert_eq!(life.block(Send, 50), Err(Deadline::Rate));
}

#[test]
fn who_takes_his_share_has_all_the_time_although_the_first_of_it_is_not_counted() {
    let mut life = Life::new(Deadlines::new().min_rate(1000, ms(800)));
    for _ in 0..1000 {
        assert!(life.block(Send, 50).is_ok());
        life.send(50);
    }
}
