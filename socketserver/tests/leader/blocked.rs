//! Handlers that block, or compute: others go on, and none is lost.

use std::io::ErrorKind;
use std::time::Duration;

use socketserver::ConnectionState;
use socketserver::prelude::*;

use crate::site::{Client, Pool, Site, eventually};
use crate::support::PATIENCE;

#[test]
fn a_blocked_handler_keeps_nobody_waiting() {
    for word in ["block\n", "compute\n"] {
        let site = Site::new(Pool::new(4));
        let mut others = site.clients(20);
        for client in &mut others {
            client.asks("before\n");
        }
        let mut blocked = site.client();
        blocked.say(word);
        site.gate.await_waiting(1);
        for _ in 0..10 {
            for client in &mut others {
                client.asks("meanwhile\n");
            }
        }
        site.gate.open(1);
        blocked.hears(&word.to_uppercase());
        blocked.asks("after\n");
        drop((blocked, others));
        assert_eq!(site.stop().served, 21);
    }
}

#[test]
fn ten_are_blocked_and_the_rest_go_on() {
    let site = Site::new(Pool::new(12));
    let mut other = site.client();
    for _ in 0..10 {
        let mut blocked: Vec<_> = (0..10).map(|_| site.blocked()).collect();
        for _ in 0..10 {
            other.asks("meanwhile\n");
        }
        site.gate.open(10);
        for client in &mut blocked {
            client.hears("BLOCK\n");
        }
    }
    drop(other);
    assert_eq!(site.stop().served, 101);
}

#[test]
fn more_are_blocked_than_there_are_threads_and_nothing_is_lost() {
    for patience in [Duration::from_micros(50), Duration::from_millis(1)] {
        let site = Site::new(Pool::new(3).patience(patience));
        let mut clients = site.clients(30);
        for client in &mut clients {
            client.asks("hello\n");
        }
        for client in &mut clients {
            client.say("block\n");
        }
        site.gate.await_waiting(3);
        let mut late = site.client();
        late.say("late\n");
        assert_eq!(site.gate.waiting(), 3, "there are no more threads");
        for _ in 0..30 {
            site.gate.open(1);
        }
        late.hears("LATE\n");
        for client in &mut clients {
            client.hears("BLOCK\n");
            client.asks("after\n");
        }
        drop((clients, late));
        assert_eq!(site.stop().served, 31);
    }
}

/// Blocks all threads of a pool of three.
fn block_all(site: &Site) -> Vec<Client> {
    let blocked = (0..3).map(|_| site.blocked()).collect();
    // Those that could take over have noticed.
    eventually("all are at work", || site.status.busy() == 3);
    blocked
}

#[test]
fn wait_takes_in_as_many_as_the_queue_has_places() {
    for queue in [1, 5] {
        let site = Site::new(Pool::new(3).queue(queue).when_full(WhenFull::Wait));
        for _ in 0..3 {
            let blocked = block_all(&site);
            let before = site.server.counts().accepted;
            let mut others = site.clients(20);
            for client in &mut others {
                client.say("hello\n");
            }
            let taken = || site.server.counts().accepted - before;
            eventually("the queue is full", || taken() == queue as u64);
            site.gate.open(3);
            for mut client in blocked {
                client.hears("BLOCK\n");
            }
            for mut client in others {
                client.hears("HELLO\n");
            }
            assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        }
        site.stop();
    }
}

#[test]
fn refuse_refuses_exactly_those_for_whom_there_is_no_place() {
    for queue in [0, 1, 5] {
        let site = Site::new(Pool::new(3).queue(queue).when_full(WhenFull::Refuse));
        for round in 1..=3 {
            let blocked = block_all(&site);
            let others = site.clients(20);
            let refused = round * (20 - queue) as u64;
            eventually("they are refused", || site.status.refused() >= refused);
            eventually("they wait", || site.status.queued() == queue);
            site.gate.open(3);
            for mut client in blocked {
                client.hears("BLOCK\n");
            }
            let mut answers = [0, 0];
            for mut client in others {
                let _ = std::io::Write::write_all(&mut client.socket(), b"quit\n");
                let mut line = String::new();
                match std::io::BufRead::read_line(&mut client.0, &mut line) {
                    Ok(_) => answers[usize::from(line == "QUIT\n")] += 1,
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => answers[0] += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(answers, [20 - queue, queue]);
            assert_eq!(site.status.refused(), refused);
            assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        }
        let counts = site.stop();
        assert_eq!(counts.overloaded, 3 * (20 - queue) as u64);
    }
}

#[test]
fn run_in_loop_serves_there_those_for_whom_there_is_no_place() {
    let pool = Pool::new(3).queue(2).when_full(WhenFull::RunInLoop);
    let site = Site::new(pool);
    let blocked = block_all(&site);
    let mut waiting = site.clients(2);
    eventually("they wait", || site.status.queued() == 2);
    for _ in 0..10 {
        let mut client = site.client();
        client.asks("quit\n");
    }
    site.gate.open(3);
    for mut client in blocked {
        client.hears("BLOCK\n");
    }
    for client in &mut waiting {
        client.asks("hello\n");
    }
    drop(waiting);
    assert_eq!(site.stop().served, 15);
}

#[test]
fn one_thread_that_is_free_is_enough_for_any_number_who_come() {
    for policy in [WhenFull::Wait, WhenFull::Refuse] {
        let site = Site::new(Pool::new(2).queue(1).when_full(policy));
        let blocked = site.blocked();
        for _ in 0..20 {
            let mut client = site.client();
            client.asks("hello\n");
            client.asks("quit\n");
        }
        // Also if they stay.
        let mut others = Vec::new();
        for _ in 0..20 {
            others.push(site.client());
            others.last_mut().unwrap().asks("hello\n");
            site.await_state(ConnectionState::Idle, others.len());
        }
        assert_eq!(site.status.refused(), 0);
        site.gate.open(1);
        drop((blocked, others));
        site.stop();
    }
}

#[test]
fn nobody_is_refused_who_may_wait() {
    let site = Site::new(Pool::new(2).queue(0).when_full(WhenFull::Wait));
    let mut parked = site.clients(2);
    for client in &mut parked {
        client.asks("hello\n");
    }
    // The loop has been told that there is room, and waits for somebody.
    for (count, client) in (1..).zip(&mut parked) {
        client.say("block\n");
        site.gate.await_waiting(count);
    }
    eventually("both are at work", || site.status.busy() == 2);
    let mut late = site.clients(3);
    for client in &mut late {
        client.say("quit\n");
    }
    site.gate.open(2);
    for client in &mut late {
        client.hears("QUIT\n");
    }
    for client in &mut parked {
        client.hears("BLOCK\n");
    }
    drop((parked, late));
    let counts = site.stop();
    assert_eq!((counts.served, counts.overloaded), (5, 0));
}
