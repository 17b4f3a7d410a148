//! A thread per request: threads that have served one wait for another, for as long as they may, and go.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]
#![cfg_attr(
    windows,
    expect(
        clippy::missing_const_for_thread_local,
        reason = "it is const: a mistake of the lint's"
    )
)]
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Arc, Barrier, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use socketserver_concurrency::ThreadPerRequest;
use socketserver_core::testing::{ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Drain, Handled, HandlerError, HandlerResult, Patience, Server, ServerHandle,
    Service, ServiceJob,
};

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// A service whose `finish_request` is a closure, and which says nothing about errors.
struct Do<F>(F);

impl<F> Service<ScriptedRequest> for Do<F>
where
    F: Fn(&ScriptedRequest) -> HandlerResult,
{
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _: &String,
        _: &ServerHandle,
    ) -> HandlerResult {
        (self.0)(request)
    }

    fn handle_error(&self, _: &mut ScriptedRequest, _: &String, _: HandlerError) {}
}

type Job = ServiceJob<ScriptedRequest, Do<fn(&ScriptedRequest) -> HandlerResult>>;
type Threads<F> = Server<ScriptedTransport, ThreadPerRequest, Do<F>>;

fn server<F>(threads: ThreadPerRequest, handle: F) -> Threads<F>
where
    F: Fn(&ScriptedRequest) -> HandlerResult + Send + Sync + 'static,
{
    Server::new(ScriptedTransport::new(), threads, Do(handle))
}

fn request<F>(server: &mut Threads<F>, name: &str)
where
    F: Fn(&ScriptedRequest) -> HandlerResult + Send + Sync + 'static,
{
    server.transport().unwrap().script().request(name);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
}

fn wait_until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < deadline, "it does not come to that");
        thread::yield_now();
    }
}

/// Serves so many requests at the same time, and waits until all their threads are idle.
fn warm_up<F>(server: &mut Threads<F>, together: &Barrier, many: usize)
where
    F: Fn(&ScriptedRequest) -> HandlerResult + Send + Sync + 'static,
{
    for _ in 0..many {
        request(server, "together");
    }
    together.wait();
    wait_until(|| server.concurrency().idle_threads() == many);
}

/// A server with eight idle threads.
fn with_idle_threads(
    threads: ThreadPerRequest,
) -> Threads<impl Fn(&ScriptedRequest) -> HandlerResult + Send + Sync + 'static> {
    let together = Arc::new(Barrier::new(9));
    let inside = Arc::clone(&together);
    let mut server = server(threads, move |_| {
        inside.wait();
        Ok(())
    });
    warm_up(&mut server, &together, 8);
    server
}

/// A server whose handlers send who they are, and a way to hear that.
fn telling(
    threads: ThreadPerRequest,
) -> (
    Threads<impl Fn(&ScriptedRequest) -> HandlerResult + Send + Sync + 'static>,
    mpsc::Receiver<ThreadId>,
) {
    let (tell, told) = mpsc::channel();
    let server = server(threads, move |request| {
        tell.send(thread::current().id())?;
        assert_ne!(request.name(), "panic", "as it was told to");
        Ok(())
    });
    (server, told)
}

#[test]
fn a_thread_serves_one_request_after_another() {
    let (mut server, told) = telling(ThreadPerRequest::new().idle_time(FOR_EVER));
    let mut threads = HashSet::new();
    for _ in 0..50 {
        request(&mut server, "next");
        threads.insert(told.recv_timeout(PATIENCE).unwrap());
        wait_until(|| server.concurrency().idle_threads() == 1);
    }
    assert_eq!((threads.len(), server.concurrency().live_threads()), (1, 1));
    server.close();
    assert_eq!(server.concurrency().live_threads(), 0);
    assert_eq!(server.counts().served, 50);
}

#[test]
fn with_an_idle_time_of_zero_each_request_has_a_new_thread() {
    let (mut server, told) = telling(ThreadPerRequest::new().idle_time(Duration::ZERO));
    let mut threads = HashSet::new();
    for _ in 0..20 {
        request(&mut server, "next");
        threads.insert(told.recv_timeout(PATIENCE).unwrap());
        wait_until(|| server.concurrency().live_threads() == 0);
    }
    assert_eq!(threads.len(), 20);
}

#[test]
fn idle_threads_end_after_their_time_without_any_request() {
    let (mut server, _told) = telling(ThreadPerRequest::new().idle_time(Duration::from_millis(5)));
    for _ in 0..5 {
        request(&mut server, "next");
    }
    wait_until(|| server.concurrency().live_threads() == 0);
    assert_eq!(server.concurrency().idle_threads(), 0);
    request(&mut server, "one more");
    server.close();
    assert_eq!(server.counts().served, 6);
}

#[test]
fn idle_threads_limit_nothing() {
    let together = Arc::new(Barrier::new(4));
    let inside = Arc::clone(&together);
    let mut server = server(ThreadPerRequest::new().idle_time(FOR_EVER), move |request| {
        if request.name() == "together" {
            inside.wait();
        }
        Ok(())
    });
    request(&mut server, "alone");
    wait_until(|| server.concurrency().idle_threads() == 1);
    for _ in 0..20 {
        // All are inside before one of them leaves.
        warm_up(&mut server, &together, 3);
    }
    assert_eq!(server.concurrency().live_threads(), 3);
}

#[test]
fn closing_waits_for_no_idle_thread() {
    let mut server = with_idle_threads(ThreadPerRequest::new().idle_time(FOR_EVER));
    server.close();
    assert_eq!(server.concurrency().live_threads(), 0);
    assert_eq!(server.concurrency().idle_threads(), 0);
}

#[test]
fn idle_threads_end_before_a_fork_and_others_come_after_it() {
    let (mut server, told) = telling(ThreadPerRequest::new().idle_time(FOR_EVER));
    for _ in 0..2 {
        request(&mut server, "next");
        told.recv_timeout(PATIENCE).unwrap();
        wait_until(|| server.concurrency().idle_threads() == 1);
        Concurrency::<Job>::before_fork(server.concurrency());
        assert_eq!(server.concurrency().live_threads(), 0);
    }
    server.close();
    assert_eq!(server.counts().served, 2);
}

#[test]
fn an_idle_thread_is_no_worker_that_is_left() {
    let mut server = with_idle_threads(ThreadPerRequest::new().idle_time(FOR_EVER));
    let report = server.drain(Drain::new().deadline(Duration::ZERO).grace(Duration::ZERO));
    assert_eq!((report.workers_left, report.is_clean()), (0, true));

    let over = Patience::until(Instant::now());
    let threads = server.concurrency();
    assert_eq!(Concurrency::<Job>::wait_for_workers(threads, &over), 0);
}

#[test]
fn daemons_that_are_idle_end_when_the_server_goes() {
    for close in [false, true] {
        let (tell, told) = mpsc::channel();
        let threads = ThreadPerRequest::new().daemon_threads(true).idle_time(FOR_EVER);
        let mut server = server(threads, move |_| {
            LAST.set(vec![Last(tell.clone())]);
            Ok(())
        });
        request(&mut server, "one");
        wait_until(|| server.concurrency().idle_threads() == 1);
        assert_eq!(server.concurrency().live_threads(), 0);
        if close {
            server.close();
        } else {
            drop(server);
        }
        told.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn a_panic_costs_its_request_and_not_the_thread() {
    let (mut server, told) = telling(ThreadPerRequest::new().idle_time(FOR_EVER));
    let threads: HashSet<_> = ["good", "panic", "good"]
        .map(|name| {
            request(&mut server, name);
            let thread = told.recv_timeout(PATIENCE).unwrap();
            wait_until(|| server.concurrency().idle_threads() == 1);
            thread
        })
        .into();
    server.close();
    assert_eq!(threads.len(), 1);
    assert_eq!((server.counts().served, server.counts().errors), (3, 1));
}

#[test]
fn what_an_idle_thread_had_is_gone() {
    let shared = Arc::new(());
    let held = Arc::downgrade(&shared);
    let mut server = server(ThreadPerRequest::new().idle_time(FOR_EVER), move |_| {
        let _ = &shared;
        Ok(())
    });
    request(&mut server, "one");
    wait_until(|| server.concurrency().idle_threads() == 1);
    assert_eq!(held.strong_count(), 1, "the service's own");
}

/// Threads leave while work comes: neither is lost.
#[test]
fn no_request_is_lost_to_a_thread_that_leaves() {
    for nanos in [1, 1_000, 20_000, 100_000] {
        let (mut server, told) =
            telling(ThreadPerRequest::new().idle_time(Duration::from_nanos(nanos)));
        for _ in 0..500 {
            request(&mut server, "next");
            told.recv_timeout(PATIENCE).unwrap();
        }
        server.close();
        assert_eq!(server.counts().served, 500);
        assert_eq!(server.concurrency().live_threads(), 0);
    }
}

/// Tells when its thread ends.
struct Last(mpsc::Sender<ThreadId>);

impl Drop for Last {
    fn drop(&mut self) {
        // Nobody may be listening any more.
        let _ = self.0.send(thread::current().id());
    }
}

thread_local! {
    static LAST: RefCell<Vec<Last>> = const { RefCell::new(Vec::new()) };
}
