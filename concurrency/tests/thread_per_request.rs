//! A thread per request: side by side, named, joined or not, and what happens when one cannot start.

use std::io;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use socketserver_concurrency::ThreadPerRequest;
use socketserver_core::testing::{Act, Hook, RecordingService, ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    GetRequestError, Handled, HandlerResult, Readiness, Server, ServerHandle, Service, StopOrder,
    Transport, Wait, Waker,
};

/// A service whose `finish_request` is a closure.
struct Do<F>(F);

impl<F> Service<ScriptedRequest> for Do<F>
where
    F: Fn(&mut ScriptedRequest, &ServerHandle) -> HandlerResult,
{
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _client: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        (self.0)(request, server)
    }
}

#[test]
fn requests_run_side_by_side_in_threads_with_names() {
    let together = Arc::new(Barrier::new(4));
    let (names, receiver) = mpsc::channel();
    let inside = Arc::clone(&together);
    let transport = ScriptedTransport::new();
    transport.script().request("one").request("two").request("three");
    let threads = ThreadPerRequest::new().name("wor\0ker");
    let mut server = Server::new(
        transport,
        threads,
        Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
            names.send(thread::current().name().map(str::to_owned))?;
            inside.wait();
            Ok(())
        }),
    );
    for _ in 0..3 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    assert_eq!(server.concurrency().live_threads(), 3);
    together.wait();
    server.close();
    assert_eq!(server.concurrency().live_threads(), 0);
    let mut names: Vec<_> = receiver.try_iter().flatten().collect();
    names.sort();
    assert_eq!(names, ["worker-1", "worker-2", "worker-3"]);
    assert_eq!(server.counts().served, 3);
}

#[test]
fn hooks_run_where_they_should() {
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Fail);
    let calls = service.calls();
    let mut server = Server::new(transport, ThreadPerRequest::new(), service);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();
    assert_eq!(calls.hooks_of(thread::current().id()), "VR");
    assert_eq!(calls.hooks(), "VR FR HE SR CR");
}

#[test]
fn exits_and_panics_cost_one_request_and_the_loop_goes_on() {
    let transport = ScriptedTransport::new();
    for name in ["exit", "panic", "bad hook", "good"] {
        transport.script().request(name);
    }
    let script = transport.script();
    let service = RecordingService::new()
        .with(Hook::FinishRequest, 1, Act::Exit(3))
        .with(Hook::FinishRequest, 2, Act::Panic)
        .with(Hook::FinishRequest, 3, Act::Fail)
        .with(Hook::HandleError, 2, Act::Panic);
    let mut server = Server::new(transport, ThreadPerRequest::new(), service);
    for _ in 0..4 {
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        // The acts are counted in the order of calls: let each thread end before the next starts.
        while server.counts().in_progress() > 0 {
            thread::yield_now();
        }
    }
    server.close();
    let counts = server.counts();
    assert_eq!((counts.served, counts.errors, counts.hook_panics), (4, 2, 1));
    assert_eq!(script.closed().closed(), 4);
}

#[test]
fn closing_waits_for_threads_in_progress() {
    let gate = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&gate);
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let mut server = Server::new(
        transport,
        ThreadPerRequest::new(),
        Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
            inside.wait();
            Ok(())
        }),
    );
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    let closer = thread::spawn(move || {
        server.close();
        server.counts()
    });
    gate.wait();
    assert_eq!(closer.join().unwrap().served, 1);
}

#[test]
fn closing_does_not_wait_for_daemons() {
    let (finish, finished) = mpsc::channel::<()>();
    let finished = Mutex::new(finished);
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let mut server = Server::new(
        transport,
        ThreadPerRequest::new().daemon_threads(true),
        Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
            // Ends when the test does.
            let _ = finished.lock().map(|finished| finished.recv());
            Ok(())
        }),
    );
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();
    assert_eq!(server.counts().in_progress(), 1);
    drop(finish);
}

#[test]
fn a_worker_can_stop_the_server_and_wait_for_that() {
    let (sender, receiver) = mpsc::channel();
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let mut server = Server::new(
        transport,
        ThreadPerRequest::new(),
        Do(move |_: &mut ScriptedRequest, server: &ServerHandle| {
            sender.send(server.shutdown_handle().shutdown())?;
            Ok(())
        }),
    );
    server.serve_forever().unwrap();
    server.close();
    // The loop may have started another turn or not; it was in progress in any case.
    assert_eq!(receiver.recv().unwrap(), Ok(StopOrder::Delivered));
}

#[test]
fn a_worker_that_drops_the_server_does_not_wait_for_itself() {
    let (give, given) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let given = Mutex::new(given);
    let (done, is_done) = mpsc::channel();
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let mut server = Server::new(
        transport,
        ThreadPerRequest::new(),
        Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
            let drop_server = given.lock().map_err(|_| "poisoned")?.recv()?;
            drop_server();
            done.send(())?;
            Ok(())
        }),
    );
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    give.send(Box::new(move || drop(server))).unwrap();
    is_done.recv().unwrap();
}

#[test]
#[cfg(target_pointer_width = "64")] // a stack that cannot exist needs a number that can
fn a_thread_that_cannot_be_started_gives_the_job_back() {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    script.request("one");
    let service = RecordingService::new();
    let calls = service.calls();
    let threads = ThreadPerRequest::new().stack_size(1 << 47);
    let mut server = Server::new(transport, threads, service);
    assert!(matches!(server.handle_request(), Ok(Handled::Rejected)));
    assert_eq!(calls.hooks_of(thread::current().id()), "VR HE SR CR");
    assert_eq!(server.concurrency().live_threads(), 0);
    server.close();
    assert_eq!((server.counts().unserved, script.closed().closed()), (1, 1));
}

/// A transport that tells when it is dropped.
struct Telling(ScriptedTransport, mpsc::Sender<()>);

impl Transport for Telling {
    type Request = ScriptedRequest;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.0.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(ScriptedRequest, String), GetRequestError> {
        self.0.get_request()
    }

    fn local_addr(&self) -> io::Result<String> {
        self.0.local_addr()
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        // Nobody may be listening any more.
        let _ = self.1.send(());
    }
}

#[test]
fn the_listener_is_closed_before_threads_are_waited_for() {
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let (sender, dropped) = mpsc::channel();
    let dropped = Mutex::new(dropped);
    let mut server = Server::new(
        Telling(transport, sender),
        ThreadPerRequest::new(),
        // Ends only when the listener is closed.
        Do(move |_: &mut ScriptedRequest, _: &ServerHandle| {
            dropped.lock().map_err(|_| "poisoned")?.recv()?;
            Ok(())
        }),
    );
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();
    assert_eq!((server.counts().served, server.counts().errors), (1, 0));
}

#[test]
fn many_short_threads_are_all_joined() {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let mut server = Server::new(
        transport,
        ThreadPerRequest::new(),
        Do(|_: &mut ScriptedRequest, _: &ServerHandle| Ok(())),
    );
    for _ in 0..2000 {
        script.request("short");
        assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    }
    server.close();
    assert_eq!(server.counts().served, 2000);
    assert_eq!(script.closed().closed(), 2000);
}

#[test]
fn a_panic_in_closing_ends_that_request_only() {
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let service = RecordingService::new().with(Hook::ShutdownRequest, 1, Act::Panic);
    let mut server = Server::new(transport, ThreadPerRequest::new(), service);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    server.close();
    assert_eq!((server.counts().served, server.counts().hook_panics), (1, 1));
}
