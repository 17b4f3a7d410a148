//! A whole server that is stopped and drained while a connection is alive, in a thread each.

use std::time::Duration;

use loom::thread;

use super::explore;
use crate::concurrency::{Concurrency, Dispatched, Job, Listener, Rejected};
use crate::config::{PollInterval, ServerConfig};
use crate::connections::CutReason;
use crate::drain::{Drain, DrainReport};
use crate::handler_error::HandlerResult;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::testing::{ScriptedRequest, ScriptedTransport};

/// A thread for each job, which nobody joins.
pub(super) struct Threads;

impl<J: Job + Send + 'static> Concurrency<J> for Threads {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        thread::spawn(|| drop(job.run()));
        Ok(Dispatched::Started)
    }
}

/// Receives to the end, idle meanwhile or not.
struct Receive {
    idle: bool,
}

impl Service<ScriptedRequest> for Receive {
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _: &String,
        _: &ServerHandle,
    ) -> HandlerResult {
        let idle = request.watch().filter(|_| self.idle).map(|watch| watch.idle());
        let received = request.receive()?;
        drop(idle);
        assert_eq!(received, 0);
        Ok(())
    }

    fn handle_error(
        &self,
        _: &mut ScriptedRequest,
        _: &String,
        error: crate::handler_error::HandlerError,
    ) {
        assert!(error.to_string().contains("deadline"), "{error}");
    }
}

type Modelled = Server<ScriptedTransport, Threads, Receive>;

fn server(idle: bool) -> (Modelled, crate::testing::Script) {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let config = ServerConfig::new().poll_interval(PollInterval::Never);
    (Server::new(transport, Threads, Receive { idle }).with_config(config), script)
}

/// One that no model comes to the end of.
fn patient() -> Drain {
    Drain::new().deadline(Duration::from_secs(3600)).grace(Duration::from_secs(3600))
}

fn balanced(server: &Modelled, report: &DrainReport) {
    let counts = server.counts();
    assert_eq!((counts.accepted, counts.served), (1, 1), "{report:?}");
    assert_eq!(server.handle().live_requests(), 0);
    assert!(report.stuck.is_empty() && report.requests_left == 0, "{report:?}");
}

#[test]
fn an_idle_connection_ends_once_whenever_the_drain_begins() {
    explore(|| {
        let (mut server, script) = server(true);
        let client = script.connect("idle");
        assert!(server.handle_request().is_ok());
        let report = server.drain(patient());
        assert_eq!(client.cuts(), [CutReason::Drained]);
        assert_eq!(report.forced, 0);
        assert!(report.is_clean() && report.idle_ended + report.finished == 1, "{report:?}");
        balanced(&server, &report);
    });
}

#[test]
fn a_busy_connection_is_forced_at_the_deadline_and_its_end_is_seen() {
    explore(|| {
        let (mut server, script) = server(false);
        let client = script.connect("busy");
        assert!(server.handle_request().is_ok());
        let report = server.drain(patient().deadline(Duration::ZERO));
        assert_eq!(client.cuts(), [CutReason::Forced]);
        assert_eq!((report.forced, report.finished), (1, 0), "{report:?}");
        balanced(&server, &report);
    });
}

#[test]
fn a_client_that_goes_as_the_deadline_comes_is_not_counted_twice() {
    explore(|| {
        let (mut server, script) = server(false);
        let client = script.connect("goes");
        assert!(server.handle_request().is_ok());
        let seen = client.clone();
        let goes = thread::spawn(move || client.hang_up());
        let report = server.drain(patient().deadline(Duration::ZERO));
        // It may have ended before the drain, or by itself but late: then it is in neither number.
        assert!(report.forced + report.finished <= 1, "{report:?}");
        assert_eq!(report.forced, seen.cuts().len());
        balanced(&server, &report);
        goes.join().unwrap();
    });
}

#[test]
fn a_server_that_is_stopped_and_drained_by_another_thread_hangs_nowhere() {
    explore(|| {
        let (mut server, script) = server(true);
        let stop = server.shutdown_handle();
        let serving = thread::spawn(move || {
            server.serve_forever().unwrap();
            let report = server.drain(patient());
            assert!(report.is_clean(), "{report:?}");
            server.counts()
        });
        let client = script.connect("one");
        stop.shutdown().unwrap();
        let counts = serving.join().unwrap();
        assert_eq!(counts.accepted, counts.served);
        assert_eq!(counts.accepted, client.cuts().len() as u64);
        assert_eq!(counts.accepted + script.backlog() as u64, 1);
    });
}
