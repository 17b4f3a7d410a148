//! Who is woken when a server drains, and who can hurry it: handlers that asked, drains that wait for threads of any kind.

#![cfg(test)]

mod support;

use std::io::{BufRead, Read};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socketserver::prelude::*;
use socketserver::{CutReason, Running};
use support::{PATIENCE, connect, read_to_end};

/// Nothing takes that long, for somebody hurries.
const LONG: Duration = Duration::from_secs(600);

type Handle = fn(&mut Stream<TcpConnection>, &Sender<String>) -> HandlerResult;

/// A service with this handler, which says what happens.
fn saying(handle: Handle) -> (impl Service<TcpConnection> + Send + Sync + 'static, Said) {
    let (say, said) = channel();
    let say = Mutex::new(say);
    let errors = Mutex::new(say.lock().unwrap().clone());
    let service = stream_fn(move |client: &mut Stream<TcpConnection>| {
        let say = say.lock().unwrap().clone();
        say.send("started".to_owned())?;
        handle(client, &say)
    })
    .on_error(move |_, _, error| {
        let reason = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let reason = reason.and_then(|reason| reason.downcast_ref::<CutReason>());
        errors.lock().unwrap().send(format!("{reason:?}")).unwrap();
    });
    (service, said)
}

type Said = Receiver<String>;

fn says(said: &Said, what: &str) {
    assert_eq!(said.recv_timeout(PATIENCE).unwrap(), what);
}

/// Waits for a line that does not come.
fn read(client: &mut Stream<TcpConnection>, _: &Sender<String>) -> HandlerResult {
    client.rfile.read_line(&mut String::new())?;
    Ok(())
}

fn start(
    strategy: &str,
    service: impl Service<TcpConnection> + Send + Sync + 'static,
) -> Running<SocketAddr> {
    let tcp = Tcp::bind("127.0.0.1:0").unwrap();
    let running = match strategy {
        "pool" => Server::new(tcp, ThreadPool::new(2), service).spawn(),
        #[cfg(feature = "rayon")]
        "rayon" => Server::new(tcp, socketserver::concurrency::RayonPool::new(2), service).spawn(),
        _ => Server::new(tcp, ThreadPerRequest::new(), service).spawn(),
    };
    running.unwrap()
}

const STRATEGIES: [&str; 3] = ["threads", "pool", "rayon"];

#[test]
fn who_hurries_a_drain_ends_its_wait_for_busy_requests() {
    for strategy in STRATEGIES {
        let (service, said) = saying(read);
        let server = start(strategy, service);
        let client = connect(*server.local_addr());
        says(&said, "started");
        let handle = server.handle().clone();
        let drain = thread::spawn(move || server.drain(Drain::new().deadline(LONG).grace(LONG)));
        while !handle.is_draining() {
            thread::yield_now();
        }
        handle.force_drain();
        says(&said, "Some(Forced)");
        let (report, _) = drain.join().unwrap().unwrap();
        assert_eq!((report.forced, report.finished, report.is_stuck()), (1, 0, false), "{report}");
        assert_eq!(read_to_end(&client), "");
    }
}

#[test]
fn who_hurries_twice_ends_the_grace_too() {
    for strategy in STRATEGIES {
        // No end of its connection ends it, and it is not told: only the end of the test ends it.
        let (service, said) = saying(|client, say| {
            let say = say.clone();
            let _told = client.server.on_drain(move || say.send("told".to_owned()).unwrap());
            loop {
                thread::park();
            }
        });
        let server = start(strategy, service);
        let client = connect(*server.local_addr());
        says(&said, "started");
        let handle = server.handle().clone();
        let drain = thread::spawn(move || server.drain(Drain::new().deadline(LONG).grace(LONG)));
        says(&said, "told");
        handle.force_drain();
        handle.force_drain();
        let (report, _) = drain.join().unwrap().unwrap();
        assert_eq!(
            (report.forced, report.requests_left, report.stuck.len()),
            (1, 1, 1),
            "{report}"
        );
        assert!(report.is_stuck() && report.time < LONG, "{report}");
        drop(client);
    }
}

#[test]
fn a_handler_that_waits_for_something_else_is_woken() {
    let (service, said) = saying(|client, say| {
        let (news, heard) = channel();
        let _told = client.server.on_drain(move || news.send("drain").unwrap_or_default());
        say.send("waits".to_owned())?;
        say.send(heard.recv()?.to_owned())?;
        Ok(())
    });
    let server = start("threads", service);
    let _client = connect(*server.local_addr());
    says(&said, "started");
    says(&said, "waits");
    let (report, counts) = server.drain(Drain::new().deadline(PATIENCE)).unwrap();
    says(&said, "drain");
    assert!(report.is_clean() && report.finished == 1 && report.time < PATIENCE, "{report}");
    assert_eq!(counts.hook_panics, 0);
}

#[test]
fn each_hook_is_called_once_and_a_panic_of_one_is_counted() {
    let (service, _said) = saying(read);
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let handle = server.handle();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let calls = Arc::clone(&calls);
        move || calls.lock().unwrap().push((name, thread::current().id()))
    };
    let _first = handle.on_drain(note("first"));
    let _panics = handle.on_drain(|| std::panic::panic_any("asked to panic"));
    let taken_back = handle.on_drain(note("taken back"));
    let _last = handle.on_drain(note("last"));
    drop(taken_back);
    let announce = handle.clone();
    let announcer = thread::spawn(move || {
        announce.announce_drain();
        thread::current().id()
    });
    let announcer = announcer.join().unwrap();
    assert!(handle.is_draining());
    assert!(server.drain(Drain::new()).is_clean());
    // Too late to be told: told at once, here.
    let _late = handle.on_drain(note("late"));
    let own = thread::current().id();
    let expected = [("first", announcer), ("last", announcer), ("late", own)];
    assert_eq!(*calls.lock().unwrap(), expected);
    assert_eq!(server.counts().hook_panics, 1);
}

#[test]
fn a_hook_may_use_the_server_and_take_others_back() {
    let (service, _said) = saying(read);
    let mut server = ThreadingTcpServer::bind("127.0.0.1:0", service).unwrap();
    let handle = server.handle();
    let slot = Arc::new(Mutex::new(None));
    let (others, inside) = (Arc::clone(&slot), handle.clone());
    let (say, said) = channel();
    let _first = handle.on_drain(move || {
        drop(others.lock().unwrap().take());
        let _more = inside.on_drain(move || say.send("added").unwrap());
    });
    let called = Arc::new(Mutex::new(false));
    let flag = Arc::clone(&called);
    *slot.lock().unwrap() = Some(handle.on_drain(move || *flag.lock().unwrap() = true));
    assert!(server.drain(Drain::new()).is_clean());
    assert_eq!(said.recv_timeout(PATIENCE).unwrap(), "added");
    assert!(!*called.lock().unwrap());
}

#[test]
fn a_handler_in_the_loop_is_cut_before_the_drain_begins() {
    let (service, said) = saying(read);
    let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap();
    let (handle, address) = (server.handle(), server.local_addr().unwrap());
    thread::scope(|scope| {
        let serving = scope.spawn(|| {
            assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
            server.drain(Drain::new().deadline(LONG).grace(LONG))
        });
        let client = connect(address);
        says(&said, "started");
        handle.request_shutdown();
        handle.force_drain();
        says(&said, "Some(Forced)");
        assert_eq!(read_to_end(&client), "");
        let report = serving.join().unwrap();
        assert_eq!((report.forced, report.finished), (1, 0), "{report}");
    });
}

#[test]
fn who_comes_after_it_was_forced_is_cut_at_once() {
    let (service, said) = saying(read);
    let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap();
    let client = connect(server.local_addr().unwrap());
    server.handle().force_drain();
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    says(&said, "started");
    says(&said, "Some(Forced)");
    assert!(matches!((&client).read(&mut [0]), Ok(0) | Err(_)));
    let report = server.drain(Drain::new().deadline(LONG).backlog(Backlog::Serve));
    assert_eq!((report.forced, report.finished), (1, 0), "{report}");
}

#[test]
fn an_announced_drain_ends_an_idle_handler_in_the_loop() {
    let (service, said) = saying(|client, say| {
        let mut line = String::new();
        let read = client.while_idle(|rfile| {
            say.send("idle".to_owned()).unwrap();
            rfile.read_line(&mut line)
        })?;
        say.send(format!("read {read}"))?;
        Ok(())
    });
    let mut server = TcpServer::bind("127.0.0.1:0", service).unwrap();
    let (handle, address) = (server.handle(), server.local_addr().unwrap());
    thread::scope(|scope| {
        let serving = scope.spawn(|| {
            assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
            server.drain(Drain::new().deadline(LONG).grace(LONG))
        });
        let client = connect(address);
        says(&said, "started");
        says(&said, "idle");
        handle.request_shutdown();
        handle.announce_drain();
        says(&said, "read 0");
        assert_eq!(read_to_end(&client), "");
        let report = serving.join().unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.idle_ended, report.finished), (1, 0), "{report}");
    });
}
