//! Where errors and panics go: each costs one request, is reported once, and leaks nothing.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::support::{Recorded, server};
use socketserver_core::testing::{
    Act, Hook, Inline, RecordingService, ScriptedRequest, ScriptedTransport,
};
use socketserver_core::{
    Concurrency, Counts, Dispatched, Handled, Job, Listener, Rejected, Server, Service,
};

/// Serves "one" with a service that does `act` in `hook`; says what was called, what became of the
/// call, and gives the server back.
fn one(hook: Hook, act: Act) -> (Recorded, String, Result<Handled, String>) {
    one_with(RecordingService::new().with(hook, 1, act))
}

fn one_with(service: RecordingService) -> (Recorded, String, Result<Handled, String>) {
    let (mut server, script, calls) = server(service);
    script.request("one");
    let outcome = catch_unwind(AssertUnwindSafe(|| server.handle_request().unwrap()))
        .map_err(|payload| payload.downcast_ref::<String>().unwrap().clone());
    assert_eq!(script.closed().closed(), 1, "the request is closed in any case");
    assert_eq!(server.counts().in_progress(), 0, "{:?}", server.counts());
    (server, calls.hooks(), outcome)
}

#[test]
fn an_error_is_reported_once_with_the_request_open_then_the_request_is_closed() {
    let (server, hooks, outcome) = one(Hook::FinishRequest, Act::Fail);
    assert_eq!(hooks, "VR FR HE SR CR");
    assert!(matches!(outcome, Ok(Handled::Served)));
    assert_eq!(server.service().calls().errors(), ["one failed"]);
    assert_eq!((server.counts().served, server.counts().errors), (1, 1));
}

#[test]
fn a_panic_is_reported_like_an_error() {
    let (server, hooks, outcome) = one(Hook::FinishRequest, Act::Panic);
    assert_eq!(hooks, "VR FR HE SR CR");
    assert!(matches!(outcome, Ok(Handled::Served)));
    assert_eq!(server.service().calls().errors(), ["panicked: FR"]);
}

#[test]
fn an_exit_is_not_reported() {
    let (server, hooks, outcome) = one(Hook::FinishRequest, Act::Exit(3));
    assert_eq!(hooks, "VR FR SR CR");
    assert!(matches!(outcome, Ok(Handled::Exited(exit)) if exit.code() == 3));
    assert_eq!(server.counts().errors, 0);
}

#[test]
fn a_detached_request_is_neither_shut_down_nor_closed_by_the_server() {
    let (server, hooks, outcome) = one(Hook::FinishRequest, Act::Detach);
    assert_eq!(hooks, "VR FR");
    assert!(matches!(outcome, Ok(Handled::Served)));
    assert_eq!((server.counts().detached, server.counts().served), (1, 0));
}

#[test]
fn a_panic_in_verify_request_closes_the_request_and_goes_to_the_caller() {
    let (server, hooks, outcome) = one(Hook::VerifyRequest, Act::Panic);
    assert_eq!(hooks, "VR SR CR");
    assert_eq!(outcome.unwrap_err(), "VR");
    assert_eq!((server.counts().unserved, server.counts().hook_panics), (1, 1));
}

#[test]
fn a_panic_in_handle_error_closes_the_request_and_goes_to_the_caller() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Fail).with(
        Hook::HandleError,
        1,
        Act::Panic,
    );
    let (server, hooks, outcome) = one_with(service);
    assert_eq!(hooks, "VR FR HE SR CR");
    assert_eq!(outcome.unwrap_err(), "HE");
    assert_eq!((server.counts().served, server.counts().hook_panics), (1, 1));
}

#[test]
fn a_panic_in_closing_goes_to_the_caller_without_a_second_attempt() {
    for (hook, hooks) in [(Hook::ShutdownRequest, "VR FR SR"), (Hook::CloseRequest, "VR FR SR CR")]
    {
        let (_, called, outcome) = one(hook, Act::Panic);
        assert_eq!(called, hooks);
        assert_eq!(outcome.unwrap_err().len(), 2);
    }
}

#[test]
fn of_two_panics_the_first_goes_to_the_caller() {
    let service = RecordingService::new()
        .with(Hook::FinishRequest, 1, Act::Fail)
        .with(Hook::HandleError, 1, Act::Panic)
        .with(Hook::ShutdownRequest, 1, Act::Panic);
    let (_, hooks, outcome) = one_with(service);
    assert_eq!((hooks.as_str(), outcome.unwrap_err().as_str()), ("VR FR HE SR", "HE"));
}

#[test]
fn a_panic_in_verify_and_then_in_closing_does_not_abort() {
    let service = RecordingService::new().with(Hook::VerifyRequest, 1, Act::Panic).with(
        Hook::CloseRequest,
        1,
        Act::Panic,
    );
    let (_, hooks, outcome) = one_with(service);
    assert_eq!((hooks.as_str(), outcome.unwrap_err().as_str()), ("VR SR CR", "VR"));
}

#[test]
fn a_panic_in_closing_a_refused_request_goes_to_the_caller() {
    let service = RecordingService::new().with(Hook::VerifyRequest, 1, Act::Fail).with(
        Hook::ShutdownRequest,
        1,
        Act::Panic,
    );
    let (server, hooks, outcome) = one_with(service);
    assert_eq!((hooks.as_str(), outcome.unwrap_err().as_str()), ("VR SR", "SR"));
    assert_eq!(server.counts().refused, 1);
}

#[test]
fn panics_in_the_hooks_without_a_request_go_to_the_caller_and_the_server_serves_on() {
    let service = RecordingService::new()
        .with(Hook::HandleTimeout, 1, Act::Panic)
        .with(Hook::ServiceActions, 1, Act::Panic)
        .with(Hook::ServiceActions, 2, Act::Stop);
    let (mut server, script, _) = server(service);
    server.set_config(server.config().timeout(std::time::Duration::ZERO));
    let caught = catch_unwind(AssertUnwindSafe(|| drop(server.handle_request())));
    assert_eq!(caught.unwrap_err().downcast_ref::<String>().unwrap(), "HT");
    let caught = catch_unwind(AssertUnwindSafe(|| drop(server.serve_forever())));
    assert_eq!(caught.unwrap_err().downcast_ref::<String>().unwrap(), "SA");
    script.request("one");
    server.serve_forever().unwrap();
    assert_eq!(server.counts().served, 1);
}

/// What a strategy may do with a job other than run it.
#[derive(Clone, Copy)]
enum Odd {
    Reject,
    Drop,
    HandOver,
    Panic,
}

impl<J: Job> Concurrency<J> for Odd {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        match self {
            Self::Reject => Err(Rejected::new(job, io::Error::other("no threads left"))),
            Self::Drop => {
                drop(job);
                Ok(Dispatched::Started)
            }
            Self::HandOver => {
                job.close_request();
                Ok(Dispatched::Started)
            }
            Self::Panic => std::panic::panic_any("strategy".to_owned()),
        }
    }
}

/// Serves "one" with an odd strategy.
fn odd(strategy: Odd) -> (String, Counts, Vec<String>, Result<Handled, String>) {
    let transport = ScriptedTransport::new();
    let service = RecordingService::new();
    let (script, calls) = (transport.script(), service.calls());
    let mut server = Server::new(transport, strategy, service);
    script.request("one");
    let outcome = catch_unwind(AssertUnwindSafe(|| server.handle_request().unwrap()))
        .map_err(|payload| payload.downcast_ref::<String>().unwrap().clone());
    assert_eq!(script.closed().closed(), 1);
    assert_eq!(server.counts().in_progress(), 0);
    (calls.hooks(), server.counts(), calls.errors(), outcome)
}

#[test]
fn a_job_that_cannot_be_run_is_reported_and_closed() {
    let (hooks, counts, errors, outcome) = odd(Odd::Reject);
    assert_eq!(hooks, "VR HE SR CR");
    assert_eq!(errors, ["no threads left"]);
    assert!(matches!(outcome, Ok(Handled::Rejected)));
    assert_eq!((counts.unserved, counts.errors), (1, 1));
}

#[test]
fn a_dropped_job_is_closed_and_counted() {
    let (hooks, counts, _, outcome) = odd(Odd::Drop);
    assert_eq!((hooks.as_str(), counts.unserved), ("VR CR", 1));
    assert!(matches!(outcome, Ok(Handled::Started)));
}

#[test]
fn a_job_handed_over_to_another_process_is_only_closed() {
    let (hooks, counts, _, _) = odd(Odd::HandOver);
    assert_eq!((hooks.as_str(), counts.handed_over), ("VR CR", 1));
}

#[test]
fn a_panic_of_the_strategy_closes_the_request_and_goes_to_the_caller() {
    let (hooks, counts, _, outcome) = odd(Odd::Panic);
    assert_eq!((hooks.as_str(), counts.unserved), ("VR CR", 1));
    assert_eq!(outcome.unwrap_err(), "strategy");
}

#[test]
fn a_server_can_be_bound_by_address() {
    let mut server =
        Server::<ScriptedTransport, Inline, _>::bind("one", RecordingService::new()).unwrap();
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
}

#[test]
fn a_service_behind_pointers_keeps_all_its_hooks() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Fail);
    let calls = service.calls();
    let shared: Arc<Box<dyn Service<ScriptedRequest>>> = Arc::new(Box::new(service));
    let transport = ScriptedTransport::new();
    transport.script().request("one");
    let mut server = Server::new(transport, Inline, &shared);
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(calls.hooks(), "VR FR HE SR CR");
}
