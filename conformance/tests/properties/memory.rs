//! A stop in the middle of a load that comes from memory, from another thread.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use socketserver::concurrency::Synchronous;
use socketserver_core::testing::{ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Ended, HandlerError, HandlerResult, PollInterval, Server, ServerConfig,
    ServerHandle, Service, ServiceJob, StopOrder,
};

use crate::load::{Fate, Fates, Load, PATIENCE, StopAt, Who, check_books, load, pool, threads};

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
        let serving = scope.spawn(|| {
            let ended = server.serve_forever().unwrap();
            over.store(true, Ordering::SeqCst);
            ended
        });
        for come in 0..=load.fates.len() {
            if matches!(load.stop, StopAt::Come(count) if count == come) {
                stop.shutdown_timeout(PATIENCE).unwrap();
            }
            if come < load.fates.len() {
                script.request(come.to_string());
            }
        }
        assert_eq!(serving.join().unwrap(), Ended::Shutdown);
        let then = handle.counts();
        for _ in 0..load.late {
            script.request("late");
        }
        then
    });
    let left = script.backlog() as u64;
    server.close();
    let now = server.counts();
    check_books(then, now, fates.begun());
    // Nobody was lost on the way either: whoever was not let in is still there.
    assert_eq!(now.accepted + left, clients + load.late as u64);
    assert_eq!(script.closed().closed(), now.accepted, "all are closed that were let in");
    if matches!(load.stop, StopAt::Before) {
        assert_eq!(now.accepted, 0);
    }
}

proptest! {
    /// It ends, nobody is let in afterwards, and each request leaves by one door and is closed.
    #[test]
    fn a_stop_ends_any_load(load in load(12)) {
        match load.who {
            Who::Loop => run(&load, Synchronous),
            Who::Threads => run(&load, threads()),
            Who::Pool { .. } => run(&load, pool(load.who).unwrap()),
        }
    }
}
