//! What closing a pool does with requests in progress and in the queue, and who may close it.

use std::sync::{Mutex, mpsc};
use std::thread;

use socketserver_concurrency::{AtClose, ThreadPool};
use socketserver_core::testing::ScriptedRequest;
use socketserver_core::{Counts, Handled, ServerHandle, StopOrder};

use crate::support::{Do, Gate, eventually, request, server};

/// Closes a server of which two requests are with workers and three in the queue.
fn close(policy: AtClose) -> (Counts, u64, u64) {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(2).queue(3).at_close(policy);
    let status = pool.status();
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    let handle = server.handle();
    request(&script, 5);
    for _ in 0..5 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    eventually("two busy", || gate.inside() == 2);
    let closer = thread::spawn(move || server.close());
    match policy {
        AtClose::Discard => eventually("discarded", || handle.counts().unserved == 3),
        // Closing waits: what it would do otherwise, it would have done by then, most of the time.
        _ => gate.allow(1),
    }
    gate.allow(5);
    closer.join().unwrap();
    assert_eq!((status.workers(), status.busy(), status.queued()), (0, 0, 0));
    (handle.counts(), script.closed().shut_down(), script.closed().closed())
}

#[test]
fn closing_serves_the_queue() {
    let (counts, shut_down, closed) = close(AtClose::Serve);
    assert_eq!((counts.served, counts.unserved, counts.in_progress()), (5, 0, 0));
    assert_eq!((shut_down, closed), (5, 5));
}

#[test]
fn closing_discards_the_queue_if_told_to() {
    let (counts, shut_down, closed) = close(AtClose::Discard);
    assert_eq!((counts.served, counts.unserved, counts.in_progress()), (2, 3, 0));
    // Nobody says goodbye to those.
    assert_eq!((shut_down, closed), (2, 5));
}

#[test]
fn closing_does_not_wait_for_daemons() {
    let gate = Gate::new();
    let inside = gate.clone();
    let pool = ThreadPool::new(1).queue(1).daemon_threads(true);
    let status = pool.status();
    let (mut server, script) = server(pool, Do(move |_: &mut _, _: &_| inside.pass()));
    request(&script, 2);
    for _ in 0..2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    server.close();
    assert_eq!(server.counts().in_progress(), 2);
    gate.allow(2);
    // The queue is served all the same, then the worker ends.
    eventually("the worker has ended", || status.workers() == 0);
    assert_eq!((server.counts().served, script.closed().closed()), (2, 2));
}

#[test]
fn closing_an_idle_pool_does_not_wait_for_the_idle_timeout() {
    for min_workers in [0, 4] {
        let pool = ThreadPool::new(4)
            .min_workers(min_workers)
            .idle_timeout(std::time::Duration::from_secs(3600));
        let status = pool.status();
        let (mut server, script) = server(pool, Do(|_: &mut _, _: &_| Ok(())));
        script.request("one");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        eventually("idle", || status.in_progress() == 0);
        assert_eq!(status.workers(), 1);
        server.close();
        assert_eq!(status.workers(), 0);
        // A second time does nothing.
        server.close();
    }
}

#[test]
fn closing_a_pool_that_was_never_used_returns() {
    let (mut server, _script) =
        server(ThreadPool::default(), Do(|_: &mut ScriptedRequest, _: &ServerHandle| Ok(())));
    server.close();
}

#[test]
fn a_worker_can_stop_the_server_and_wait_for_that() {
    let (sender, receiver) = mpsc::channel();
    let service = Do(move |_: &mut ScriptedRequest, server: &ServerHandle| {
        sender.send(server.shutdown_handle().shutdown())?;
        Ok(())
    });
    // Even with no room left, when the loop waits for this very worker.
    let (mut server, script) = server(ThreadPool::new(1).queue(0), service);
    request(&script, 2);
    server.serve_forever().unwrap();
    server.close();
    assert_eq!(receiver.recv().unwrap(), Ok(StopOrder::Delivered));
    assert_eq!((server.counts().served, script.backlog()), (1, 1));
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
    let pool = ThreadPool::new(1).queue(1);
    let status = pool.status();
    let (mut server, script) = server(pool, service);
    request(&script, 2);
    for _ in 0..2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    give.send(Box::new(move || drop(server))).unwrap();
    // And it still serves what was in the queue, then ends.
    assert_eq!(is_done.iter().collect::<Vec<_>>(), ["0", "1"]);
    eventually("the worker has ended", || status.workers() == 0);
    assert_eq!(script.closed().closed(), 2);
}
