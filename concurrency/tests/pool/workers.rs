//! Workers: as many as needed and no more, named, retired when idle, and not lost to a panic.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use socketserver_concurrency::ThreadPool;
use socketserver_core::testing::{Act, Hook, RecordingService, ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Counts, Dispatched, Finished, Handled, Job, Listener, ServerHandle,
};

use crate::support::{Do, Gate, Pooled, eventually, request, server, serving};

/// Every accepted request has left through one of the doors.
fn assert_adds_up(counts: Counts, accepted: u64) {
    assert_eq!(counts.accepted, accepted);
    assert_eq!(counts.in_progress(), 0, "{counts:?}");
}

#[test]
fn requests_run_side_by_side_on_named_workers() {
    let together = Arc::new(Barrier::new(4));
    let (names, receiver) = mpsc::channel();
    let inside = Arc::clone(&together);
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
        names.send(thread::current().name().map(str::to_owned))?;
        inside.wait();
        Ok(())
    });
    let (mut server, script) = server(ThreadPool::new(3).name("wor\0ker"), service);
    request(&script, 3);
    for _ in 0..3 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    together.wait();
    server.close();
    let mut names: Vec<_> = receiver.try_iter().flatten().collect();
    names.sort();
    assert_eq!(names, ["worker-1", "worker-2", "worker-3"]);
    assert_eq!(server.counts().served, 3);
}

#[test]
fn never_more_at_once_than_there_are_workers() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(3).queue(5);
    let status = pool.status();
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    request(&script, 100);
    serving(&mut server, |handle| {
        eventually("three busy", || gate.inside() == 3);
        eventually("a full queue", || status.queued() == 5);
        assert_eq!((status.workers(), status.busy(), status.refused()), (3, 3, 0));
        gate.allow(100);
        eventually("all served", || handle.counts().served == 100);
    });
    assert_eq!(gate.most_inside(), 3);
    server.close();
    assert_eq!((status.workers(), status.busy(), status.queued()), (0, 0, 0));
    assert_eq!(script.closed().closed(), 100);
}

#[test]
fn workers_are_started_when_they_are_needed_and_kept() {
    let (mut server, script) =
        server(ThreadPool::new(8).idle_timeout(Duration::MAX), Do(|_: &mut _, _: &_| Ok(())));
    let status = server.concurrency().status();
    assert_eq!(status.workers(), 0);
    for _ in 0..100 {
        script.request("one");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        eventually("idle", || status.in_progress() == 0);
    }
    assert_eq!(status.workers(), 1, "one after another is work for one");
    server.close();
    assert_adds_up(server.counts(), 100);
}

/// Has `busy` workers at once, then waits for all but `left` to retire.
fn retire<S>(server: &mut Pooled<S>, gate: &Gate, busy: usize, left: usize)
where
    S: socketserver_core::Service<ScriptedRequest> + Send + Sync + 'static,
{
    let status = server.concurrency().status();
    for _ in 0..busy {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    eventually("all busy", || gate.inside() == busy);
    assert_eq!(status.workers(), busy);
    gate.allow(busy);
    eventually("idle workers retired", || status.workers() == left);
}

#[test]
fn idle_workers_above_the_minimum_retire() {
    for (min, idle) in [(0, 1), (2, 1), (2, 0), (9, 1)] {
        let gate = Gate::new();
        let inside = gate.clone();
        let pool = ThreadPool::new(5).min_workers(min).idle_timeout(Duration::from_millis(idle));
        let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
        let status = server.concurrency().status();
        // Again and again: those who stay are not the ones who stay for ever.
        for _ in 0..5 {
            request(&script, 5);
            retire(&mut server, &gate, 5, min.min(5));
        }
        // And what is left still works.
        script.request("last");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        gate.allow(1);
        eventually("the last is served", || server.counts().served == 26);
        eventually("idle", || status.in_progress() == 0);
        server.close();
        assert_eq!(status.workers(), 0);
        assert_adds_up(server.counts(), 26);
    }
}

#[test]
fn retiring_workers_lose_no_request() {
    let pool = ThreadPool::new(4).idle_timeout(Duration::ZERO);
    let (mut server, script) = server(pool, Do(|_: &mut _, _: &_| Ok(())));
    for _ in 0..3000 {
        script.request("one");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    eventually("all served without a close", || server.counts().served == 3000);
    server.close();
    assert_eq!(script.closed().closed(), 3000);
}

#[test]
fn failures_cost_one_request_and_never_a_worker() {
    let service = RecordingService::new()
        .with(Hook::FinishRequest, 1, Act::Exit(3))
        .with(Hook::FinishRequest, 2, Act::Panic)
        .with(Hook::FinishRequest, 3, Act::Fail)
        .with(Hook::HandleError, 2, Act::Panic)
        .with(Hook::ShutdownRequest, 4, Act::Panic)
        .with(Hook::FinishRequest, 5, Act::Detach);
    let threads = service.calls();
    let (mut server, script) = server(ThreadPool::new(1), service);
    let status = server.concurrency().status();
    for _ in 0..6 {
        script.request("one");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        eventually("idle", || status.in_progress() == 0);
        assert_eq!(status.workers(), 1);
    }
    server.close();
    let counts = server.counts();
    assert_adds_up(counts, 6);
    assert_eq!((counts.served, counts.detached), (5, 1));
    assert_eq!((counts.errors, counts.hook_panics), (2, 2));
    assert_eq!(script.closed().closed(), 6);
    assert_eq!(threads.hooks_of(thread::current().id()), ["VR"; 6].join(" "));
}

/// A job that breaks its promise.
struct Unwinding(Arc<AtomicUsize>);

impl Job for Unwinding {
    fn run(self) -> Finished {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("a job that unwinds");
    }

    fn overloaded(self) -> Finished {
        Finished::Refused
    }

    fn close_request(self) {}
}

#[test]
fn even_a_job_that_unwinds_costs_no_worker() {
    let pool = ThreadPool::new(1).queue(9);
    let status = pool.status();
    let ran = Arc::new(AtomicUsize::new(0));
    let listener: &mut dyn Listener = &mut None::<ScriptedTransport>;
    for _ in 0..10 {
        let job = Unwinding(Arc::clone(&ran));
        assert!(matches!(pool.process_request(job, listener), Ok(Dispatched::Started)));
    }
    eventually("all ran", || ran.load(Ordering::Relaxed) == 10);
    eventually("idle", || status.in_progress() == 0);
    assert_eq!(status.workers(), 1);
    // It goes without having been closed: the worker ends all the same.
    drop(pool);
    eventually("no worker", || status.workers() == 0);
}

#[test]
fn a_closed_pool_takes_nothing() {
    let pool = ThreadPool::new(1);
    Concurrency::<Unwinding>::server_close(&pool);
    let ran = Arc::new(AtomicUsize::new(0));
    let listener: &mut dyn Listener = &mut None::<ScriptedTransport>;
    let outcome = pool.process_request(Unwinding(Arc::clone(&ran)), listener);
    assert!(matches!(outcome, Ok(Dispatched::Finished(Finished::Refused))));
    assert_eq!(pool.status().workers(), 0);
}

#[test]
#[cfg(target_pointer_width = "64")] // a stack that cannot exist needs a number that can
fn a_worker_that_cannot_be_started_gives_the_job_back() {
    let service = RecordingService::new();
    let calls = service.calls();
    let (mut server, script) = server(ThreadPool::new(2).stack_size(1 << 47), service);
    let status = server.concurrency().status();
    request(&script, 3);
    for _ in 0..3 {
        assert!(matches!(server.handle_request(), Ok(Handled::Rejected)));
    }
    assert_eq!(calls.hooks_of(thread::current().id()), ["VR HE SR CR"; 3].join(" "));
    assert_eq!((status.workers(), status.busy(), status.queued()), (0, 0, 0));
    server.close();
    assert_eq!((server.counts().unserved, script.closed().closed()), (3, 3));
}

#[test]
fn sizes_beyond_reason_are_cut() {
    let pool = ThreadPool::new(0).queue(0);
    let small = format!("{pool:?}");
    assert!(small.contains("max_workers: 1") && small.contains("queue: 0"), "{small}");
    let pool = pool.max_workers(usize::MAX).queue(usize::MAX).min_workers(usize::MAX);
    let listener: &mut dyn Listener = &mut None::<ScriptedTransport>;
    let ran = Arc::new(AtomicUsize::new(0));
    assert!(pool.process_request(Unwinding(Arc::clone(&ran)), listener).is_ok());
    eventually("it ran", || ran.load(Ordering::Relaxed) == 1);
}

#[test]
fn ten_thousand_requests_leave_nothing_behind() {
    let workers = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&workers);
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
        seen.lock().map_err(|_| "poisoned")?.insert(thread::current().id());
        Ok(())
    });
    // What the service holds is let go of when the last job is.
    let held = Arc::downgrade(&workers);
    let (mut server, script) = server(ThreadPool::new(8).idle_timeout(Duration::MAX), service);
    let status = server.concurrency().status();
    request(&script, 10_000);
    serving(&mut server, |handle| {
        eventually("all served", || handle.counts().served == 10_000);
    });
    assert!(status.workers() <= 8);
    server.close();
    assert_adds_up(server.counts(), 10_000);
    assert_eq!((script.closed().shut_down(), script.closed().closed()), (10_000, 10_000));
    assert_eq!((status.workers(), status.busy(), status.queued()), (0, 0, 0));
    assert!(workers.lock().unwrap().len() <= 8);
    drop((server, workers));
    assert_eq!(held.strong_count(), 0);
}

#[test]
fn the_status_can_be_read_by_others_while_the_pool_works() -> io::Result<()> {
    let pool = ThreadPool::new(4).queue(4);
    let status = pool.status();
    let (mut server, script) = server(pool, Do(|_: &mut _, _: &_| Ok(())));
    let done = Arc::new(AtomicBool::new(false));
    let reader = thread::Builder::new().spawn({
        let (status, done) = (status.clone(), Arc::clone(&done));
        move || {
            while !done.load(Ordering::Relaxed) {
                assert!(status.workers() <= 4);
                assert!(status.queued() <= 8, "those for idle workers and those who wait");
                assert!(status.busy() <= 8);
            }
        }
    })?;
    request(&script, 2000);
    serving(&mut server, |handle| {
        eventually("all served", || handle.counts().served == 2000);
    });
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    server.close();
    assert_eq!(format!("{status:?}"), "PoolStatus { workers: 0, queued: 0, busy: 0, refused: 0 }");
    Ok(())
}
