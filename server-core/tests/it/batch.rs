//! Requests that are handed to a strategy one after another: when it is told that there are no more, and what it can make of it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use socketserver_core::testing::{
    Act, Hook, RecordingService, Script, ScriptedTransport, VirtualClock,
};
use socketserver_core::{
    AfterBatch, Concurrency, Dispatched, Drain, Ended, Handled, Job, Listener, Rejected, Server,
    Waker,
};

use crate::hope::Triable;
use crate::support::sleepy;

const MS: Duration = Duration::from_millis(1);

/// A strategy that begins what it has when the batch ends, and says then what it was told to.
struct Together<J> {
    held: RefCell<Vec<J>>,
    /// How many jobs there were each time.
    batches: RefCell<Vec<usize>>,
    after: Cell<AfterBatch>,
    waker: RefCell<Option<Waker>>,
}

impl<J> Together<J> {
    fn new(after: AfterBatch) -> Self {
        Self {
            held: RefCell::default(),
            batches: RefCell::default(),
            after: Cell::new(after),
            waker: RefCell::default(),
        }
    }
}

impl<J: Job> Concurrency<J> for Together<J> {
    fn attach(&self, waker: Waker) {
        *self.waker.borrow_mut() = Some(waker);
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        self.held.borrow_mut().push(job);
        Ok(Dispatched::Started)
    }

    fn batch_ends(&self) -> AfterBatch {
        let held = self.held.take();
        if !held.is_empty() {
            self.batches.borrow_mut().push(held.len());
        }
        for job in held {
            let _ = job.run();
        }
        self.after.get()
    }
}

type Batching = Server<
    ScriptedTransport,
    Together<
        socketserver_core::ServiceJob<
            socketserver_core::testing::ScriptedRequest,
            RecordingService,
        >,
    >,
    RecordingService,
>;

fn server(after: AfterBatch, service: RecordingService) -> (Batching, Script) {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    (Server::new(transport, Together::new(after), service), script)
}

fn batches(server: &Batching) -> Vec<usize> {
    server.concurrency().batches.borrow().clone()
}

#[test]
fn each_wait_ends_a_batch() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 3, Act::Stop);
    let (server, script) = server(AfterBatch::Wait, service);
    let mut server = server.with_config(sleepy());
    script.request("one").request("two").request("three");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    // This transport is asked before each.
    assert_eq!(batches(&server), [1, 1, 1]);
}

#[test]
fn handle_request_ends_one_too() {
    let _clock = VirtualClock::install();
    for after in [AfterBatch::Wait, AfterBatch::Again, AfterBatch::Later] {
        let (mut server, script) = server(after, RecordingService::new());
        script.request("one").request("two");
        for _ in 0..2 {
            assert!(matches!(server.handle_request(), Ok(Handled::Started)));
        }
        assert_eq!((batches(&server), server.counts().served), (vec![1, 1], 2));
    }
}

#[test]
fn so_does_a_limit_that_is_reached() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let (server, script) = server(AfterBatch::Wait, service);
    let mut server = server.with_config(sleepy().max_connections(1));
    script.request("one").request("two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(batches(&server), [1, 1]);
}

#[test]
fn so_does_a_drain_that_serves_what_waits_and_it_takes_nothing_later() {
    for after in [AfterBatch::Wait, AfterBatch::Again, AfterBatch::Later] {
        let (mut server, script) = server(after, RecordingService::new());
        script.request("one").request("two");
        let _ = server.drain(Drain::new().backlog(socketserver_core::Backlog::Serve));
        assert_eq!((script.backlog(), server.counts().served), (0, 2), "{after:?}");
    }
}

#[test]
fn so_does_a_panic_of_a_hook() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 1, Act::Panic);
    let (server, script) = server(AfterBatch::Wait, service);
    let mut server = server.with_config(sleepy());
    script.request("one");
    assert!(catch_unwind(AssertUnwindSafe(|| server.serve_forever())).is_err());
    assert_eq!((batches(&server), server.counts().served), (vec![1], 1));
}

#[test]
fn requests_that_are_taken_later_stay_where_they_are_until_the_strategy_says_so() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 3, Act::Stop);
    let (server, script) = server(AfterBatch::Later, service);
    let mut server = server.with_config(sleepy());
    script
        .request("one")
        .request_at(MS, "two")
        .wake_at(5 * MS)
        .request_at(6 * MS, "three")
        .wake_at(9 * MS);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    // At 0, 5 and 9.
    assert_eq!((clock.elapsed(), batches(&server)), (9 * MS, vec![1, 1, 1]));
}

#[test]
fn later_is_put_off_no_further_than_to_the_next_turn() {
    use socketserver_core::{PollInterval, ServerConfig};

    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let (server, script) = server(AfterBatch::Later, service);
    let config = ServerConfig::new().poll_interval(PollInterval::Every(10 * MS));
    let mut server = server.with_config(config);
    script.request("one").request_at(MS, "two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(clock.elapsed(), 10 * MS);
}

#[test]
fn a_stop_does_not_wait_for_later() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (server, script) = server(AfterBatch::Later, service);
    let mut server = server.with_config(sleepy());
    script.request("one").request("two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((batches(&server), script.backlog()), (vec![1], 1));
}

#[test]
fn those_who_are_turned_away_in_crowds_keep_nobody_from_beginning() {
    let _clock = VirtualClock::install();
    let mut service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    for number in 3..200 {
        service = service.with(Hook::VerifyRequest, number, Act::Fail);
    }
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let server = Server::new(Triable(transport), Together::new(AfterBatch::Wait), service);
    let mut server = server.with_config(sleepy());
    for number in 1..200 {
        script.request(number.to_string());
    }
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(*server.concurrency().batches.borrow(), [2]);
    assert!(script.backlog() > 100, "{} were turned away first", 197 - script.backlog());
}
