//! Admissions: the order in which they are asked, what a refusal does, and permits that come back through every door.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver_core::testing::{
    Act, Calls, Hook, Inline, RecordingService, Script, ScriptedRequest, ScriptedTransport,
    VirtualClock,
};
use socketserver_core::{
    AcceptRate, Admission, Concurrency, Dispatched, Handled, Job, Listener, Permit, Refusal,
    Rejected, Server, ServerConfig,
};

/// What the permits of a test have in common: what was asked, and how many permits are out.
#[derive(Clone, Default)]
struct Ledger {
    asked: Arc<Mutex<String>>,
    out: Arc<()>,
}

impl Ledger {
    fn asked(&self) -> String {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Lets in, for a permit, all but those with its name in theirs.
struct But {
    name: &'static str,
    refusal: Refusal,
    ledger: Ledger,
}

impl Admission<ScriptedRequest> for But {
    fn admit(&self, request: &ScriptedRequest, client: &String) -> Result<Permit, Refusal> {
        assert_eq!(request.name(), client);
        self.ledger.asked.lock().unwrap().push_str(self.name);
        assert!(client != "panic", "asked");
        if client.contains(self.name) {
            return Err(self.refusal);
        }
        Ok(Permit::holding(Arc::clone(&self.ledger.out)))
    }
}

/// A server with two admissions.
fn two<C>(
    concurrency: C,
    service: RecordingService,
) -> (Server<ScriptedTransport, C, RecordingService>, Script, Calls, Ledger)
where
    C: Concurrency<socketserver_core::ServiceJob<ScriptedRequest, RecordingService>>,
{
    let transport = ScriptedTransport::new();
    let (script, calls, ledger) = (transport.script(), service.calls(), Ledger::default());
    let but = |name, refusal| Arc::new(But { name, refusal, ledger: ledger.clone() });
    let server = Server::new(transport, concurrency, service)
        .with_admission(but("x", Refusal::Denied))
        .with_admission(but("y", Refusal::Source));
    (server, script, calls, ledger)
}

#[test]
fn all_are_asked_in_order_before_the_service_and_the_first_no_ends_it() {
    let (mut server, script, calls, ledger) = two(Inline, RecordingService::new());
    for (name, asked, hooks) in
        [("a", "xy", "VR FR SR CR"), ("x", "x", "HR SR CR"), ("y", "xy", "HR SR CR")]
    {
        let before = calls.hooks().len();
        script.request(name);
        let handled = server.handle_request().unwrap();
        assert_eq!(matches!(handled, Handled::Served), name == "a");
        assert_eq!(ledger.asked(), asked);
        assert_eq!(calls.hooks()[before..].trim(), hooks);
        assert_eq!(Arc::strong_count(&ledger.out), 1 + 2, "only those of the admissions");
    }
    assert_eq!(calls.refusals(), [Refusal::Denied, Refusal::Source]);
    let counts = server.counts();
    assert_eq!((counts.turned_away.denied, counts.turned_away.source), (1, 1));
    assert_eq!((counts.accepted, counts.turned_away.total(), counts.in_progress()), (3, 2, 0));
    assert_eq!(counts.refused, 0, "that is for verify_request");
}

#[test]
fn a_panic_closes_the_request_and_goes_to_the_caller() {
    let (mut server, script, calls, ledger) = two(Inline, RecordingService::new());
    script.request("panic").request("a");
    let unwound = catch_unwind(AssertUnwindSafe(|| server.handle_request().map(drop)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"asked"));
    assert_eq!((calls.hooks(), script.closed().closed()), ("SR CR".to_owned(), 1));
    let counts = server.counts();
    assert_eq!((counts.unserved, counts.hook_panics, counts.in_progress()), (1, 1, 0));
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!((Arc::strong_count(&ledger.out), server.handle().live_requests()), (3, 0));
}

/// How a strategy lets go of a job.
#[derive(Clone, Copy)]
enum Door {
    Run,
    Overloaded,
    Drop,
    HandOver,
    Reject,
}

/// Looks at the permits while it has the job.
struct Through(Door, Ledger);

impl<J: Job> Concurrency<J> for Through {
    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        assert_eq!(Arc::strong_count(&self.1.out), 4 + 2, "one of each admission is out");
        match self.0 {
            Door::Run => return Ok(Dispatched::Finished(job.run())),
            Door::Overloaded => return Ok(Dispatched::Finished(job.overloaded())),
            Door::Drop => drop(job),
            Door::HandOver => job.close_request(),
            Door::Reject => return Err(Rejected::new(job, io::Error::other("nobody"))),
        }
        Ok(Dispatched::Started)
    }
}

#[test]
fn permits_come_back_through_every_door() {
    let plain = RecordingService::new;
    let with = |hook, act| plain().with(hook, 1, act);
    let cases = [
        (Door::Run, plain()),
        (Door::Run, with(Hook::FinishRequest, Act::Fail)),
        (Door::Run, with(Hook::FinishRequest, Act::Panic)),
        (Door::Run, with(Hook::FinishRequest, Act::Exit(1))),
        (Door::Run, with(Hook::FinishRequest, Act::Detach)),
        (Door::Run, with(Hook::ShutdownRequest, Act::Panic)),
        (Door::Run, with(Hook::VerifyRequest, Act::Fail)),
        (Door::Run, with(Hook::VerifyRequest, Act::Panic)),
        (Door::Overloaded, plain()),
        (Door::Overloaded, with(Hook::HandleRefusal, Act::Panic)),
        (Door::Drop, plain()),
        (Door::HandOver, plain()),
        (Door::HandOver, with(Hook::CloseRequest, Act::Panic)),
        (Door::Reject, plain()),
    ];
    for (number, (door, service)) in cases.into_iter().enumerate() {
        let ledger = Ledger::default();
        let admission = |name| But { name, refusal: Refusal::Denied, ledger: ledger.clone() };
        let transport = ScriptedTransport::new();
        transport.script().request("a");
        let mut server = Server::new(transport, Through(door, ledger.clone()), service)
            .with_admission(admission("x"))
            .with_admission(admission("y"));
        let _ = catch_unwind(AssertUnwindSafe(|| server.handle_request().map(drop)));
        assert_eq!(Arc::strong_count(&ledger.out), 4, "case {number}");
        assert_eq!(server.counts().in_progress(), 0, "case {number}");
        assert_eq!(server.handle().live_requests(), 0, "case {number}");
    }
}

/// Panics when it is given back.
struct Spring;

impl Drop for Spring {
    fn drop(&mut self) {
        panic!("given back");
    }
}

/// Gives out springs, and nothing else.
struct Springs;

impl Admission<ScriptedRequest> for Springs {
    fn admit(&self, _: &ScriptedRequest, _: &String) -> Result<Permit, Refusal> {
        Ok(Permit::holding(Spring))
    }
}

#[test]
fn a_permit_that_panics_is_counted_and_harms_nobody() {
    let ledger = Ledger::default();
    let after = But { name: "x", refusal: Refusal::Denied, ledger: ledger.clone() };
    let transport = ScriptedTransport::new();
    transport.script().request("a");
    let mut server = Server::new(transport, Inline, RecordingService::new())
        .with_admission(Springs)
        .with_admission(after);
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!((server.counts().hook_panics, server.handle().live_requests()), (1, 0));
    assert_eq!(Arc::strong_count(&ledger.out), 2);
}

#[test]
fn those_that_are_turned_away_use_no_tokens_up_and_those_that_verify_refuses_do() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::VerifyRequest, 1, Act::Fail);
    let (server, script, ..) = two(Inline, service);
    let second = Duration::from_secs(1);
    let config = ServerConfig::new().accept_rate(AcceptRate::one_per(second));
    let mut server = server.with_config(config);
    script.request("x").request("y").request("a").request("b");
    for _ in 0..3 {
        assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    }
    assert_eq!((clock.elapsed(), server.counts().refused), (Duration::ZERO, 1));
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(clock.elapsed(), second);
}
