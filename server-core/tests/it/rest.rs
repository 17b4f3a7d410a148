//! After something ran out: when the next attempt comes, in virtual time, and what goes on until then.

use std::cell::RefCell;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::time::Duration;

#[cfg(unix)]
use socketserver_core::Source;
#[cfg(unix)]
use socketserver_core::testing::Inline;
use socketserver_core::testing::{Act, Hook, RecordingService, ScriptedTransport, VirtualClock};
use socketserver_core::{
    Concurrency, Dispatched, Ended, GetRequestError, Handled, Job, Listener, PollInterval,
    Rejected, Server, ServerConfig,
};

use crate::support::{server, sleepy};

const MS: Duration = Duration::from_millis(1);

fn exhausted() -> GetRequestError {
    GetRequestError::Exhausted(io::Error::other("no descriptors"))
}

/// A strategy whose workers all end when so much time has gone by.
struct Until<'a, J> {
    end: Duration,
    clock: &'a VirtualClock,
    held: RefCell<Vec<J>>,
}

impl<'a, J> Until<'a, J> {
    fn new(end: Duration, clock: &'a VirtualClock) -> Self {
        Self { end, clock, held: RefCell::default() }
    }
}

impl<J: Job> Concurrency<J> for Until<'_, J> {
    fn has_room(&self) -> bool {
        if self.clock.elapsed() >= self.end {
            for job in self.held.take() {
                let _ = job.run();
            }
        }
        true
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        self.held.borrow_mut().push(job);
        Ok(Dispatched::Started)
    }
}

#[test]
fn a_request_that_leaves_ends_the_rest() {
    let clock = VirtualClock::install();
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let strategy = Until::new(500 * MS, &clock);
    let mut server = Server::new(transport, strategy, service).with_config(sleepy());
    script.request("first");
    // The attempts are at 0, 5, 15, 35, 75, 155, 315, and the next would be at 635.
    for _ in 0..7 {
        script.error(exhausted());
    }
    script.request("second").wake_at(400 * MS).wake_at(500 * MS);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((server.counts().exhausted, server.counts().served), (7, 2));
    assert_eq!(clock.elapsed(), 500 * MS, "the second was taken when the first left");
}

#[test]
fn a_request_that_leaves_and_frees_nothing_makes_one_attempt() {
    let clock = VirtualClock::install();
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let strategy = Until::new(3 * MS, &clock);
    let mut server = Server::new(transport, strategy, RecordingService::new());
    script.request("first").error(exhausted()).error(exhausted()).request("second");
    script.wake_at(3 * MS);
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    let mut took = Vec::new();
    for _ in 0..3 {
        let begun = clock.elapsed();
        let _ = server.handle_request().unwrap();
        took.push(clock.elapsed().saturating_sub(begun));
    }
    assert_eq!(took, [3 * MS, 10 * MS, Duration::ZERO]);
}

#[test]
fn turns_go_on_while_it_rests() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 4, Act::Stop);
    let (server, script, calls) = server(service);
    let every = PollInterval::Every(2 * MS);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every));
    script.error(exhausted()).request("one").wake_at(3 * MS);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(calls.hooks(), "SA SA SA VR FR SR CR SA");
    assert_eq!(clock.elapsed(), 5 * MS, "turns at 0, 2, 4 and 5");
}

#[test]
fn a_later_run_does_not_rest_for_the_run_before() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 1, Act::Stop).with(
        Hook::ServiceActions,
        2,
        Act::Stop,
    );
    let (server, script, _) = server(service);
    let mut server = server.with_config(sleepy());
    script.error(exhausted()).request("one");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((server.counts().served, clock.elapsed()), (1, Duration::ZERO));
}

/// A strategy that watches something, as one of processes does.
#[cfg(unix)]
struct Watching(io::Stdin);

#[cfg(unix)]
impl<J: Job> Concurrency<J> for Watching {
    fn source(&self) -> Option<Source<'_>> {
        Some(self.0.as_fd())
    }

    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        Inline.process_request(job, listener)
    }
}

#[cfg(unix)]
#[test]
fn a_strategy_that_watches_something_may_have_set_it_free() {
    let clock = VirtualClock::install();
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let mut server = Server::new(transport, Watching(io::stdin()), service).with_config(sleepy());
    script.error(exhausted()).error(exhausted()).error(exhausted()).request("one");
    // After attempts at 0 and 5, before that at 15.
    script.wake_at(7 * MS);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(clock.elapsed(), 27 * MS, "attempts at 0, 5, 7 and 27");
}
