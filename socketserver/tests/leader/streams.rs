//! What comes how over the wire: in pieces, with the end at once, in the wrong moment.

use std::io::{Read, Write};
use std::net::Shutdown;

use socketserver::ConnectionState;
use socketserver::prelude::*;

use crate::site::{Any, Client, Pool, Site, Talk, eventually};
use crate::support::PATIENCE;

fn both(test: impl Fn(Site)) {
    for await_first_byte in [false, true] {
        test(Site::new(Pool::new(4).await_first_byte(await_first_byte)));
    }
}

fn end(client: &Client) {
    client.socket().shutdown(Shutdown::Write).unwrap();
}

#[cfg(unix)]
fn reset(client: Client) {
    let linger = Some(std::time::Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(client.socket(), linger).unwrap();
    drop(client);
}

#[test]
fn lines_and_the_end_at_once_are_all_seen() {
    both(|site| {
        for round in 0..200 {
            let mut client = site.client();
            if round % 2 == 0 {
                // Parked before, or not.
                client.asks("first\n");
            }
            client.say("a\nb\nc\n");
            end(&client);
            assert_eq!(client.rest(), "A\nB\nC\n");
        }
        assert_eq!(site.stop().served, 200);
    });
}

#[test]
fn the_end_comes_alone_or_later() {
    both(|site| {
        for _ in 0..100 {
            let client = site.client();
            end(&client);
            assert_eq!(client.rest(), "");
            let mut client = site.client();
            client.asks("first\n");
            end(&client);
            assert_eq!(client.rest(), "");
            let mut client = site.client();
            client.say("first\n");
            client.hears("FIRST\n");
            client.say("half a li");
            end(&client);
            assert_eq!(client.rest(), "HALF A LI");
        }
        assert_eq!(site.stop().served, 300);
    });
}

#[cfg(unix)]
#[test]
fn a_reset_ends_the_handler_wherever_it_is() {
    both(|site| {
        let mut client = site.client();
        client.asks("parked\n");
        site.await_state(ConnectionState::Idle, 1);
        reset(client);
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        reset(site.blocked());
        site.gate.open(1);
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        for _ in 0..50 {
            reset(site.client());
        }
        eventually("all have left", || site.server.counts().served == 52);
        site.stop();
    });
}

#[test]
fn pieces_make_a_line() {
    both(|site| {
        let mut client = site.client();
        client.say("hal");
        site.await_state(ConnectionState::Busy, 1);
        client.say("f\n");
        client.hears("HALF\n");
        client.socket().set_nodelay(true).unwrap();
        for byte in "one byte at a time\nand again\n".bytes() {
            client.socket().write_all(&[byte]).unwrap();
        }
        client.hears("ONE BYTE AT A TIME\n");
        client.hears("AND AGAIN\n");
        let huge = "x".repeat(3_000_000) + "\n";
        std::thread::scope(|scope| {
            let mut socket = client.socket().try_clone().unwrap();
            let huge = &huge;
            scope.spawn(move || socket.write_all(huge.as_bytes()).unwrap());
            client.hears(&huge.to_uppercase());
        });
        client.asks("after that\n");
        drop(client);
        site.stop();
    });
}

#[test]
fn what_comes_while_the_handler_runs_is_answered_after_it() {
    both(|site| {
        for _ in 0..20 {
            let mut client = site.blocked();
            client.say("next\n");
            // Somebody else leads meanwhile, and hears of it.
            site.client().asks("others\n");
            site.gate.open(1);
            client.hears("BLOCK\n");
            client.hears("NEXT\n");
            let mut client = site.blocked();
            end(&client);
            site.client().asks("others\n");
            site.gate.open(1);
            client.hears("BLOCK\n");
            assert_eq!(client.rest(), "");
        }
        site.stop();
    });
}

#[test]
fn buffers_of_all_sizes() {
    for (rbufsize, wbufsize) in [(0, 0), (1, 100), (2, 1), (8192, 100), (7, 100_000)] {
        let site = Site::of(Pool::new(3), ServerConfig::new(), |gate, log| {
            let talk = move || KeepAlive(Talk { gate: gate.clone(), log: log.clone() });
            let service = StreamService::new(talk).rbufsize(rbufsize).wbufsize(wbufsize);
            Box::new(service.disable_nagle_algorithm(true)) as Any
        });
        let mut clients = site.clients(3);
        for round in 0..20 {
            for client in &mut clients {
                client.asks(&format!("a line, {round}\n"));
                client.say("a\nb\n\nc\n");
            }
            for client in &mut clients {
                for answer in ["A\n", "B\n", "\n", "C\n"] {
                    client.hears(answer);
                }
            }
        }
        drop(clients);
        assert_eq!(site.stop().errors, 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_lies_behind_urgent_data_is_not_forgotten() {
    use rustix::net::{SendFlags, send};
    let site = Site::new(Pool::new(4));
    for parked in [true, false] {
        let mut client = site.client();
        if parked {
            client.asks("first\n");
            site.await_state(ConnectionState::Idle, 1);
        }
        // All is there when it is received, up to the urgent byte at first.
        let blocked = (0..4).map(|_| site.blocked()).collect::<Vec<_>>();
        client.say("before\n");
        send(client.socket(), b"!", SendFlags::OOB).unwrap();
        client.say("after\n");
        site.gate.open(4);
        client.hears("BEFORE\n");
        client.hears("AFTER\n");
        drop((client, blocked));
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
    }
    site.stop();
}

#[test]
fn a_timeout_of_the_service_holds_for_parked_ones() {
    let site = Site::of(Pool::new(3), ServerConfig::new(), |gate, log| {
        let talk = move || KeepAlive(Talk { gate: gate.clone(), log: log.clone() });
        Box::new(StreamService::new(talk).timeout(std::time::Duration::from_millis(300))) as Any
    });
    let mut silent = site.client();
    let mut client = site.client();
    client.asks("in time\n");
    let mut end = Vec::new();
    silent.0.read_to_end(&mut end).unwrap();
    let mut half = site.client();
    half.say("half a li");
    for client in [client, half] {
        assert_eq!(client.rest(), "");
    }
    assert_eq!(site.failures().len(), 3);
    assert_eq!(site.stop().served, 3);
}
