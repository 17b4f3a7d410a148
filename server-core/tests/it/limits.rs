//! Limits: who waits, who is turned away and why, and that a rate is kept to the millisecond.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use socketserver_core::testing::{
    Act, Calls, Hook, Inline, RecordingService, Script, ScriptedTransport, VirtualClock,
};
use socketserver_core::{
    AcceptRate, AtLimit, Backlog, Concurrency, Dispatched, Drain, Ended, GetRequestError, Handled,
    Job, Listener, PollInterval, Refusal, Rejected, Server, ServerConfig, ServiceExt,
};

use crate::support::{server, sleepy};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A strategy whose jobs are run when the test says so.
struct Hold<J> {
    held: Rc<RefCell<Vec<J>>>,
    most: usize,
}

impl<J: Job> Concurrency<J> for Hold<J> {
    fn has_room(&self) -> bool {
        self.held.borrow().len() < self.most
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        self.held.borrow_mut().push(job);
        Ok(Dispatched::Started)
    }
}

type HeldJob =
    socketserver_core::ServiceJob<socketserver_core::testing::ScriptedRequest, RecordingService>;
type Holding = Server<ScriptedTransport, Hold<HeldJob>, RecordingService>;

/// A server with room for so many jobs, the jobs, and the rest.
fn holding(
    room: usize,
    config: ServerConfig,
) -> (Holding, Rc<RefCell<Vec<HeldJob>>>, Script, Calls) {
    let held = Rc::default();
    let (transport, service) = (ScriptedTransport::new(), RecordingService::new());
    let (script, calls) = (transport.script(), service.calls());
    let strategy = Hold { held: Rc::clone(&held), most: room };
    let server = Server::new(transport, strategy, service).with_config(config);
    (server, held, script, calls)
}

fn looks(most: usize, at_limit: AtLimit) -> ServerConfig {
    ServerConfig::new().max_connections(most).at_limit(at_limit).timeout(Duration::ZERO)
}

#[test]
fn who_comes_at_the_limit_is_refused_at_once_and_never_inside() {
    let (mut server, held, script, calls) = holding(9, looks(2, AtLimit::Refuse));
    for name in ["a", "b", "c", "d"] {
        script.request(name);
    }
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    for refused in 1..=2 {
        assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
        assert_eq!(server.handle().live_requests(), 2);
        assert_eq!(server.counts().turned_away.limit, refused);
        assert_eq!(script.closed().closed(), refused);
    }
    assert_eq!(calls.refusals(), [Refusal::Limit; 2]);
    assert_eq!(calls.hooks(), "VR VR HR SR CR HR SR CR");
    drop(held.borrow_mut().pop().unwrap().run());
    script.request("e");
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert_eq!(server.counts().in_progress(), 2);
    assert_eq!(server.counts().turned_away.total(), 2);
}

#[test]
fn a_strategy_without_room_does_not_keep_the_limit_from_refusing() {
    let (mut server, _held, script, _) = holding(1, looks(1, AtLimit::Refuse));
    script.request("a").request("b");
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    // Below the limit it is the strategy's business what to do.
    server.handle().set_max_connections(Some(2));
    script.request("c");
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(script.backlog(), 1);
}

#[test]
fn what_happens_at_the_limit_can_be_changed() {
    let (mut server, _held, script, _) = holding(9, looks(1, AtLimit::Wait));
    script.request("a").request("b");
    assert!(matches!(server.handle_request(), Ok(Handled::Started)));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    server.handle().set_at_limit(AtLimit::Refuse);
    assert_eq!(server.handle().at_limit(), AtLimit::Refuse);
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    // Nobody is let in: everybody is told.
    server.handle().set_max_connections(Some(0));
    script.request("c");
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    // Who is suspended tells nobody.
    server.handle().suspend();
    script.request("d");
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
}

#[test]
fn a_loop_that_waits_at_the_limit_is_woken_to_refuse() {
    let transport = ScriptedTransport::new();
    let (script, service) = (transport.script(), RecordingService::new());
    let mut server =
        Server::new(transport, Inline, service).with_config(sleepy().max_connections(0));
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    std::thread::scope(|scope| {
        let serving = scope.spawn(move || server.serve_forever().unwrap());
        script.await_idle();
        script.request("a");
        handle.set_at_limit(AtLimit::Refuse);
        script.await_idle();
        assert_eq!(handle.counts().turned_away.limit, 1);
        stop.request();
        assert_eq!(serving.join().unwrap(), Ended::Shutdown);
    });
}

#[test]
fn a_panic_of_the_last_word_unwinds_after_the_request_is_closed() {
    let service = RecordingService::new().with(Hook::HandleRefusal, 1, Act::Panic);
    let (server, script, calls) = server(service);
    let mut server = server.with_config(looks(0, AtLimit::Refuse));
    script.request("a").request("b");
    let unwound = catch_unwind(AssertUnwindSafe(|| server.handle_request().map(drop)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"HR".to_owned()));
    assert_eq!(calls.hooks(), "HR SR CR");
    let counts = server.counts();
    assert_eq!((counts.turned_away.limit, counts.hook_panics, counts.in_progress()), (1, 1, 0));
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
}

#[test]
fn the_last_word_is_that_of_the_service_inside() {
    let service = RecordingService::new();
    let calls = service.calls();
    let service = Arc::new(service)
        .verify(|_, _| true)
        .on_error(|_, _, _| {})
        .on_timeout(|_| {})
        .on_service_actions(|_| {});
    let transport = ScriptedTransport::new();
    transport.script().request("a");
    let mut server =
        Server::new(transport, Inline, Box::new(service)).with_config(looks(0, AtLimit::Refuse));
    assert!(matches!(server.handle_request(), Ok(Handled::Refused)));
    assert_eq!(calls.hooks(), "HR SR CR");
}

#[test]
fn new_settings_take_the_place_of_those_of_a_handle() {
    let (mut server, ..) = server(RecordingService::new());
    let handle = server.handle();
    handle.set_at_limit(AtLimit::Refuse);
    handle.set_accept_rate(Some(AcceptRate::per_second(1)));
    server.set_config(ServerConfig::new());
    assert_eq!((handle.at_limit(), handle.accept_rate()), (AtLimit::Wait, None));
    let rate = AcceptRate::per_second(7);
    server.set_config(ServerConfig::new().at_limit(AtLimit::Refuse).accept_rate(rate));
    assert_eq!((handle.at_limit(), handle.accept_rate()), (AtLimit::Refuse, Some(rate)));
    assert_eq!(server.config().get_at_limit(), AtLimit::Refuse);
    assert_eq!(server.config().get_accept_rate(), Some(rate));
}

#[test]
fn a_drain_that_serves_the_backlog_tells_those_for_whom_there_is_no_room() {
    let (mut server, _held, script, calls) = holding(9, looks(1, AtLimit::Refuse));
    script.request("a").request("b").request("c");
    let drain = Drain::new().deadline(SECOND).grace(Duration::ZERO).backlog(Backlog::Serve);
    let _ = server.drain(drain);
    assert_eq!(calls.refusals(), [Refusal::Limit; 2]);
    assert_eq!((server.counts().accepted, script.backlog()), (3, 0));
}

/// The times at which requests were served, when so many were there from the start.
fn served_at(config: ServerConfig, requests: usize) -> (Vec<Duration>, String) {
    let clock = VirtualClock::install();
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(config);
    for number in 0..requests {
        script.request(number.to_string());
    }
    let mut times = Vec::new();
    while times.len() < requests {
        if matches!(server.handle_request(), Ok(Handled::Served)) {
            times.push(clock.elapsed());
        }
    }
    (times, calls.hooks())
}

#[test]
fn those_who_come_too_fast_wait_for_their_token() {
    let rate = AcceptRate::per_second(10).burst(2);
    let config = ServerConfig::new().accept_rate(rate).timeout(SECOND);
    let (times, hooks) = served_at(config, 5);
    assert_eq!(times, [0, 0, 100, 200, 300].map(|ms| ms * MS));
    assert!(!hooks.contains("HT"), "{hooks}");
}

#[test]
fn a_timeout_that_is_shorter_than_the_wait_for_a_token_is_a_timeout() {
    let rate = AcceptRate::one_per(250 * MS);
    let config = ServerConfig::new().accept_rate(rate).timeout(100 * MS);
    let (times, hooks) = served_at(config, 2);
    assert_eq!(times, [0, 250].map(|ms| ms * MS));
    assert_eq!(hooks, "VR FR SR CR HT HT VR FR SR CR");
}

#[test]
fn idle_turns_come_when_they_are_due_although_the_loop_waits_for_tokens() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 5, Act::Stop);
    let (server, script, calls) = server(service);
    let every = PollInterval::Every(40 * MS);
    let rate = AcceptRate::one_per(100 * MS);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every).accept_rate(rate));
    script.request("a").request("b");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    // Turns at 0 with a request, at 40 and 80, at 100 with the second, and at 140.
    assert_eq!(calls.hooks(), "VR FR SR CR SA SA SA VR FR SR CR SA SA");
    assert_eq!(clock.elapsed(), 140 * MS);
}

#[test]
fn a_stop_ends_the_wait_for_a_token() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(RecordingService::new());
    let config = sleepy().accept_rate(AcceptRate::one_per(Duration::from_secs(3600)));
    let mut server = server.with_config(config);
    script.request("a").request("b");
    let _ = server.handle_request().unwrap();
    let stop = server.shutdown_handle();
    stop.request();
    assert!(matches!(server.handle_request(), Ok(Handled::ShutdownRequested)));
    assert_eq!(script.backlog(), 1);
    // And one that comes while it waits: a wake is all that the loop sees of it.
    script.wake_at(5 * MS);
    let config = server.config().timeout(10 * MS);
    server.set_config(config);
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(clock.elapsed(), 10 * MS);
}

#[test]
fn a_rate_can_be_changed_while_the_loop_waits_for_a_token() {
    let transport = ScriptedTransport::new();
    let (script, service) = (transport.script(), RecordingService::new());
    let calls = service.calls();
    let config = sleepy().accept_rate(AcceptRate::one_per(Duration::from_secs(365 * 24 * 3600)));
    let mut server = Server::new(transport, Inline, service).with_config(config);
    let (stop, handle) = (server.shutdown_handle(), server.handle());
    script.request("a");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    std::thread::scope(|scope| {
        // The scripted transport takes a limited wait for over at once, so this turns and turns until it is changed.
        let serving = scope.spawn(move || server.serve_forever().unwrap());
        script.request("b");
        handle.set_accept_rate(None);
        script.await_idle();
        assert_eq!(calls.count(Hook::FinishRequest), 2);
        stop.request();
        assert_eq!(serving.join().unwrap(), Ended::Shutdown);
    });
    assert_eq!(handle.accept_rate(), None);
}

#[test]
fn those_who_come_too_fast_are_refused_if_so_wanted_and_use_nothing_up() {
    let clock = VirtualClock::install();
    let (server, script, calls) = server(RecordingService::new());
    let config = looks(9, AtLimit::Refuse).accept_rate(AcceptRate::one_per(100 * MS).burst(2));
    let mut server = server.with_config(config);
    let mut handled = |times: usize| {
        for _ in 0..times {
            script.request("one");
        }
        let all = (0..times).map(|_| server.handle_request().unwrap());
        all.filter(|handled| matches!(handled, Handled::Served)).count()
    };
    assert_eq!(handled(5), 2);
    clock.advance(99 * MS);
    assert_eq!(handled(5), 0);
    clock.advance(MS);
    assert_eq!(handled(5), 1, "those that were refused did not take it");
    assert_eq!(calls.refusals(), [Refusal::Rate; 12]);
    assert_eq!(server.counts().turned_away.rate, 12);
    assert_eq!(server.counts().in_progress(), 0);
}

#[test]
fn a_request_that_was_not_there_uses_no_token_up() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(RecordingService::new());
    let config = ServerConfig::new().accept_rate(AcceptRate::one_per(SECOND));
    let mut server = server.with_config(config);
    script.error(GetRequestError::NotReady).request("a");
    assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(None))));
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn dismissed_clients_are_counted_and_the_pause_does_not_grow() {
    let clock = VirtualClock::install();
    let (mut server, script, _) = server(RecordingService::new());
    for clients in [3, 100, 1] {
        let error = std::io::Error::other("no descriptors");
        script.error(GetRequestError::Dismissed { clients, error });
        let handled = server.handle_request().unwrap();
        assert!(matches!(handled, Handled::NothingAccepted(Some(_))));
    }
    assert_eq!(clock.elapsed(), 15 * MS);
    let counts = server.counts();
    assert_eq!((counts.dismissed, counts.exhausted, counts.accepted), (104, 3, 0));
    assert_eq!(server.handle().live_requests(), 0);
}
