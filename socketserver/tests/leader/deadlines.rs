//! Deadlines of connections that nobody waits for in a receive.

use std::io::{BufRead, Read, Write};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::prelude::*;
use socketserver::{ConnectionState, Cuts};

use crate::site::{Any, Client, Gate, Pool, Site, Talk, eventually};
use crate::support::PATIENCE;

const SHORT: Duration = Duration::from_millis(200);

/// Nothing but time goes by.
fn let_pass(time: Duration) {
    let (_sender, receiver) = channel::<()>();
    let _ = receiver.recv_timeout(time);
}

fn site(deadlines: Deadlines, await_first_byte: bool) -> Site {
    let pool = Pool::new(4).await_first_byte(await_first_byte);
    Site::with(pool, ServerConfig::new().deadlines(deadlines))
}

/// Up to the end, whatever that is.
fn end(mut client: Client) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = client.0.read_to_end(&mut rest);
    rest
}

fn cuts(site: &Site) -> Cuts {
    site.server.handle().cuts()
}

#[test]
fn who_is_idle_for_too_long_has_a_good_end() {
    for await_first_byte in [false, true] {
        let site = site(Deadlines::new().idle(SHORT), await_first_byte);
        let mut clients = site.clients(1000);
        let begin = Instant::now();
        for client in &mut clients {
            client.say("hello\n");
        }
        for client in clients {
            let answer = end(client);
            // On a slow machine some were idle for too long before they had said anything.
            assert!(answer.is_empty() || answer == b"HELLO\n");
        }
        assert!(begin.elapsed() < PATIENCE);
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        assert_eq!((cuts(&site).idle, cuts(&site).deadlines()), (1000, 1000));
        let counts = site.stop();
        assert_eq!((counts.served, counts.errors), (1000, 0));
    }
}

#[test]
fn who_is_in_time_is_served() {
    let site = site(Deadlines::new().idle(PATIENCE).read(PATIENCE).first_byte(PATIENCE), true);
    let mut clients = site.clients(100);
    for _ in 0..20 {
        for client in &mut clients {
            client.asks("hello\n");
        }
    }
    drop(clients);
    assert_eq!(site.stop().errors, 0);
}

#[test]
fn who_comes_at_the_last_moment_is_served_or_cut() {
    let idle = Duration::from_millis(20);
    let site = site(Deadlines::new().idle(idle), false);
    let (mut answered, mut cut) = (0, 0);
    for round in 0..100 {
        let mut client = site.client();
        client.say("hello\n");
        let mut line = String::new();
        if client.0.read_line(&mut line).is_err() || line.is_empty() {
            continue;
        }
        let_pass(Duration::from_micros(18_000 + round * 40));
        let _ = (client.socket()).write_all(b"again\n");
        match &*end(client) {
            b"AGAIN\n" => answered += 1,
            b"" => cut += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(answered + cut > 0);
    assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
    let counts = site.server.counts();
    // What came after the deadline is not read, and some systems say so.
    assert_eq!((counts.served, cuts(&site).deadlines()), (100, cuts(&site).idle));
    assert_eq!(site.stop().errors, 0);
}

#[test]
fn the_first_byte_is_waited_for_with_and_without_a_handler() {
    for await_first_byte in [false, true] {
        let site = site(Deadlines::new().first_byte(SHORT), await_first_byte);
        let silent = site.clients(20);
        let mut client = site.client();
        client.say("hello\n");
        let begin = Instant::now();
        for client in silent {
            assert_eq!(end(client), b"");
        }
        assert!(begin.elapsed() < PATIENCE);
        assert!(site.server.handle().wait_until_at_most(1, PATIENCE));
        let first_byte = cuts(&site).first_byte;
        assert_eq!(first_byte, cuts(&site).deadlines());
        assert!(first_byte >= 20);
        // Its answer, if it was in time: what is not read turns the end into a reset.
        let _ = client.0.read_line(&mut String::new());
        drop(client);
        let counts = site.stop();
        assert_eq!((counts.served, counts.errors), (21, first_byte));
    }
}

#[test]
fn a_whole_connection_has_its_time_also_while_it_is_parked() {
    let site = site(Deadlines::new().whole(SHORT), false);
    for client in site.clients(10) {
        end(client);
    }
    assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
    assert_eq!(cuts(&site).whole, 10);
    assert_eq!(site.failures().len(), 10);
    assert_eq!(site.stop().served, 10);
}

#[test]
fn half_a_line_is_waited_for_as_long_as_a_read_may_take() {
    for (deadlines, is_rate) in
        [(Deadlines::new().read(SHORT), false), (Deadlines::new().min_rate(1000, SHORT), true)]
    {
        let site = site(deadlines, true);
        let mut client = site.client();
        client.say("half a li");
        assert_eq!(end(client), b"");
        let mut parked = site.client();
        let mut client = site.client();
        client.say("hello\n");
        client.hears("HELLO\n");
        let_pass(2 * SHORT);
        // Neither counts between two requests.
        client.asks("hello\n");
        parked.asks("hello\n");
        client.say("half a li");
        assert_eq!(end(client), b"");
        drop(parked);
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        let cuts = cuts(&site);
        assert_eq!(if is_rate { cuts.rate } else { cuts.read }, 2, "{cuts:?}");
        assert_eq!(cuts.deadlines(), 2);
        site.stop();
    }
}

#[test]
fn who_does_not_take_his_answer_is_cut() {
    let site = site(Deadlines::new().write(SHORT), false);
    let mut other = site.client();
    other.asks("hello\n");
    let client = site.client();
    let mut socket = client.socket().try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let line = "x".repeat(1_000_000) + "\n";
            while socket.write_all(line.as_bytes()).is_ok() {}
        });
        eventually("it is cut", || cuts(&site).write == 1);
        other.asks("hello\n");
        drop(client);
    });
    drop(other);
    assert_eq!(site.stop().errors, 1);
}

#[test]
fn a_handler_may_set_others() {
    struct Own(Talk);
    impl KeepAliveHandler<TcpConnection> for Own {
        fn handle_one_request(
            &mut self,
            stream: &mut Stream<TcpConnection>,
        ) -> Result<Next, HandlerError> {
            let idle = match stream.rfile.fill_buf()? {
                [b's', ..] => SHORT,
                _ => PATIENCE,
            };
            stream.set_deadlines(Deadlines::new().idle(idle));
            self.0.handle_one_request(stream)
        }
    }
    for deadlines in
        [Deadlines::new(), Deadlines::new().idle(PATIENCE), Deadlines::new().idle(SHORT)]
    {
        let config = ServerConfig::new().deadlines(deadlines);
        let site = Site::of(Pool::new(3), config, |gate, log| {
            let own = move || KeepAlive(Own(Talk { gate: gate.clone(), log: log.clone() }));
            Box::new(StreamService::new(own)) as Any
        });
        let mut long = site.client();
        long.say("long\n");
        long.hears("LONG\n");
        let mut short = site.client();
        short.say("short\n");
        short.hears("SHORT\n");
        assert_eq!(end(short), b"");
        let_pass(2 * SHORT);
        long.asks("long\n");
        drop(long);
        assert!(site.server.handle().wait_until_at_most(0, PATIENCE));
        assert_eq!((cuts(&site).idle, cuts(&site).deadlines()), (1, 1));
        assert_eq!(site.stop().errors, 0);
    }
}

/// Reads a line in two pieces, and is at work between them.
fn in_two_pieces(gate: &Gate, client: &mut Stream<TcpConnection>) -> HandlerResult {
    gate.pass();
    let mut line = client.rfile.fill_buf()?.to_vec();
    client.rfile.consume(line.len());
    gate.pass();
    client.rfile.read_until(b'\n', &mut line)?;
    client.wfile.write_all(&line)?;
    Ok(())
}

#[test]
fn the_time_for_which_a_handler_is_at_work_is_nobodys() {
    for await_first_byte in [false, true] {
        let pool = Pool::new(3).await_first_byte(await_first_byte);
        let config = ServerConfig::new().deadlines(Deadlines::new().read(2 * SHORT));
        let site = Site::of(pool, config, |gate, _| {
            Box::new(stream_fn(move |client| in_two_pieces(&gate, client))) as Any
        });
        let mut client = site.client();
        client.say("half ");
        site.gate.await_waiting(1);
        // Nothing was received yet, and it is not idle.
        site.await_state(ConnectionState::Busy, 1);
        site.gate.open(1);
        eventually("it has half", || site.server.handle().connections()[0].received > 0);
        site.gate.await_waiting(1);
        let_pass(4 * SHORT);
        site.gate.open(1);
        eventually("it waits for more", || {
            site.server.handle().connections().iter().all(|info| info.at_work.is_none())
        });
        client.say("a line\n");
        client.hears("half a line\n");
        assert_eq!(cuts(&site).deadlines(), 0);
        drop(client);
        assert_eq!(site.stop().errors, 0);
    }
}
