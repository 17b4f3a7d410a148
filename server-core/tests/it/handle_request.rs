//! One request per call, in CPython's order; timeouts; what the caller is told.

use std::io;
use std::thread;
use std::time::Duration;

use crate::support::server;
use socketserver_core::testing::{Act, Hook, Inline, RecordingService, ScriptedTransport};
use socketserver_core::{
    Concurrency, Dispatched, GetRequestError, Handled, Job, Listener, Refusal, Rejected,
    ServeError, Server, ServerConfig, StopOrder,
};

fn seconds(seconds: u64) -> ServerConfig {
    ServerConfig::new().timeout(Duration::from_secs(seconds))
}

#[test]
fn gets_verifies_processes_and_closes() {
    let (mut server, script, calls) = server(RecordingService::new());
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(calls.hooks(), "VR FR SR CR");
    assert_eq!((script.closed().shut_down(), script.closed().closed()), (1, 1));
}

#[test]
fn serves_one_request_per_call_and_leaves_the_rest() {
    let (mut server, script, calls) = server(RecordingService::new());
    script.request("one").request("two").request("three");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(script.backlog(), 2);
    assert_eq!(calls.count(Hook::ServiceActions), 0);
}

#[test]
fn a_timeout_calls_handle_timeout_once_and_nothing_else() {
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(seconds(3));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(calls.hooks(), "HT");
    assert_eq!(script.waited(), Duration::from_secs(3));
}

#[test]
fn the_smaller_of_the_two_timeouts_counts() {
    for (own, transports, expected) in [(9, 4, 4), (4, 9, 4), (9, 9, 9)] {
        let transport = ScriptedTransport::new().with_timeout(Duration::from_secs(transports));
        let script = transport.script();
        let service = RecordingService::new();
        let mut server = Server::new(transport, Inline, service).with_config(seconds(own));
        assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
        assert_eq!(script.waited(), Duration::from_secs(expected));
    }
}

#[test]
fn a_zero_timeout_looks_once() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(seconds(0));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!((script.waits(), script.waited()), (1, Duration::ZERO));
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
}

#[test]
fn a_refused_request_uses_the_call_up() {
    let service = RecordingService::new().with(Hook::VerifyRequest, 1, Act::Fail);
    let (mut server, script, calls) = server(service);
    script.request("stranger").request("friend");
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    assert_eq!(calls.hooks(), "VR SR CR");
    assert_eq!((server.counts().refused, script.backlog()), (1, 1));
}

#[test]
fn a_request_that_cannot_be_taken_uses_the_call_up() {
    let (mut server, script, calls) = server(RecordingService::new());
    script.error(GetRequestError::NotReady);
    assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(None))));
    script.error(GetRequestError::Failed(io::ErrorKind::ConnectionAborted.into()));
    match server.handle_request() {
        Ok(Handled::NothingAccepted(Some(error))) => {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(calls.hooks(), "");
    assert_eq!(server.counts().accepted, 0);
}

#[test]
fn running_out_of_something_pauses_no_longer_than_the_timeout() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(seconds(0));
    for _ in 0..100 {
        script.error(GetRequestError::Exhausted(io::Error::other("no descriptors")));
        assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(Some(_)))));
    }
}

#[test]
fn a_broken_transport_is_an_error_that_names_the_step() {
    let (mut server, script, _) = server(RecordingService::new());
    script.error(GetRequestError::Fatal(io::Error::other("gone")));
    let error = server.handle_request().unwrap_err();
    assert_eq!(error.to_string(), "cannot take requests any more: gone");
    script.break_wait(io::Error::other("deaf"));
    let error = server.handle_request().unwrap_err();
    assert_eq!(error.to_string(), "cannot wait for requests: deaf");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "deaf");
}

#[test]
fn a_closed_server_says_so() {
    let (mut server, _, _) = server(RecordingService::new());
    server.close();
    server.close();
    assert!(matches!(server.handle_request(), Err(ServeError::Closed)));
    assert!(matches!(server.serve_forever(), Err(ServeError::Closed)));
    assert_eq!(server.local_addr().unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert!(server.transport().is_none());
}

#[test]
fn a_waiting_request_is_served_though_a_stop_was_ordered_then_the_stop_is_used_up() {
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(seconds(60));
    assert_eq!(server.shutdown_handle().request(), StopOrder::Kept);
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert!(matches!(server.handle_request(), Ok(Handled::ShutdownRequested)));
    assert_eq!(script.waited(), Duration::ZERO);
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(calls.hooks(), "VR FR SR CR HT");
}

#[test]
fn a_wait_without_limit_is_cut_by_a_stop() {
    let (mut server, script, calls) = server(RecordingService::new());
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.handle_request());
    script.await_idle();
    assert_eq!(stop.shutdown(), Ok(StopOrder::Delivered));
    assert!(matches!(thread.join().unwrap(), Ok(Handled::ShutdownRequested)));
    assert_eq!(calls.hooks(), "");
}

#[test]
fn a_stop_and_nothing_that_can_be_taken_is_a_stop() {
    let (mut server, script, _) = server(RecordingService::new());
    server.shutdown_handle().request();
    script.error(GetRequestError::Exhausted(io::Error::other("no descriptors")));
    assert!(matches!(server.handle_request(), Ok(Handled::ShutdownRequested)));
    assert_eq!(server.counts().exhausted, 1);
}

#[test]
fn a_stop_that_was_used_up_is_over_as_a_run_is() {
    let (server, _, _) = server(RecordingService::new());
    let mut server = server.with_config(seconds(60));
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    assert_eq!(stop.request(), StopOrder::Kept);
    assert!(matches!(server.handle_request(), Ok(Handled::ShutdownRequested)));
    assert!(handle.is_stopping(), "what belongs to that run is over with it");
    assert_eq!(handle.request_shutdown(), StopOrder::TooLate);
    assert_eq!(stop.request(), StopOrder::TooLate, "a late repeat");
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
}

/// A strategy that never has anybody to run a request.
struct Overloaded;

impl<J: Job> Concurrency<J> for Overloaded {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        Ok(Dispatched::Finished(job.overloaded()))
    }
}

#[test]
fn a_request_that_the_strategy_refuses_uses_the_call_up() {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let mut server = Server::new(transport, Overloaded, RecordingService::new());
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    assert_eq!((server.counts().overloaded, server.counts().in_progress()), (1, 0));
    assert_eq!(server.service().calls().hooks(), "VR HR SR CR");
    assert_eq!(server.service().calls().refusals(), [Refusal::Overload]);
    assert_eq!(script.closed().closed(), 1);
}
