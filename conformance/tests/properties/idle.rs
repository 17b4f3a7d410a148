//! When `serve_forever` turns, in virtual time.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use proptest::prelude::*;
use socketserver_core::testing::{Inline, ScriptedRequest, ScriptedTransport, VirtualClock};
use socketserver_core::{
    Ended, GetRequestError, HandlerResult, PollInterval, Server, ServerConfig, ServerHandle,
    Service,
};

use crate::timetable::{Event, Pauses, Timetable, enter, span, timetable};

/// Nothing is scripted for later.
const LONGEST: Duration = Duration::from_secs(2);
/// The shortest poll interval there is.
const SHORTEST: Duration = Duration::from_millis(1);

/// Takes this long for each request, and notes when `service_actions` is called, up to the turn that reaches
/// `until`.
struct Timed<'a> {
    clock: &'a VirtualClock,
    work: Duration,
    until: Duration,
    least: usize,
    turns: RefCell<Vec<Duration>>,
    requests: Cell<usize>,
}

impl Service<ScriptedRequest> for Timed<'_> {
    fn finish_request(
        &self,
        _: &mut ScriptedRequest,
        _: &String,
        _: &ServerHandle,
    ) -> HandlerResult {
        self.clock.advance(self.work);
        self.requests.set(self.requests.get() + 1);
        Ok(())
    }

    fn service_actions(&self, server: &ServerHandle) {
        let now = self.clock.elapsed();
        self.turns.borrow_mut().push(now);
        if now >= self.until && self.turns.borrow().len() >= self.least {
            server.request_shutdown();
        }
    }
}

/// Runs a server and gives the times of its turns.
fn turns(
    timetable: &Timetable,
    (interval, tick): (PollInterval, Duration),
    (work, until, least): (Duration, Duration, usize),
) -> Vec<Duration> {
    let clock = VirtualClock::with_tick(tick);
    let transport = ScriptedTransport::new();
    enter(&transport.script(), timetable);
    // Should nobody stop it, this does, with an error.
    let end = GetRequestError::Fatal(io::Error::other("it went on for too long"));
    transport.script().error_at(LONGEST * 100, end);
    let (turns, requests) = (RefCell::default(), Cell::new(0));
    let service = Timed { clock: &clock, work, until, least, turns, requests };
    let config = ServerConfig::new().poll_interval(interval);
    let mut server = Server::new(transport, Inline, service).with_config(config);
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    let service = server.service();
    assert_eq!(u64::try_from(service.requests.get()).unwrap(), server.counts().served);
    service.turns.borrow().clone()
}

/// The times of the turns as they should be, wakes or not: each turn takes what is there, or what comes within
/// the interval, or else ends with it.
fn expected(
    timetable: &Timetable,
    interval: Option<Duration>,
    (work, until, least): (Duration, Duration, usize),
) -> Vec<Duration> {
    let mut waiting = timetable.iter().filter(|(_, event)| *event != Event::Wake).peekable();
    let (mut now, mut turns, mut pauses) = (Duration::ZERO, Vec::new(), Pauses::default());
    // Up to then nothing is taken.
    let mut rest = Duration::ZERO;
    while turns.last().is_none_or(|last| *last < until) || turns.len() < least {
        let deadline = interval.map(|interval| now + interval);
        let in_time = |at: Duration| deadline.is_none_or(|deadline| at.max(rest) <= deadline);
        match waiting.next_if(|(at, _)| in_time(*at)) {
            Some((at, event)) => {
                now = now.max(*at).max(rest);
                match event {
                    Event::Request => {
                        pauses.reset();
                        now += work;
                    }
                    Event::Exhausted => rest = now + pauses.next(),
                    Event::NotReady | Event::Wake => {}
                }
            }
            None => now = deadline.unwrap(),
        }
        turns.push(now);
    }
    turns
}

proptest! {
    /// Once after each request, and once per interval in between, counted from the turn before; wakes for
    /// nothing neither add a turn nor put one off.
    #[test]
    fn service_actions_runs_once_per_turn(
        timetable in timetable(LONGEST),
        interval in span(LONGEST / 4),
        work in span(LONGEST / 8),
    ) {
        let every = PollInterval::Every(interval);
        let interval = interval.max(SHORTEST);
        let run = (work, (interval * 20).min(LONGEST), 1);
        let turns = turns(&timetable, (every, Duration::ZERO), run);
        prop_assert_eq!(turns, expected(&timetable, Some(interval), run));
    }

    /// Without an interval there is a turn per request and no other.
    #[test]
    fn a_server_that_never_polls_turns_for_requests_only(
        timetable in timetable(LONGEST),
        work in span(LONGEST / 8),
    ) {
        let least = timetable.iter().filter(|(_, event)| *event != Event::Wake).count();
        prop_assume!(least > 0);
        let run = (work, Duration::ZERO, least);
        let turns = turns(&timetable, (PollInterval::Never, Duration::ZERO), run);
        prop_assert_eq!(turns, expected(&timetable, None, run));
    }

    /// With a clock that ticks, an idle turn is never early and at most a tick late, whatever wakes it.
    #[test]
    fn an_idle_turn_is_late_by_a_tick_at_most(
        wakes in prop::collection::vec(span(LONGEST), 0..30),
        interval in span(LONGEST / 4),
        tick in span(Duration::from_millis(20)),
    ) {
        let timetable: Timetable = wakes.into_iter().map(|at| (at, Event::Wake)).collect();
        let every = PollInterval::Every(interval);
        let interval = interval.max(SHORTEST);
        let run = (Duration::ZERO, (interval * 20).min(LONGEST), 1);
        let turns = turns(&timetable, (every, tick), run);
        let begins = std::iter::once(&Duration::ZERO).chain(&turns);
        for (begin, turn) in begins.zip(&turns) {
            let took = turn.saturating_sub(*begin);
            prop_assert!(interval <= took && took <= interval + tick, "{took:?} of {interval:?}");
        }
    }
}
