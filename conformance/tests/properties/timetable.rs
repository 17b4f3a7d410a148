//! What happens at which virtual time, for the properties about time.

use std::io;
use std::time::Duration;

use proptest::prelude::*;
use socketserver_core::GetRequestError;
use socketserver_core::testing::Script;

/// Something that happens to a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Request,
    /// A wake that nobody has a reason for.
    Wake,
    /// It looks as if there were a request.
    NotReady,
    /// There are no descriptors left for a request.
    Exhausted,
}

/// Events with their times, in order.
pub(crate) type Timetable = Vec<(Duration, Event)>;

/// Times up to `longest`, some of them the same.
pub(crate) fn timetable(longest: Duration) -> impl Strategy<Value = Timetable> {
    let event = prop_oneof![
        4 => Just(Event::Request),
        6 => Just(Event::Wake),
        1 => Just(Event::NotReady),
        2 => Just(Event::Exhausted),
    ];
    let entry = (span(longest), event);
    prop::collection::vec(entry, 0..12).prop_map(|mut entries| {
        entries.sort_by_key(|(at, _)| *at);
        entries
    })
}

/// A span of time up to `longest`: often whole milliseconds, so that several things end together.
pub(crate) fn span(longest: Duration) -> impl Strategy<Value = Duration> {
    let nanos = u64::try_from(longest.as_nanos()).unwrap();
    prop_oneof![
        (0..=nanos).prop_map(Duration::from_nanos),
        (0..=nanos / 1_000_000).prop_map(Duration::from_millis),
        Just(Duration::ZERO),
    ]
}

pub(crate) fn enter(script: &Script, timetable: &Timetable) {
    for (at, event) in timetable {
        match event {
            Event::Request => script.request_at(*at, "a client"),
            Event::Wake => script.wake_at(*at),
            Event::NotReady => script.error_at(*at, GetRequestError::NotReady),
            Event::Exhausted => {
                let error = io::Error::other("no descriptors");
                script.error_at(*at, GetRequestError::Exhausted(error))
            }
        };
    }
}

/// How long a server pauses because something ran out: from 5 milliseconds to a second, and twice as long each
/// time in a row.
#[derive(Debug, Default)]
pub(crate) struct Pauses(u32);

impl Pauses {
    pub(crate) fn next(&mut self) -> Duration {
        let pause = Duration::from_millis(5 << self.0.min(20)).min(Duration::from_secs(1));
        self.0 += 1;
        pause
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }
}
