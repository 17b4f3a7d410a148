//! All workers are busy and the queue is full: wait, refuse, or run in the loop.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};

use socketserver_concurrency::{ThreadPool, WhenFull};
use socketserver_core::testing::{Act, Hook, RecordingService, ScriptedRequest};
use socketserver_core::{
    Ended, Handled, HandlerError, Refusal, ServerConfig, ServerHandle, ServiceExt, StopOrder,
};

use crate::support::{Do, Gate, eventually, request, server, serving};

#[test]
fn wait_leaves_requests_in_the_backlog_until_a_worker_is_free() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(2).queue(3);
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    request(&script, 10);
    serving(&mut server, |handle| {
        for done in 0..5 {
            // One wait for each request that was taken, and the loop is in the next, each request that ended
            // having woken it once from one that no request can end.
            let waits = 5 + done + done + 1;
            eventually("the loop waits for room", || script.waits() >= waits);
            assert_eq!(handle.counts().accepted, 5 + done);
            assert_eq!(script.backlog() as u64, 5 - done);
            gate.allow(1);
        }
        gate.allow(5);
        eventually("all served", || handle.counts().served == 10);
    });
    server.close();
    let counts = server.counts();
    assert_eq!((counts.accepted, counts.overloaded, counts.in_progress()), (10, 0, 0));
    assert!(gate.most_inside() <= 2);
}

#[test]
fn wait_without_a_queue_takes_as_many_as_there_are_workers() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(2).queue(0);
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    request(&script, 4);
    serving(&mut server, |handle| {
        eventually("the loop waits for room", || script.waits() >= 3);
        assert_eq!((handle.counts().accepted, script.backlog()), (2, 2));
        gate.allow(4);
        eventually("all served", || handle.counts().served == 4);
    });
}

#[test]
fn a_full_pool_can_be_stopped_at_once() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(1);
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    request(&script, 5);
    let handle = server.handle();
    let serving = thread::spawn(move || {
        let ended = server.serve_forever();
        (server, ended)
    });
    eventually("the loop waits for room", || script.waits() >= 3);
    assert_eq!(handle.shutdown_handle().shutdown(), Ok(StopOrder::Delivered));
    let (mut server, ended) = serving.join().unwrap();
    assert_eq!(ended.unwrap(), Ended::Shutdown);
    assert_eq!((handle.counts().accepted, handle.counts().served, script.backlog()), (2, 0, 3));
    // What is in the backlog is there for the next run.
    gate.allow(5);
    crate::support::serving(&mut server, |handle| {
        eventually("all served", || handle.counts().served == 5);
    });
}

#[test]
fn handle_request_gives_up_in_time_while_the_pool_is_full() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(0);
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| inside.pass());
    let (mut server, script) = server(pool, service);
    server.set_config(ServerConfig::new().timeout(std::time::Duration::from_secs(1)));
    request(&script, 2);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(script.backlog(), 1);
    gate.allow(2);
    let status = server.concurrency().status();
    eventually("room", || status.in_progress() == 0);
    // The worker that made room may have woken the transport for it.
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
}

#[test]
fn refuse_has_a_last_word_and_counts() {
    let gate = Gate::new();
    let inside = gate.clone();
    let (told, receiver) = mpsc::channel();
    let pool = ThreadPool::new(2).queue(1).when_full(WhenFull::Refuse);
    let status = pool.status();
    let closed = Arc::new(Mutex::new(None::<socketserver_core::testing::Closed>));
    let watched = Arc::clone(&closed);
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| inside.pass()).on_refusal(
        move |request: &mut ScriptedRequest, client_address, refusal| {
            assert_eq!(refusal, Refusal::Overload);
            assert_eq!(request.name(), client_address);
            let watched = watched.lock().unwrap();
            let closed = watched.as_ref().unwrap();
            let state = (closed.shut_down(), closed.closed());
            told.send((request.name().to_owned(), thread::current().id(), state)).unwrap();
        },
    );
    let (mut server, script) = server(pool, service);
    *closed.lock().unwrap() = Some(script.closed().clone());
    request(&script, 7);
    for _ in 0..3 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    for refused in 1..=4 {
        assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
        assert_eq!((server.counts().overloaded, status.refused()), (refused, refused));
        assert_eq!((script.closed().shut_down(), script.closed().closed()), (refused, refused));
    }
    let here = thread::current().id();
    // At the time of the hook the request it is about is open.
    let expected: Vec<(String, ThreadId, (u64, u64))> =
        (0..4).map(|before| ((3 + before).to_string(), here, (before, before))).collect();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), expected);
    gate.allow(3);
    server.close();
    let counts = server.counts();
    assert_eq!((counts.accepted, counts.served, counts.overloaded), (7, 3, 4));
    assert_eq!((counts.refused, counts.in_progress()), (0, 0));
}

#[test]
fn refuse_takes_again_when_there_is_room() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(0).when_full(WhenFull::Refuse);
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    let status = server.concurrency().status();
    for round in 1..=50 {
        request(&script, 2);
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
        assert_eq!(status.refused(), round);
        gate.allow(1);
        eventually("room", || status.in_progress() == 0);
    }
    server.close();
    assert_eq!((server.counts().served, server.counts().overloaded), (50, 50));
}

#[test]
fn a_panic_of_the_overload_hook_unwinds_after_the_request_is_closed() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(0).when_full(WhenFull::Refuse);
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| inside.pass())
        .on_refusal(|_: &mut ScriptedRequest, _, _| panic!("overloaded"));
    let (mut server, script) = server(pool, service);
    request(&script, 2);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = server.handle_request();
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"overloaded"));
    assert_eq!(script.closed().closed(), 1);
    gate.allow(1);
    server.close();
    let counts = server.counts();
    assert_eq!((counts.overloaded, counts.hook_panics, counts.in_progress()), (1, 1, 0));
}

#[test]
fn run_in_loop_runs_in_the_serving_thread_what_finds_no_room() {
    let gate = Gate::new();
    let inside = gate.clone();
    let here = thread::current().id();
    let pool = ThreadPool::new(1).queue(1).when_full(WhenFull::RunInLoop);
    let service = Do(move |request: &mut ScriptedRequest, _: &ServerHandle| {
        if thread::current().id() != here {
            return inside.pass();
        }
        match request.name() {
            "4" => Err(HandlerError::exit(7)),
            _ => Ok(()),
        }
    });
    let (mut server, script) = server(pool, service);
    let status = server.concurrency().status();
    request(&script, 5);
    for _ in 0..2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    for served in 1..=2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Served)));
        assert_eq!(server.counts().served, served);
    }
    match server.handle_request() {
        Ok(Handled::Exited(exit)) => assert_eq!(exit.code(), 7),
        other => panic!("{other:?}"),
    }
    gate.allow(2);
    server.close();
    assert_eq!((server.counts().served, status.refused()), (5, 0));
    assert_eq!(server.counts().in_progress(), 0);
}

#[test]
fn an_exit_in_the_loop_ends_it() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(0).when_full(WhenFull::RunInLoop);
    let service = Do(move |request: &mut ScriptedRequest, _: &ServerHandle| match request.name() {
        "0" => inside.pass(),
        _ => Err(HandlerError::exit(7)),
    });
    let (mut server, script) = server(pool, service);
    request(&script, 3);
    assert!(matches!(server.serve_forever(), Ok(Ended::Exited(exit)) if exit.code() == 7));
    assert_eq!(script.backlog(), 1);
    gate.allow(1);
}

#[test]
fn verify_is_asked_before_room_is_taken() {
    let service = RecordingService::new().with(Hook::VerifyRequest, 1, Act::Fail);
    let pool = ThreadPool::new(1).queue(0);
    let (mut server, script) = server(pool, service);
    request(&script, 2);
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();
    assert_eq!((server.counts().refused, server.counts().served), (1, 1));
}
