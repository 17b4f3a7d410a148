//! How long `handle_request` waits, in virtual time.
//!
//! A tick is what the clock of the machine can tell apart: a sleep that should end between two ticks ends
//! at the later one.

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use socketserver_core::testing::{Hook, Inline, RecordingService, ScriptedTransport, VirtualClock};
use socketserver_core::{Concurrency, Dispatched, Handled, Job, Listener, Rejected};
use socketserver_core::{Server, ServerConfig, ShutdownHandle};

use crate::timetable::{Event, Pauses, Timetable, enter, span, timetable};

const LONGEST: Duration = Duration::from_millis(200);

#[derive(Debug)]
struct Case {
    server: Option<Duration>,
    transport: Option<Duration>,
    tick: Duration,
    timetable: Timetable,
    /// Until when the strategy has no room.
    full_until: Duration,
}

fn case() -> impl Strategy<Value = Case> {
    let timeout = || prop::option::of(span(LONGEST / 2));
    let tick = prop_oneof![Just(Duration::ZERO), span(Duration::from_millis(20))];
    let full = prop_oneof![3 => Just(Duration::ZERO), 1 => span(LONGEST)];
    (timeout(), timeout(), tick, timetable(LONGEST), full).prop_map(
        |(server, transport, tick, timetable, full_until)| Case {
            server,
            transport,
            tick,
            timetable,
            full_until,
        },
    )
}

/// Runs requests in place, but none before its time.
struct FullUntil<'a>(Duration, &'a VirtualClock);

impl<J: Job> Concurrency<J> for FullUntil<'_> {
    fn has_room(&self) -> bool {
        self.1.elapsed() >= self.0
    }

    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        Inline.process_request(job, listener)
    }
}

/// Runs requests in place, and orders a stop when it is asked for room at this time or later.
struct StopFrom<'a> {
    at: Duration,
    clock: &'a VirtualClock,
    stop: Cell<Option<ShutdownHandle>>,
}

impl<J: Job> Concurrency<J> for StopFrom<'_> {
    fn has_room(&self) -> bool {
        if self.clock.elapsed() >= self.at
            && let Some(stop) = self.stop.take()
        {
            stop.request();
        }
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

proptest! {
    /// A stop cuts the wait of `handle_request` at once, and is used up by that; a request that is there is served
    /// all the same.
    #[test]
    fn a_stop_cuts_the_wait(
        timeout in prop::option::of(span(LONGEST)),
        stop_at in span(LONGEST),
        request_at in span(LONGEST),
        wakes in prop::collection::vec(span(LONGEST), 0..6),
    ) {
        let clock = VirtualClock::install();
        let transport = ScriptedTransport::new();
        let script = transport.script();
        script.request_at(request_at, "one").wake_at(stop_at);
        for at in wakes {
            script.wake_at(at);
        }
        let service = RecordingService::new();
        let calls = service.calls();
        let strategy = StopFrom { at: stop_at, clock: &clock, stop: Cell::new(None) };
        let config = timeout.map_or(ServerConfig::new(), |timeout| ServerConfig::new().timeout(timeout));
        let mut server = Server::new(transport, strategy, service).with_config(config);
        let stop = server.shutdown_handle();
        server.concurrency().stop.set(Some(stop.clone()));

        let deadline = timeout.unwrap_or(Duration::MAX);
        match server.handle_request().unwrap() {
            Handled::Served => {
                prop_assert!(request_at <= stop_at && request_at <= deadline);
                prop_assert_eq!(clock.elapsed(), request_at);
            }
            Handled::TimedOut => {
                prop_assert!(deadline < request_at && deadline <= stop_at);
                prop_assert_eq!((clock.elapsed(), calls.hooks()), (deadline, "HT".to_owned()));
            }
            Handled::ShutdownRequested => {
                prop_assert!(stop_at < request_at && stop_at <= deadline);
                prop_assert_eq!((clock.elapsed(), calls.hooks()), (stop_at, String::new()));
                prop_assert!(!stop.is_requested(), "it is used up");
            }
            other => panic!("{other:?}"),
        }
    }

    /// However often it is woken for nothing: it never gives up early, nor more than a tick late; what comes
    /// before that is taken, at once; and the pause when something ran out ends with the timeout at the latest.
    #[test]
    fn handle_request_keeps_to_its_timeout(case in case()) {
        let Case { server, transport, tick, timetable, full_until } = case;
        let clock = VirtualClock::with_tick(tick);
        let scripted = transport.map_or_else(ScriptedTransport::new, |timeout| {
            ScriptedTransport::new().with_timeout(timeout)
        });
        let script = scripted.script();
        enter(&script, &timetable);
        // A strategy that has room again wakes the loop.
        script.wake_at(full_until);
        let service = RecordingService::new();
        let calls = service.calls();
        let config = server.map_or(ServerConfig::new(), |timeout| ServerConfig::new().timeout(timeout));
        let mut server_ = Server::new(scripted, FullUntil(full_until, &clock), service).with_config(config);

        let timeout = server.into_iter().chain(transport).min();
        let mut waiting: Vec<_> =
            timetable.into_iter().filter(|(_, event)| *event != Event::Wake).collect();
        let mut pauses = Pauses::default();
        // Without a timeout it waits for ever when nothing comes any more.
        while timeout.is_some() || !waiting.is_empty() {
            let begin = clock.elapsed();
            let deadline = timeout.map(|timeout| begin + timeout);
            let before = calls.hooks().len();
            let handled = server_.handle_request().unwrap();
            let end = clock.elapsed();
            let hooks = calls.hooks()[before..].trim().to_owned();

            // From when on the first thing that waits can be taken.
            let next = waiting.first().map(|(at, event)| ((*at).max(full_until).max(begin), *event));
            let last = deadline.map(|deadline| deadline + tick);
            match handled {
                Handled::TimedOut => {
                    let (Some(deadline), Some(last)) = (deadline, last) else {
                        panic!("there is no timeout");
                    };
                    prop_assert!(end >= deadline, "early: {end:?} of {deadline:?}");
                    prop_assert!(end <= last, "late: {end:?} of {deadline:?}");
                    prop_assert_eq!(hooks, "HT");
                    prop_assert!(next.is_none_or(|(at, _)| at > deadline), "{next:?} by {deadline:?}");
                    if waiting.is_empty() {
                        break;
                    }
                    // A timeout of zero does not let time go by.
                    clock.advance(Duration::from_millis(1));
                    continue;
                }
                Handled::Served => {
                    prop_assert_eq!(next.map(|(_, event)| event), Some(Event::Request));
                    prop_assert_eq!(hooks, "VR FR SR CR");
                    prop_assert_eq!(next.map(|(at, _)| at), Some(end));
                    pauses.reset();
                }
                Handled::NothingAccepted(error) => {
                    let (at, event) = next.unwrap();
                    prop_assert_eq!(hooks, "");
                    if event == Event::NotReady {
                        prop_assert!(error.is_none());
                        prop_assert_eq!(at, end);
                    } else {
                        prop_assert_eq!(event, Event::Exhausted);
                        let patience = deadline.map(|deadline| deadline.saturating_sub(at));
                        let pause = pauses.next();
                        let pause = patience.map_or(pause, |patience| pause.min(patience));
                        prop_assert!(end >= at + pause, "{at:?} + {pause:?}, but {end:?}");
                        prop_assert!(end <= at + pause + tick, "{at:?} + {pause:?}, but {end:?}");
                    }
                }
                other => panic!("{other:?}"),
            }
            prop_assert!(last.is_none_or(|last| end <= last), "late: {end:?} of {deadline:?}");
            waiting.remove(0);
        }
        prop_assert_eq!(calls.count(Hook::ServiceActions), 0);
    }
}
