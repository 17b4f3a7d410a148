//! Many connections and few threads: all are answered, in order, and nobody keeps others waiting.

use std::io::Write;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::site::{Pool, Site};

/// A shuffle that is the same each time.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<_> = (0..count).collect();
    let mut random = seed;
    for last in (1..count).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        order.swap(last, usize::try_from(random >> 33).unwrap() % (last + 1));
    }
    order
}

#[test]
fn three_hundred_connections_need_two_threads() {
    for await_first_byte in [false, true] {
        // A handler is not slow because the machine is.
        let pool = Pool::new(16).patience(crate::support::PATIENCE);
        let site = Site::new(pool.await_first_byte(await_first_byte));
        let mut clients = site.clients(300);
        for round in 0..5 {
            for number in shuffled(300, round) {
                clients[number].asks(&format!("{round} {number}\n"));
            }
            for number in shuffled(300, round + 100) {
                clients[number].say(&format!("{number}\n"));
            }
            for number in shuffled(300, round + 200) {
                clients[number].hears(&format!("{number}\n"));
            }
        }
        assert!(site.status.workers() <= 2, "{:?}", site.status);
        assert_eq!((site.status.in_progress(), site.status.queued()), (300, 0));
        drop(clients);
        let counts = site.stop();
        assert_eq!((counts.served, counts.errors), (300, 0));
    }
}

#[test]
fn who_sends_much_at_once_is_answered_in_order() {
    let site = Site::new(Pool::new(2));
    let client = site.client();
    let lines: Vec<_> = (0..5000).map(|number| format!("line {number}\n")).collect();
    let lines = lines.concat();
    let mut other = site.client();
    let socket = client.socket().try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&socket).write_all(lines.as_bytes()).unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
        });
        other.asks("meanwhile\n");
        assert_eq!(client.rest(), lines.to_uppercase());
    });
    drop(other);
    assert_eq!(site.stop().served, 2);
}

#[test]
fn who_sends_without_end_does_not_keep_parked_ones_waiting() {
    // The pool's threads never find that there is nothing to do.
    let pool = Pool::new(2).patience(crate::support::PATIENCE);
    let site = Site::new(pool);
    let mut parked = site.clients(3);
    for client in &mut parked {
        client.asks("hello\n");
    }
    let endless = site.client();
    let socket = endless.socket().try_clone().unwrap();
    let go_on = AtomicBool::new(true);
    let lines = "x\n".repeat(20_000);
    thread::scope(|scope| {
        let (go_on, lines) = (&go_on, &lines);
        scope.spawn(move || {
            loop {
                (&socket).write_all(lines.as_bytes()).unwrap();
                if !go_on.load(Ordering::Relaxed) {
                    break;
                }
            }
            socket.shutdown(Shutdown::Write).unwrap();
        });
        let reader = scope.spawn(move || endless.rest());
        for round in 0..20 {
            for client in &mut parked {
                client.asks(&format!("round {round}\n"));
            }
        }
        go_on.store(false, Ordering::Relaxed);
        assert!(!reader.join().unwrap().is_empty());
    });
    drop(parked);
    assert_eq!(site.stop().errors, 0);
}
