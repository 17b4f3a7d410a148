//! The loop in virtual time: pauses to the millisecond, things that happen while it waits, and wakes without end.

use std::cell::{Cell, OnceCell};
use std::io;
use std::time::Duration;

use socketserver_core::testing::{
    Act, Hook, Inline, RecordingService, Script, ScriptedRequest, ScriptedTransport, VirtualClock,
};
use socketserver_core::{
    Concurrency, Dispatched, Ended, GetRequestError, Handled, HandlerResult, Job, Listener,
    PollInterval, Rejected, Server, ServerConfig, ServerHandle, Service, Waker,
};

use crate::support::server;

const MS: Duration = Duration::from_millis(1);

fn exhausted() -> GetRequestError {
    GetRequestError::Exhausted(io::Error::other("no descriptors"))
}

fn timeout(timeout: Duration) -> ServerConfig {
    ServerConfig::new().timeout(timeout)
}

#[test]
fn a_wait_ends_with_what_comes_first() {
    let clock = VirtualClock::install();
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(timeout(10 * MS));
    script.wake_at(3 * MS).request_at(7 * MS, "in time").request_at(18 * MS, "too late");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(clock.elapsed(), 7 * MS);
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(clock.elapsed(), 17 * MS);
    assert_eq!(calls.hooks(), "VR FR SR CR HT");
}

#[test]
fn a_clock_that_ticks_is_late_by_less_than_a_tick() {
    let clock = VirtualClock::with_tick(4 * MS);
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(timeout(10 * MS));
    script.wake_at(5 * MS).wake_at(9 * MS);
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(clock.elapsed(), 12 * MS);
}

#[test]
fn running_out_of_something_pauses_longer_each_time_in_a_row() {
    let clock = VirtualClock::install();
    let (mut server, script, _) = server(RecordingService::new());
    script.error(exhausted()).error(exhausted()).request("one").error(exhausted());
    let mut took = Vec::new();
    for _ in 0..4 {
        let begun = clock.elapsed();
        let _ = server.handle_request().unwrap();
        took.push(clock.elapsed().saturating_sub(begun));
    }
    assert_eq!(took, [5 * MS, 10 * MS, Duration::ZERO, 5 * MS]);
}

#[test]
fn a_pause_takes_no_longer_than_what_is_left_of_the_timeout() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(timeout(10 * MS));
    script.error_at(8 * MS, exhausted());
    assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(Some(_)))));
    assert_eq!(clock.elapsed(), 10 * MS);
}

#[test]
fn an_idle_turn_comes_an_interval_after_the_turn_before() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 4, Act::Stop);
    let (server, script, calls) = server(service);
    let every = PollInterval::Every(10 * MS);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every));
    script.wake_at(4 * MS).request_at(13 * MS, "one").wake_at(22 * MS);
    server.serve_forever().unwrap();
    assert_eq!(calls.hooks(), "SA VR FR SR CR SA SA SA");
    assert_eq!(clock.elapsed(), 33 * MS, "turns at 10, 13, 23 and 33");
}

/// A strategy that wakes the loop before each wait, a millisecond after the last: as many workers do that get
/// through all the time.
struct Restless<'a> {
    clock: &'a VirtualClock,
    waker: OnceCell<Waker>,
    waits: Cell<u32>,
}

impl<J: Job> Concurrency<J> for Restless<'_> {
    fn attach(&self, waker: Waker) {
        let _ = self.waker.set(waker);
    }

    fn has_room(&self) -> bool {
        self.waits.set(self.waits.get() + 1);
        assert!(self.waits.get() < 100, "it would go on for ever");
        self.clock.advance(MS);
        self.waker.get().into_iter().for_each(Waker::wake);
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

/// A server that is woken all the time, with its script.
fn restless<S: Service<ScriptedRequest>>(
    clock: &VirtualClock,
    service: S,
) -> (Server<ScriptedTransport, Restless<'_>, S>, Script) {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let strategy = Restless { clock, waker: OnceCell::new(), waits: Cell::new(0) };
    (Server::new(transport, strategy, service), script)
}

#[test]
fn wakes_without_end_do_not_keep_a_timeout_from_coming() {
    let clock = VirtualClock::install();
    let (server, _) = restless(&clock, RecordingService::new());
    let mut server = server.with_config(timeout(10 * MS));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(clock.elapsed(), 11 * MS, "over at 10, noticed at the next wake");
}

#[test]
fn wakes_without_end_do_not_keep_a_request_from_being_served() {
    let clock = VirtualClock::install();
    let (mut server, script) = restless(&clock, RecordingService::new());
    script.request_at(5 * MS, "one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(clock.elapsed(), 5 * MS);
}

#[test]
fn wakes_without_end_do_not_cut_a_pause_short() {
    let clock = VirtualClock::install();
    let (mut server, script) = restless(&clock, RecordingService::new());
    script.error(exhausted());
    assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(Some(_)))));
    assert_eq!(clock.elapsed(), 6 * MS, "5 from the attempt on");
}

/// Notes when it turns, and stops at the third time.
struct Turns<'a> {
    clock: &'a VirtualClock,
    at: Cell<[Duration; 3]>,
    count: Cell<usize>,
}

impl Service<ScriptedRequest> for Turns<'_> {
    fn finish_request(
        &self,
        _: &mut ScriptedRequest,
        _: &String,
        _: &ServerHandle,
    ) -> HandlerResult {
        Ok(())
    }

    fn service_actions(&self, server: &ServerHandle) {
        let mut at = self.at.get();
        at[self.count.get()] = self.clock.elapsed();
        self.at.set(at);
        self.count.set(self.count.get() + 1);
        if self.count.get() == at.len() {
            server.request_shutdown();
        }
    }
}

#[test]
fn wakes_without_end_neither_add_turns_nor_keep_them_from_coming() {
    let clock = VirtualClock::install();
    let service = Turns { clock: &clock, at: Cell::default(), count: Cell::new(0) };
    let (server, _) = restless(&clock, service);
    let every = PollInterval::Every(10 * MS);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every));
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.service().at.get(), [11 * MS, 22 * MS, 33 * MS]);
}
