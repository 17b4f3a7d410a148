//! What observers are told, in which order, and that they can do no harm.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Recorded, server};
use socketserver_core::testing::{Act, Hook, RecordingService, Script, VirtualClock};
use socketserver_core::{Drain, Event, GetRequestError, Observer};

/// What was told, a line for each event.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn observer(&self) -> impl Observer + use<> {
        let lines = self.clone();
        move |event: &Event<'_>| {
            let line = match event {
                Event::Accepted(client) => format!("accepted {client}"),
                Event::Refused(client, why) => format!("refused {client}: {why:?}"),
                Event::Started(client) => format!("started {}", client.id()),
                Event::Failed(client, error) => format!("failed {}: {error}", client.id()),
                Event::Panicked(client, error) => format!("panicked {}: {error}", client.id()),
                Event::Finished(client, finish) => format!("{} {}", finish.door, client.id()),
                Event::AcceptFailed(error) => format!("accept failed: {error}"),
                Event::AcceptPaused(error) => format!("paused: {error}"),
                Event::AcceptResumed(after) => format!("resumed after {after:?}"),
                other => format!("{other:?}"),
            };
            lines.0.lock().unwrap().push(line);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn observed(service: RecordingService) -> (Recorded, Script, Lines) {
    let (server, script, _) = server(service);
    let lines = Lines::default();
    (server.with_observer(lines.observer()), script, lines)
}

fn one(hook: Hook, act: Act) -> Vec<String> {
    let (mut server, script, lines) = observed(RecordingService::new().with(hook, 1, act));
    script.request("a");
    let _ = server.handle_request().unwrap();
    lines.take()
}

#[test]
fn a_request_is_accepted_started_and_finished() {
    let (mut server, script, lines) = observed(RecordingService::new());
    script.request("a").request("b");
    let _ = (server.handle_request().unwrap(), server.handle_request().unwrap());
    let a = ["accepted 1 from \"a\"", "started 1", "served 1"];
    let b = ["accepted 2 from \"b\"", "started 2", "served 2"];
    assert_eq!(lines.take(), [a, b].concat());
}

#[test]
fn a_failure_is_told_before_the_end() {
    let lines = one(Hook::FinishRequest, Act::Fail);
    assert_eq!(lines[1..], ["started 1", "failed 1: a failed", "served 1"]);
    let lines = one(Hook::FinishRequest, Act::Panic);
    assert_eq!(lines[1..], ["started 1", "panicked 1: panicked: FR", "served 1"]);
}

#[test]
fn every_other_door_is_told_once() {
    assert_eq!(one(Hook::FinishRequest, Act::Detach)[1..], ["started 1", "detached 1"]);
    assert_eq!(one(Hook::FinishRequest, Act::Exit(1))[1..], ["started 1", "served 1"]);
    assert_eq!(one(Hook::VerifyRequest, Act::Fail)[1..], ["refused 1 from \"a\": Verify"]);
}

#[test]
fn a_pause_is_told_when_it_begins_and_when_it_is_over() {
    let _clock = VirtualClock::install();
    let (mut server, script, lines) = observed(RecordingService::new());
    let exhausted = || GetRequestError::Exhausted(io::Error::other("no descriptors"));
    script.error(exhausted()).error(exhausted()).error(exhausted()).request("a").request("b");
    for _ in 0..5 {
        let _ = server.handle_request().unwrap();
    }
    let lines = lines.take();
    // 5, 10 and 20 milliseconds.
    assert_eq!(lines[..2], ["paused: no descriptors", "resumed after 35ms"]);
    assert_eq!(lines[2..].len(), 6);
}

#[test]
fn one_lost_client_is_told() {
    let (mut server, script, lines) = observed(RecordingService::new());
    script.error(GetRequestError::Failed(io::Error::other("gone")));
    let _ = server.handle_request().unwrap();
    assert_eq!(lines.take(), ["accept failed: gone"]);
}

#[test]
fn suspending_is_told_when_it_changes_something() {
    let (server, _, lines) = observed(RecordingService::new());
    let handle = server.handle();
    handle.resume();
    handle.suspend();
    handle.suspend();
    handle.resume();
    assert_eq!(lines.take(), ["Suspended", "Resumed"]);
}

#[test]
fn the_stages_of_a_drain_are_told() {
    let (mut server, _, lines) = observed(RecordingService::new());
    let _ = server.drain(Drain::new().deadline(Duration::from_secs(60)));
    let lines = lines.take();
    assert_eq!(lines[0], "Draining(Begun { requests: 0 })");
    assert_eq!(lines[1], "Draining(IdleEnded { connections: 0 })");
    assert!(lines[2].starts_with("Draining(Done(DrainReport"), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn an_observer_that_panics_harms_nobody() {
    let (mut server, script, _) = server(RecordingService::new());
    let lines = Lines::default();
    server.add_observer(|_: &Event<'_>| panic!("observer"));
    server.add_observer(lines.observer());
    script.request("a");
    let _ = server.handle_request().unwrap();
    assert_eq!(lines.take().len(), 3, "the one after it is told all the same");
    let counts = server.counts();
    assert_eq!((counts.served, counts.hook_panics, counts.in_progress()), (1, 3, 0));
}

#[test]
fn who_has_finished_is_not_cut_any_more() {
    let (server, script, _) = server(RecordingService::new());
    let handle = server.handle();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ended);
    let mut server = server.with_observer(move |event: &Event<'_>| {
        if let Event::Finished(client, _) = event {
            seen.lock().unwrap().push(handle.end_connection(client.id()));
        }
    });
    let _client = script.connect("a");
    let _ = server.handle_request().unwrap();
    // What was told of its end would not be true otherwise.
    assert_eq!((ended.lock().unwrap().as_slice(), server.cuts().ended), ([false].as_slice(), 0));
}
