//! Requests that are taken without having been waited for, over a transport that can be tried.

use std::io;
use std::time::Duration;

use socketserver_core::testing::{
    Act, Call, Faults, Faulty, Hook, Inline, RecordingService, Script, ScriptedTransport,
    VirtualClock,
};
use socketserver_core::{
    Ended, GetRequestError, Handled, PollInterval, Readiness, Request, Server, ServerConfig,
    Transport, Wait, Waker,
};

use crate::support::sleepy;

const MS: Duration = Duration::from_millis(1);

/// Can be tried.
pub(crate) struct Triable<T>(pub(crate) T);

impl<T: Transport> Transport for Triable<T> {
    type Request = T::Request;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.0.wait(wait)
    }

    fn can_be_tried(&self) -> bool {
        true
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn get_request(&self) -> Result<(T::Request, <T::Request as Request>::Addr), GetRequestError> {
        self.0.get_request()
    }

    fn local_addr(&self) -> io::Result<<T::Request as Request>::Addr> {
        self.0.local_addr()
    }
}

type Tried = Server<Triable<Faulty<ScriptedTransport>>, Inline, RecordingService>;

fn server(service: RecordingService) -> (Tried, Script, Faults) {
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let transport = Faulty::new(transport, |error| Some(GetRequestError::Exhausted(error)));
    let faults = transport.faults();
    (Server::new(Triable(transport), Inline, service), script, faults)
}

#[test]
fn of_requests_that_are_there_only_the_first_is_waited_for() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 20, Act::Stop);
    let (mut server, script, _) = server(service);
    for number in 0..20 {
        script.request(number.to_string());
    }
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((script.waits(), server.counts().served), (1, 20));
}

#[test]
fn a_hope_in_vain_is_no_turn_and_puts_the_next_one_off_for_nobody() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 4, Act::Stop);
    let calls = service.calls();
    let (server, script, _) = server(service);
    let config = ServerConfig::new().poll_interval(PollInterval::Every(10 * MS));
    let mut server = server.with_config(config);
    script.request("one").request_at(5 * MS, "two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(calls.hooks(), "VR FR SR CR SA VR FR SR CR SA SA SA");
    assert_eq!(clock.elapsed(), 25 * MS, "turns at 0, 5, 15 and 25");
    assert_eq!(server.counts().accept_failures, 0);
}

#[test]
fn handle_request_waits_after_a_hope_in_vain_for_as_long_as_it_was_told() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(ServerConfig::new().timeout(10 * MS));
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert!(matches!(server.handle_request(), Ok(Handled::TimedOut)));
    assert_eq!(clock.elapsed(), 10 * MS);
    script.request("two").request("three");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
}

#[test]
fn with_a_stop_ordered_handle_request_only_looks() {
    let _clock = VirtualClock::install();
    let (mut server, script, _) = server(RecordingService::new());
    script.request("one").request("two");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    server.shutdown_handle().request();
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert!(matches!(server.handle_request(), Ok(Handled::ShutdownRequested)));
}

#[test]
fn what_has_run_out_is_missed_by_nobody_who_is_not_there() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let (server, script, faults) = server(service);
    let mut server = server.with_config(sleepy());
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    script.request_at(3 * MS, "two");
    faults.next(Call::GetRequest, || io::Error::other("no descriptors"));
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((faults.injected(), server.counts().exhausted), (1, 0));
    assert_eq!(clock.elapsed(), 3 * MS);
}

#[test]
fn what_has_run_out_is_told_when_somebody_is_there() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let (server, script, faults) = server(service);
    let mut server = server.with_config(sleepy());
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    script.request("two");
    for _ in 0..2 {
        faults.next(Call::GetRequest, || io::Error::other("no descriptors"));
    }
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    // The first only showed that it is worth a look.
    assert_eq!((faults.injected(), server.counts().exhausted, server.counts().served), (2, 1, 2));
    assert_eq!(clock.elapsed(), 5 * MS);
}

/// What the system says without anybody being there it would say again at once.
#[test]
fn who_fails_in_a_hope_is_waited_for() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 2, Act::Stop);
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let transport = Faulty::new(transport, |error| Some(GetRequestError::Failed(error)));
    let faults = transport.faults();
    let mut server = Server::new(Triable(transport), Inline, service).with_config(sleepy());
    script.request("one");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    script.request_at(3 * MS, "two");
    for _ in 0..50 {
        faults.next(Call::GetRequest, || io::Error::other("gone"));
    }
    for _ in 0..2 {
        // The second one waits until somebody is there.
        assert!(matches!(server.handle_request(), Ok(Handled::NothingAccepted(Some(_)))));
    }
    assert_eq!((faults.injected(), clock.elapsed()), (2, 3 * MS));
}
