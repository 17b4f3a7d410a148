//! The pool of rayon's: its own threads, a limit, and what the other pool keeps as well.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use socketserver_concurrency::RayonPool;
use socketserver_core::testing::{Act, Hook, RecordingService, ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Dispatched, Ended, Finished, Handled, Job, Listener, ServerHandle, StopOrder,
};

use crate::support::{Do, Gate, eventually, request, server, serving};

#[test]
fn handlers_and_their_parts_run_in_threads_of_its_own() {
    let names = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&names);
    let note = move || {
        let name = thread::current().name().map(str::to_owned);
        seen.lock().unwrap().insert(name.unwrap_or_default());
    };
    let service = Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
        assert_eq!(rayon::current_num_threads(), 3);
        rayon::join(&note, &note);
        Ok(())
    });
    let (mut server, script) = server(RayonPool::new(3).name("cp\0u"), service);
    assert_eq!(server.concurrency().live_threads(), 0);
    request(&script, 200);
    serving(&mut server, |handle| {
        eventually("all served", || handle.counts().served == 200);
    });
    assert_eq!(server.concurrency().live_threads(), 3);
    server.close();
    assert_eq!(server.concurrency().live_threads(), 0);
    assert_eq!((server.counts().errors, server.counts().in_progress()), (0, 0));
    let own = ["cpu-1", "cpu-2", "cpu-3"];
    assert!(names.lock().unwrap().iter().all(|name| own.contains(&&**name)), "{names:?}");
}

#[test]
fn no_more_requests_are_taken_than_there_is_room_for() {
    for (pool, room) in [(RayonPool::new(2).max_requests(5), 5), (RayonPool::new(2), 4)] {
        let gate = Gate::new();
        let inside = gate.clone();
        let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
        request(&script, 20);
        serving(&mut server, |handle| {
            eventually("two run", || gate.inside() == 2);
            for done in 0..5 {
                // One wait for each request that was taken, one for room after each that ended, and the one
                // the loop is in.
                let waits = room + done + done + 1;
                eventually("the loop waits for room", || script.waits() >= waits);
                assert_eq!(handle.counts().accepted, room + done);
                assert_eq!(script.backlog() as u64, 20 - room - done);
                gate.allow(1);
            }
            gate.allow(15);
            eventually("all served", || handle.counts().served == 20);
        });
        assert_eq!(gate.most_inside(), 2);
        server.close();
        assert_eq!(server.concurrency().in_progress(), 0);
        assert_eq!(script.closed().closed(), 20);
    }
}

#[test]
fn a_full_pool_can_be_stopped_at_once() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = RayonPool::new(1).max_requests(2);
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
    assert_eq!((handle.counts().accepted, script.backlog()), (2, 3));
    gate.allow(2);
    // Waits for the one that runs and the one that waits for a thread.
    server.close();
    assert_eq!((server.counts().served, server.counts().in_progress()), (2, 0));
}

#[test]
fn failures_cost_one_request() {
    let service = RecordingService::new()
        .with(Hook::FinishRequest, 1, Act::Exit(3))
        .with(Hook::FinishRequest, 2, Act::Panic)
        .with(Hook::FinishRequest, 3, Act::Fail)
        .with(Hook::HandleError, 2, Act::Panic)
        .with(Hook::ShutdownRequest, 4, Act::Panic)
        .with(Hook::FinishRequest, 5, Act::Detach);
    let (mut server, script) = server(RayonPool::new(2), service);
    for _ in 0..6 {
        script.request("one");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        eventually("idle", || server.concurrency().in_progress() == 0);
        assert_eq!(server.concurrency().live_threads(), 2);
    }
    server.close();
    let counts = server.counts();
    assert_eq!((counts.served, counts.detached, counts.in_progress()), (5, 1, 0));
    assert_eq!((counts.errors, counts.hook_panics), (2, 2));
    assert_eq!(script.closed().closed(), 6);
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
fn even_a_job_that_unwinds_does_not_end_the_process() {
    let pool = RayonPool::new(1);
    let ran = Arc::new(AtomicUsize::new(0));
    let listener: &mut dyn Listener = &mut None::<ScriptedTransport>;
    for _ in 0..3 {
        let job = Unwinding(Arc::clone(&ran));
        assert!(matches!(pool.process_request(job, listener), Ok(Dispatched::Started)));
    }
    Concurrency::<Unwinding>::server_close(&pool);
    assert_eq!((ran.load(Ordering::Relaxed), pool.in_progress()), (3, 0));
}

#[test]
#[cfg(target_pointer_width = "64")] // a stack that cannot exist needs a number that can
fn threads_that_cannot_be_started_give_the_job_back() {
    let service = RecordingService::new();
    let calls = service.calls();
    let (mut server, script) = server(RayonPool::new(2).stack_size(1 << 47), service);
    request(&script, 2);
    for _ in 0..2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Rejected)));
    }
    assert_eq!(calls.hooks_of(thread::current().id()), ["VR HE SR CR"; 2].join(" "));
    assert_eq!(server.concurrency().in_progress(), 0);
    server.close();
    assert_eq!(server.concurrency().live_threads(), 0);
    assert_eq!((server.counts().unserved, script.closed().closed()), (2, 2));
}

#[test]
fn a_worker_that_drops_the_server_does_not_wait_for_itself() {
    let (give, given) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let given = Mutex::new(given);
    let (done, is_done) = mpsc::channel();
    let service = Do(move |request: &mut ScriptedRequest, _: &ServerHandle| {
        if request.name() == "0" {
            let drop_server = given.lock().map_err(|_| "poisoned")?.recv()?;
            drop_server();
        }
        done.send(request.name().to_owned())?;
        Ok(())
    });
    let (mut server, script) = server(RayonPool::new(1), service);
    request(&script, 2);
    for _ in 0..2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    give.send(Box::new(move || drop(server))).unwrap();
    // And the other one is still served, before the thread ends.
    assert_eq!(is_done.iter().collect::<Vec<_>>(), ["0", "1"]);
    assert_eq!(script.closed().closed(), 2);
}

#[test]
fn closing_a_pool_that_was_never_used_returns() {
    let (mut server, _script) =
        server(RayonPool::default(), Do(|_: &mut ScriptedRequest, _: &ServerHandle| Ok(())));
    server.close();
}

#[test]
fn ten_thousand_requests_leave_nothing_behind() {
    let (mut server, script) =
        server(RayonPool::new(4), Do(|_: &mut ScriptedRequest, _: &ServerHandle| Ok(())));
    request(&script, 10_000);
    serving(&mut server, |handle| {
        eventually("all served", || handle.counts().served == 10_000);
    });
    server.close();
    assert_eq!((script.closed().shut_down(), script.closed().closed()), (10_000, 10_000));
    assert_eq!(server.counts().in_progress(), 0);
    assert_eq!(server.concurrency().live_threads(), 0);
}
