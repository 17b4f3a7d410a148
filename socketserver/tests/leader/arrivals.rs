//! Connections that come in crowds, to a loop that looks for them only when it is woken: nobody is left waiting.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use socketserver::prelude::*;

use crate::site::{Any, Client, Pool, Site, Talk, eventually};
use crate::support::connect;

/// The loop does nothing of itself, now and then.
fn sleepy() -> ServerConfig {
    ServerConfig::new().poll_interval(PollInterval::Never)
}

/// So many clients at a time come and go, one request each.
fn crowd(site: &Site, threads: usize, each: usize) {
    let address = site.address();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                for _ in 0..each {
                    let mut client = Client(BufReader::new(connect(address)));
                    client.asks("quit\n");
                    assert_eq!(client.rest(), "");
                }
            });
        }
    });
}

#[test]
fn a_crowd_is_served_though_the_loop_only_looks_when_it_is_woken() {
    for await_first_byte in [false, true] {
        for config in [sleepy(), sleepy().max_connections(3)] {
            let site = Site::with(Pool::new(4).await_first_byte(await_first_byte), config);
            crowd(&site, 8, 60);
            // One at a time.
            crowd(&site, 1, 60);
            assert_eq!(site.stop().served, 9 * 60);
        }
    }
}

#[test]
fn who_comes_to_a_busy_pool_is_not_left_waiting_by_those_who_block() {
    let site = Site::with(Pool::new(3), sleepy());
    for round in 0..40 {
        // Together with those who keep the pool busy, so that the loop may be waiting for it.
        let mut clients = site.clients(6);
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(if number == round % 6 { "block\n" } else { "hello\n" });
        }
        site.gate.await_waiting(1);
        for (number, client) in clients.iter_mut().enumerate() {
            if number != round % 6 {
                client.hears("HELLO\n");
            }
        }
        let mut late = site.client();
        late.asks("quit\n");
        site.gate.open(1);
        clients[round % 6].hears("BLOCK\n");
    }
    assert_eq!(site.stop().served, 40 * 7);
}

#[test]
fn who_comes_when_all_are_blocked_is_refused_at_once() {
    let pool = Pool::new(2).queue(0).when_full(WhenFull::Refuse);
    let site = Site::with(pool, sleepy());
    for _ in 0..20 {
        let mut clients = site.clients(2);
        for client in &mut clients {
            client.say("block\n");
        }
        site.gate.await_waiting(2);
        eventually("all are at work", || site.status.busy() == 2);
        let refused = site.status.refused();
        let others: Vec<_> = (0..5).map(|_| site.client()).collect();
        eventually("they are refused", || site.status.refused() == refused + 5);
        drop(others);
        site.gate.open(2);
        for mut client in clients {
            client.hears("BLOCK\n");
        }
        eventually("nobody is at work", || site.status.in_progress() == 0);
    }
    assert_eq!(site.stop().overloaded, 100);
}

#[test]
fn who_is_blocked_last_leaves_the_loop_awake() {
    let pool = Pool::new(2).queue(3).when_full(WhenFull::Refuse);
    let site = Site::with(pool, sleepy());
    for _ in 0..20 {
        // More than there are threads, all at once: some wait for a thread when the last one blocks.
        let mut clients = site.clients(5);
        for client in &mut clients {
            client.say("block\n");
        }
        site.gate.await_waiting(2);
        eventually("all are at work", || site.status.busy() == 2);
        let refused = site.status.refused();
        // No more than there are places in the queue can be taken in besides.
        let others: Vec<_> = (0..8).map(|_| site.client()).collect();
        eventually("some are refused", || site.status.refused() >= refused + 5);
        drop(others);
        site.gate.open(5);
        for mut client in clients {
            client.hears("BLOCK\n");
        }
        eventually("nobody is at work", || site.status.in_progress() == 0);
    }
    assert!(site.stop().overloaded >= 100);
}

#[test]
fn a_crowd_does_not_keep_a_server_from_stopping() {
    for _ in 0..10 {
        let site = Site::with(Pool::new(3), sleepy());
        let (address, handle) = (site.address(), site.server.handle());
        let clients = thread::spawn(move || {
            let mut heard = 0;
            // Until they are turned away.
            while let Ok(mut client) = TcpStream::connect(address) {
                let asked = client.write_all(b"quit\n");
                match asked.and_then(|()| client.read(&mut [0; 5])) {
                    Ok(1..) => heard += 1,
                    _ => break,
                }
            }
            heard
        });
        eventually("some were served", || handle.counts().served > 50);
        let counts = site.stop();
        assert!(counts.served >= clients.join().unwrap());
    }
}

#[test]
fn who_comes_is_served_also_while_the_loop_is_in_a_hook() {
    let site = Site::of(Pool::new(4), sleepy(), |gate, log| {
        let talk_gate = Arc::clone(&gate);
        let talk = move || KeepAlive(Talk { gate: Arc::clone(&talk_gate), log: log.clone() });
        let service: Any = Box::new(StreamService::new(talk));
        Box::new(service.on_service_actions(move |_| gate.pass()))
    });
    // From the second one on those who lead may be waiting for news when somebody comes.
    for _ in 0..10 {
        let mut client = site.client();
        site.gate.await_waiting(1);
        client.asks("quit\n");
        assert_eq!(site.gate.waiting(), 1, "it was served when the hook was over");
        site.gate.open(1);
        eventually("the hook is over", || site.gate.waiting() == 0);
    }
    assert_eq!(site.stop().served, 10);
}
