//! Drains: what becomes of the backlog when one client is no good, and what the report says of those who come late.

use std::io;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use socketserver_core::testing::{RecordingService, ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    AtLimit, Backlog, Concurrency, Dispatched, Drain, DrainStage, Event, GetRequestError,
    HandlerResult, Job, Listener, Rejected, Server, ServerConfig, ServerHandle, Service,
};

use crate::support::{server, sleepy};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A thread for each job, which nobody joins.
struct Threads;

impl<J: Job + Send + 'static> Concurrency<J> for Threads {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        std::thread::spawn(|| drop(job.run()));
        Ok(Dispatched::Started)
    }
}

/// Panics when it is asked whether there is room.
struct Nervous;

impl<J: Job> Concurrency<J> for Nervous {
    fn has_room(&self) -> bool {
        panic!("asked to panic")
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        Ok(Dispatched::Finished(job.run()))
    }
}

/// Computes until the other end of the channel is gone.
struct Busy(Mutex<mpsc::Receiver<()>>);

impl Service<ScriptedRequest> for Busy {
    fn finish_request(
        &self,
        _request: &mut ScriptedRequest,
        _client: &String,
        _server: &ServerHandle,
    ) -> HandlerResult {
        let _ = self.0.lock().map_err(|_| "poisoned")?.recv();
        Ok(())
    }
}

fn busy() -> (Server<ScriptedTransport, Threads, Busy>, mpsc::Sender<()>) {
    let (go, wait) = mpsc::channel();
    (Server::new(ScriptedTransport::new(), Threads, Busy(Mutex::new(wait))), go)
}

#[test]
fn a_client_that_is_gone_does_not_cost_the_backlog_behind_it() {
    let (mut server, script, _) = server(RecordingService::new());
    let gone = io::Error::from(io::ErrorKind::ConnectionAborted);
    script.request("a").error(GetRequestError::Failed(gone));
    script.request("b").error(GetRequestError::NotReady).request("c");
    let report = server.drain(Drain::new().backlog(Backlog::Serve));
    assert_eq!((report.finished, script.backlog()), (3, 0), "{report}");
}

#[test]
fn a_backlog_is_left_when_something_runs_out() {
    let (mut server, script, _) = server(RecordingService::new());
    let out = io::Error::from(io::ErrorKind::OutOfMemory);
    script.request("a").error(GetRequestError::Exhausted(out)).request("b");
    let report = server.drain(Drain::new().deadline(LONG).backlog(Backlog::Serve));
    assert_eq!((report.finished, script.backlog()), (1, 1), "{report}");
}

#[test]
fn a_drain_that_serves_the_backlog_tells_all_where_nobody_is_let_in() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(sleepy().max_connections(0).at_limit(AtLimit::Refuse));
    script.request("a").request("b");
    let _ = server.drain(Drain::new().backlog(Backlog::Serve));
    assert_eq!((server.counts().turned_away.limit, script.backlog()), (2, 0));
}

#[test]
fn a_strategy_that_panics_over_the_backlog_does_not_end_the_drain() {
    let mut server = Server::new(ScriptedTransport::new(), Nervous, RecordingService::new());
    let report = server.drain(Drain::new().backlog(Backlog::Serve));
    assert!(report.is_clean() && server.transport().is_none(), "{report}");
    assert_eq!(server.counts().hook_panics, 2, "it is asked once more");
}

#[test]
fn who_was_ended_before_and_comes_after_the_deadline_has_not_finished_in_time() {
    let (mut server, go) = busy();
    let go = Mutex::new(Some(go));
    server.add_observer(move |event: &Event<'_>| {
        if matches!(event, Event::Draining(DrainStage::Forced { .. })) {
            drop(go.lock().unwrap().take());
        }
    });
    let script = server.transport().unwrap().script();
    let _client = script.connect("a");
    let _ = server.handle_request().unwrap();
    let handle = server.handle();
    assert!(handle.end_connection(handle.connections()[0].id));
    let report = server.drain(Drain::new().deadline(Duration::ZERO).grace(LONG));
    assert_eq!((report.finished, report.forced, report.requests_left), (0, 0, 0), "{report}");
}

#[test]
fn calls_of_handle_request_that_are_short_find_a_handler_that_is_stuck_too() {
    let (server, _go) = busy();
    let after = Duration::from_millis(200);
    let config = ServerConfig::new().stuck_after(after).timeout(Duration::from_millis(1));
    let mut server = server.with_config(config);
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    server.add_observer(move |event: &Event<'_>| {
        if let Event::Stuck(client, _) = event {
            tell.lock().unwrap().send(client.id().get()).unwrap();
        }
    });
    let script = server.transport().unwrap().script();
    let _client = script.connect("a");
    let begun = Instant::now();
    while told.try_recv().is_err() {
        assert!(begun.elapsed() < LONG, "nobody looks");
        let _ = server.handle_request().unwrap();
    }
}
