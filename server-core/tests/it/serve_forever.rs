//! The loop: its turns, its poll interval, what ends it, and that it can go on afterwards.

use std::io;
use std::thread;
use std::time::Duration;

use crate::support::{server, sleepy};
use socketserver_core::testing::{Act, Hook, RecordingService, VirtualClock};
use socketserver_core::{
    Ended, Exit, GetRequestError, PollInterval, ServeError, ServerConfig, StopOrder,
};

#[test]
fn each_turn_serves_one_request_then_calls_service_actions() {
    let service = RecordingService::new().with(Hook::ServiceActions, 2, Act::Stop);
    let (mut server, script, calls) = server(service);
    script.request("one").request("two").request("three");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!(calls.hooks(), "VR FR SR CR SA VR FR SR CR SA");
    assert_eq!(script.backlog(), 1);
}

#[test]
fn an_idle_poll_is_a_turn_too() {
    let service = RecordingService::new().with(Hook::ServiceActions, 3, Act::Stop);
    let (mut server, script, calls) = server(service);
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!(calls.hooks(), "SA SA SA");
    assert_eq!(script.waited(), Duration::from_millis(1500), "half a second each");
}

#[test]
fn the_poll_interval_is_at_least_a_millisecond() {
    let service = RecordingService::new().with(Hook::ServiceActions, 4, Act::Stop);
    let (server, script, _) = server(service);
    let every = PollInterval::Every(Duration::ZERO);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every));
    server.serve_forever().unwrap();
    assert_eq!(script.waited(), Duration::from_millis(4));
}

#[test]
fn the_timeout_is_ignored() {
    let service = RecordingService::new().with(Hook::ServiceActions, 9, Act::Stop);
    let (server, _, calls) = server(service);
    let config = ServerConfig::new().timeout(Duration::from_millis(1));
    server.with_config(config).serve_forever().unwrap();
    assert_eq!(calls.count(Hook::HandleTimeout), 0);
}

#[test]
fn an_idle_server_that_never_polls_does_not_wake() {
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.serve_forever());
    script.await_idle();
    script.request("one");
    script.await_idle();
    assert_eq!(script.waits(), 2, "one wait for the request, one that nothing has ended");
    assert_eq!(stop.shutdown(), Ok(StopOrder::Delivered));
    assert!(matches!(thread.join().unwrap(), Ok(Ended::Shutdown)));
    assert_eq!(calls.hooks(), "VR FR SR CR SA", "no service actions on the turn of the stop");
}

#[test]
fn a_stop_out_of_a_handler_ends_the_loop_after_its_turn() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (mut server, script, calls) = server(service);
    script.request("quit").request("next");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!(calls.hooks(), "VR FR SR CR SA");
    assert_eq!(script.backlog(), 1);
}

#[test]
fn what_came_between_two_runs_is_served_by_the_second() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop).with(
        Hook::FinishRequest,
        3,
        Act::Stop,
    );
    let (mut server, script, _) = server(service);
    script.request("one");
    server.serve_forever().unwrap();
    script.request("two").request("three");
    server.serve_forever().unwrap();
    assert_eq!((server.counts().served, script.backlog()), (3, 0));
}

#[test]
fn a_wake_for_no_reason_is_not_a_turn() {
    let (server, script, calls) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    // Woken before the server starts, by a stop that `handle_request` uses up.
    server.shutdown_handle().request();
    server.set_config(sleepy().timeout(Duration::ZERO));
    let _ = server.handle_request().unwrap();
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.serve_forever());
    script.await_idle();
    stop.shutdown().unwrap();
    thread.join().unwrap().unwrap();
    assert_eq!(calls.hooks(), "");
}

#[test]
fn a_synchronous_handler_that_exits_ends_the_loop_with_its_code() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Exit(7));
    let (mut server, script, calls) = server(service);
    script.request("one").request("two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Exited(Exit::new(7)));
    assert_eq!(calls.hooks(), "VR FR SR CR", "no handle_error, no service_actions");
}

#[test]
fn failed_requests_do_not_end_the_loop() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (mut server, script, calls) = server(service);
    script
        .error(GetRequestError::NotReady)
        .error(GetRequestError::Failed(io::ErrorKind::ConnectionReset.into()))
        .error(GetRequestError::Exhausted(io::Error::other("no descriptors")))
        .request("one");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!(calls.hooks(), "SA SA SA VR FR SR CR SA");
}

#[test]
fn a_pause_because_something_ran_out_is_cut_by_a_stop() {
    let clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::ServiceActions, 1, Act::Stop);
    let (server, script, _) = server(service);
    for _ in 0..2 {
        script.error(GetRequestError::Exhausted(io::Error::other("no descriptors")));
    }
    let mut server = server.with_config(sleepy());
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!((script.backlog(), clock.elapsed()), (1, Duration::ZERO));
}

#[test]
fn a_broken_transport_ends_the_loop_and_a_later_run_works() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (mut server, script, _) = server(service);
    script.break_wait(io::Error::other("deaf"));
    assert!(matches!(server.serve_forever(), Err(ServeError::Wait(_))));
    script.error(GetRequestError::Fatal(io::Error::other("gone")));
    assert!(matches!(server.serve_forever(), Err(ServeError::GetRequest(_))));
    script.request("one");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
}
