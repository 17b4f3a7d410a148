//! The life of a handler: setup, handle and finish in their order, whatever fails.

#![cfg(test)]

mod support;

use std::cell::Cell;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex};

use socketserver_core::{HandlerError, HandlerResult};
use socketserver_handlers::{
    BaseRequestHandler, BaseService, Context, Stream, StreamRequestHandler, StreamService, base_fn,
    stream_fn,
};
use support::{Double, serve};

/// What a step of a handler does.
#[derive(Clone, Copy)]
enum Act {
    Work,
    Fail,
    Panic,
    Exit,
}

use Act::{Exit, Fail, Panic, Work};

/// What setup, handle and finish do.
type Plan = [Act; 3];

/// A handler that follows a plan and writes down its steps.
struct Planned {
    plan: Plan,
    steps: Arc<Mutex<Vec<&'static str>>>,
}

impl Planned {
    fn step(&self, number: usize) -> HandlerResult {
        let name = ["setup", "handle", "finish"][number];
        self.steps.lock().unwrap().push(name);
        match self.plan[number] {
            Work => Ok(()),
            Fail => Err(name.into()),
            Panic => panic!("{name}"),
            Exit => Err(HandlerError::exit(3)),
        }
    }
}

impl BaseRequestHandler<Double> for Planned {
    fn setup(&mut self, _: &mut Context<'_, Double>) -> HandlerResult {
        self.step(0)
    }

    fn handle(&mut self, _: &mut Context<'_, Double>) -> HandlerResult {
        self.step(1)
    }

    fn finish(&mut self, _: &mut Context<'_, Double>) -> HandlerResult {
        self.step(2)
    }
}

impl StreamRequestHandler<Double> for Planned {
    fn setup(&mut self, _: &mut Stream<Double>) -> HandlerResult {
        self.step(0)
    }

    fn handle(&mut self, _: &mut Stream<Double>) -> HandlerResult {
        self.step(1)
    }

    fn finish(&mut self, _: &mut Stream<Double>) -> HandlerResult {
        self.step(2)
    }
}

/// Lets a handler of either kind live by the plan, and checks the steps it took and how it ended:
/// the failure and those it happened after, or nothing.
fn assert_life(plan: Plan, steps: &str, end: &[&str]) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let planned = || Planned { plan, steps: Arc::clone(&taken) };
    let base = serve(&Double::new(&[]), &BaseService::new(planned));
    let base_steps = std::mem::take(&mut *taken.lock().unwrap()).join(" ");
    let stream = serve(&Double::new(&[]), &StreamService::new(planned));
    let stream_steps = taken.lock().unwrap().join(" ");
    for (kind, result, taken) in [("base", base, base_steps), ("stream", stream, stream_steps)] {
        assert_eq!(taken, steps, "{kind}");
        assert_eq!(failures(&result), end, "{kind}");
    }
}

/// The failure, that it happened after, and so on.
fn failures(result: &HandlerResult) -> Vec<String> {
    std::iter::successors(result.as_ref().err(), |error| error.context())
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_steps_come_in_order() {
    assert_life([Work, Work, Work], "setup handle finish", &[]);
}

#[test]
fn after_a_failed_setup_nothing_follows() {
    assert_life([Fail, Work, Work], "setup", &["setup"]);
    assert_life([Exit, Work, Work], "setup", &["exit with code 3"]);
    assert_life([Panic, Work, Work], "setup", &["panicked: setup"]);
}

#[test]
fn finish_comes_after_a_handle_that_failed() {
    assert_life([Work, Fail, Work], "setup handle finish", &["handle"]);
    assert_life([Work, Panic, Work], "setup handle finish", &["panicked: handle"]);
    assert_life([Work, Exit, Work], "setup handle finish", &["exit with code 3"]);
}

#[test]
fn a_failure_of_finish_is_reported() {
    assert_life([Work, Work, Fail], "setup handle finish", &["finish"]);
    assert_life([Work, Work, Panic], "setup handle finish", &["panicked: finish"]);
}

#[test]
fn of_two_failures_the_later_is_reported_with_the_earlier_as_context() {
    assert_life([Work, Fail, Fail], "setup handle finish", &["finish", "handle"]);
    assert_life([Work, Panic, Fail], "setup handle finish", &["finish", "panicked: handle"]);
    assert_life([Work, Fail, Panic], "setup handle finish", &["panicked: finish", "handle"]);
    assert_life([Work, Exit, Fail], "setup handle finish", &["finish", "exit with code 3"]);
}

/// A handler that counts its own requests.
#[derive(Default)]
struct Counting {
    requests: usize,
}

impl BaseRequestHandler<Double> for Counting {
    fn handle(&mut self, context: &mut Context<'_, Double>) -> HandlerResult {
        self.requests += 1;
        context.request.state().sent.push(self.requests.to_string().into_bytes());
        Ok(())
    }
}

#[test]
fn each_request_gets_a_handler_of_its_own() {
    let made = Cell::new(0);
    let service = BaseService::new(|| {
        made.set(made.get() + 1);
        Counting::default()
    });
    for request in 1..=3 {
        let connection = Double::new(&[]);
        serve(&connection, &service).unwrap();
        assert_eq!(made.get(), request);
        assert_eq!(connection.state().sent, [b"1"]);
    }
}

#[test]
fn a_handler_has_a_client_and_a_server() {
    let base = base_fn(|context: &mut Context<'_, Double>| {
        assert_eq!(*context.client_address, "client");
        assert_eq!(context.server.counts().accepted, 0);
        Ok(())
    });
    serve(&Double::new(&[]), &base).unwrap();
    let stream = stream_fn(|stream: &mut Stream<Double>| {
        assert_eq!(stream.client_address, "client");
        assert_eq!(stream.local_address()?, "server");
        assert_eq!(stream.server.counts().accepted, 0);
        Ok(())
    });
    serve(&Double::new(&[]), &stream).unwrap();
}

#[test]
fn a_closure_is_a_handler() {
    let calls = Cell::new(0);
    let service = stream_fn(|stream: &mut Stream<Double>| {
        calls.set(calls.get() + 1);
        let mut name = String::new();
        stream.rfile.read_line(&mut name)?;
        write!(stream.wfile, "hello {name}")?;
        Ok(())
    });
    for name in ["one", "two"] {
        let connection = Double::new(&[name.as_bytes()]);
        serve(&connection, &service).unwrap();
        assert_eq!(connection.state().sent.concat(), format!("hello {name}").as_bytes());
    }
    assert_eq!(calls.get(), 2);
}

#[test]
fn a_failing_closure_fails_the_request() {
    let failing = base_fn(|_: &mut Context<'_, Double>| Err("no".into()));
    assert_eq!(failures(&serve(&Double::new(&[]), &failing)), ["no"]);
    let panicking = stream_fn(|_: &mut Stream<Double>| panic!("never"));
    assert_eq!(failures(&serve(&Double::new(&[]), &panicking)), ["panicked: never"]);
}

struct Once;

impl socketserver_handlers::KeepAliveHandler<Double> for Once {
    fn handle_one_request(
        &mut self,
        _: &mut Stream<Double>,
    ) -> Result<socketserver_handlers::Next, HandlerError> {
        Ok(socketserver_handlers::Next::Close)
    }
}

#[test]
fn a_connection_that_nobody_can_wait_for_is_served_as_a_whole() {
    use socketserver_core::testing::{Inline, RecordingService, ScriptedTransport};
    use socketserver_core::{Server, Service};
    let server = Server::new(ScriptedTransport::new(), Inline, RecordingService::new()).handle();
    let service = StreamService::new(|| socketserver_handlers::KeepAlive(Once));
    let session = service.begin_session(&Double::new(&[]), &"client", &server).unwrap();
    assert!(session.is_none());
}
