//! A stop in the middle of a load that comes from memory, from another thread.

use std::cell::{Cell, OnceCell};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use proptest::prelude::*;
use socketserver::concurrency::Synchronous;
use socketserver_core::testing::{
    Hook, Inline, RecordingService, ScriptedRequest, ScriptedTransport,
};
use socketserver_core::{
    Concurrency, Dispatched, Ended, HandlerError, HandlerResult, Job, Listener, PollInterval,
    Rejected, Server, ServerConfig, ServerHandle, Service, ServiceJob, ShutdownHandle, StopOrder,
};

use crate::load::{
    Fate, Fates, Load, PATIENCE, StopAt, Who, check_books, join, load, patient, pool, threads,
};

struct Fated {
    fates: Arc<Fates>,
    /// When `service_actions` stops the server.
    accepted: u64,
    /// Whether the server has stopped.
    over: Arc<AtomicBool>,
}

impl Service<ScriptedRequest> for Fated {
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        match self.fates.begin() {
            Fate::Served | Fate::Refused => {}
            Fate::Fails => return Err("it failed".into()),
            Fate::Panics => resume_unwind(Box::new("it panicked")),
            Fate::Detaches => request.detach(),
            Fate::Stops => drop(server.request_shutdown()),
        }
        Ok(())
    }

    fn verify_request(&self, _: &ScriptedRequest, _: &String) -> bool {
        assert!(!self.over.load(Ordering::SeqCst), "it comes after the stop");
        self.fates.verify()
    }

    fn handle_error(&self, _: &mut ScriptedRequest, _: &String, _: HandlerError) {}

    fn service_actions(&self, server: &ServerHandle) {
        if server.counts().accepted >= self.accepted {
            server.request_shutdown();
        }
    }
}

fn run<C>(load: &Load, concurrency: C)
where
    C: Concurrency<ServiceJob<ScriptedRequest, Fated>> + Send,
{
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let clients = load.fates.len() as u64;
    let accepted = if let StopAt::Accepted(count) = load.stop { count } else { clients };
    let fates = Arc::new(Fates::new(&load.fates));
    let over = Arc::new(AtomicBool::new(false));
    let service = Fated { fates: Arc::clone(&fates), accepted, over: Arc::clone(&over) };
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    let mut server = Server::new(transport, concurrency, service).with_config(config);
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    if matches!(load.stop, StopAt::Before) {
        assert_eq!(stop.request(), StopOrder::Kept);
    }
    let then = thread::scope(|scope| {
        let (end, ended) = mpsc::channel();
        let (serving, over) = (&mut server, &over);
        let serving = scope.spawn(move || {
            let result = serving.serve_forever().unwrap();
            over.store(true, Ordering::SeqCst);
            drop(end);
            result
        });
        for come in 0..=load.fates.len() {
            if matches!(load.stop, StopAt::Come(count) if count == come) {
                stop.shutdown_timeout(PATIENCE).unwrap();
            }
            if come < load.fates.len() {
                script.request(come.to_string());
            }
        }
        assert_eq!(join(serving, &ended, &stop), Ended::Shutdown);
        let then = handle.counts();
        for _ in 0..load.late {
            script.request("late");
        }
        then
    });
    let left = script.backlog() as u64;
    server.close();
    let now = server.counts();
    check_books(then, now, &fates);
    // Nobody was lost on the way either: whoever was not let in is still there.
    assert_eq!(now.accepted + left, clients + load.late as u64);
    assert_eq!(script.closed().closed(), now.accepted, "all are closed that were let in");
    if matches!(load.stop, StopAt::Before) {
        assert_eq!(now.accepted, 0);
    }
}

/// At a slow request, says so, waits until the server is asked to stop, and dawdles.
struct Dawdling {
    begin: Sender<()>,
    yields: u32,
    through: Arc<AtomicBool>,
}

impl Service<ScriptedRequest> for Dawdling {
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        if request.name() == "slow" {
            self.begin.send(())?;
            let deadline = Instant::now() + PATIENCE;
            while !server.is_stopping() && Instant::now() < deadline {
                thread::yield_now();
            }
            for _ in 0..self.yields {
                thread::yield_now();
            }
            self.through.store(true, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Runs requests in place. Before the wait of this number it orders a stop: the loop has looked for one by then.
struct StopBefore {
    wait: Cell<u64>,
    waits: Cell<u64>,
    stop: OnceCell<ShutdownHandle>,
}

impl<J: Job> Concurrency<J> for StopBefore {
    fn has_room(&self) -> bool {
        self.waits.set(self.waits.get() + 1);
        if self.waits.get() == self.wait.get()
            && let Some(stop) = self.stop.get()
        {
            stop.request();
        }
        true
    }

    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        Inline.process_request(job, listener)
    }
}

proptest! {
    #![proptest_config(patient(256))]

    /// A request that comes together with the stop is left for the next run, which serves it.
    #[test]
    fn who_comes_with_the_stop_is_left_to_the_next_run(requests in 0..8_u64, wait in 1..9_u64) {
        let wait = wait.min(requests + 1);
        let transport = ScriptedTransport::new();
        let script = transport.script();
        for number in 0..requests {
            script.request(number.to_string());
        }
        let strategy = StopBefore { wait: Cell::new(wait), waits: Cell::new(0), stop: OnceCell::new() };
        let service = RecordingService::new();
        let calls = service.calls();
        let config = ServerConfig::new().poll_interval(PollInterval::Never);
        let mut server = Server::new(transport, strategy, service).with_config(config);
        let _ = server.concurrency().stop.set(server.shutdown_handle());
        prop_assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        prop_assert_eq!(server.counts().accepted, wait - 1);
        prop_assert_eq!(script.backlog() as u64, requests - (wait - 1));
        prop_assert_eq!(calls.count(Hook::ServiceActions) as u64, wait - 1);

        // The next run is stopped when it has nothing left to do.
        server.concurrency().waits.set(0);
        let left = script.backlog() as u64;
        server.concurrency().wait.set(left + 1);
        prop_assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
        prop_assert_eq!(server.counts().served, requests);
    }

    /// It ends, nobody is let in afterwards, and each request leaves by one door and is closed.
    #[test]
    fn a_stop_ends_any_load(load in load(12)) {
        match load.who {
            Who::Loop => run(&load, Synchronous),
            Who::Threads => run(&load, threads()),
            Who::Pool { .. } => run(&load, pool(load.who).unwrap()),
        }
    }

    /// Whoever waits for a stop gets on when the request in progress is through, and not before.
    #[test]
    fn a_stop_waits_for_the_request_in_progress(before in 0..4, yields in 20..200_u32) {
        let (begin, begun) = mpsc::channel();
        let through = Arc::new(AtomicBool::new(false));
        let service = Dawdling { begin, yields, through: Arc::clone(&through) };
        let transport = ScriptedTransport::new();
        let script = transport.script();
        for _ in 0..before {
            script.request("quick");
        }
        script.request("slow").request("too late");
        let mut server = Server::new(transport, Inline, service);
        let stop = server.shutdown_handle();
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            begun.recv_timeout(PATIENCE).unwrap();
            let stopped = stop.shutdown_timeout(PATIENCE);
            let in_time = through.load(Ordering::SeqCst);
            assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
            assert_eq!((stopped, in_time), (Ok(StopOrder::Delivered), true));
        });
        prop_assert_eq!(script.backlog(), 1);
    }
}
