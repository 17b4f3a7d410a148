//! What happens in a server, as metrics of the crate `metrics`.

use std::fmt;

use ::metrics::{
    Counter, Gauge, Histogram, Label, SharedString, Unit, counter, describe_counter,
    describe_gauge, describe_histogram, gauge, histogram,
};
use socketserver_core::{DrainStage, Event, Finish, Observer};

/// Counts what happens with the crate `metrics`. Needs the feature `metrics`.
///
/// The names are stable. Each has the label `server`, the name that [`named`](Self::named) was given; others are in
/// brackets.
///
/// | name | kind | what |
/// |---|---|---|
/// | `socketserver_requests_accepted_total` | counter | requests taken from the transport |
/// | `socketserver_requests_refused_total` \[`reason`\] | counter | requests that were not to be served |
/// | `socketserver_requests_finished_total` \[`door`\] | counter | requests that left, by their door: `served`, `detached`, `unserved`, `handed_over` |
/// | `socketserver_requests_in_progress` | gauge | accepted, and neither refused nor finished |
/// | `socketserver_request_duration_seconds` | histogram | how long handlers ran |
/// | `socketserver_received_bytes_total`, `socketserver_sent_bytes_total` | counter | of connections, when they have finished |
/// | `socketserver_connections_cut_total` \[`reason`\] | counter | connections that the server ended: `drained`, `forced`, `ended`, or the deadline, `first_byte` say |
/// | `socketserver_handler_errors_total`, `socketserver_handler_panics_total` | counter | handlers that failed, or panicked |
/// | `socketserver_handlers_stuck_total` | counter | alarms about handlers that were [stuck](crate::ServerConfig::stuck_after) |
/// | `socketserver_accept_failures_total` | counter | clients that could not be accepted |
/// | `socketserver_accept_pauses_total` | counter | how often accepting paused because something ran out |
/// | `socketserver_accept_paused` | gauge | 1 while it pauses |
/// | `socketserver_suspended` | gauge | 1 while the server is suspended |
/// | `socketserver_draining` | gauge | 1 from the begin of a drain on |
///
/// Install the recorder first: an observer made before counts into the void.
///
/// ```
/// use socketserver::observe::MetricsObserver;
/// use socketserver::prelude::*;
///
/// let server = TcpServer::bind("127.0.0.1:0", stream_fn(|_client| Ok(())))?
///     .with_observer(MetricsObserver::named("nothing"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MetricsObserver {
    server: SharedString,
    accepted: Counter,
    in_progress: Gauge,
    duration: Histogram,
    received: Counter,
    sent: Counter,
    errors: Counter,
    panics: Counter,
    stuck: Counter,
    accept_failures: Counter,
    accept_pauses: Counter,
    accept_paused: Gauge,
    suspended: Gauge,
    draining: Gauge,
}

impl MetricsObserver {
    /// An observer of the server of this name.
    pub fn named(server: impl Into<String>) -> Self {
        describe();
        let server = SharedString::from(server.into());
        let label = || vec![Label::new("server", server.clone())];
        Self {
            accepted: counter!("socketserver_requests_accepted_total", label()),
            in_progress: gauge!("socketserver_requests_in_progress", label()),
            duration: histogram!("socketserver_request_duration_seconds", label()),
            received: counter!("socketserver_received_bytes_total", label()),
            sent: counter!("socketserver_sent_bytes_total", label()),
            errors: counter!("socketserver_handler_errors_total", label()),
            panics: counter!("socketserver_handler_panics_total", label()),
            stuck: counter!("socketserver_handlers_stuck_total", label()),
            accept_failures: counter!("socketserver_accept_failures_total", label()),
            accept_pauses: counter!("socketserver_accept_pauses_total", label()),
            accept_paused: gauge!("socketserver_accept_paused", label()),
            suspended: gauge!("socketserver_suspended", label()),
            draining: gauge!("socketserver_draining", label()),
            server,
        }
    }

    fn labels(&self, key: &'static str, value: &'static str) -> Vec<Label> {
        let server = Label::new("server", self.server.clone());
        vec![server, Label::new(key, value.replace(' ', "_"))]
    }

    fn finished(&self, finish: &Finish) {
        self.in_progress.decrement(1);
        let door = self.labels("door", finish.door.name());
        counter!("socketserver_requests_finished_total", door).increment(1);
        self.received.increment(finish.received);
        self.sent.increment(finish.sent);
        if !finish.time.is_zero() {
            self.duration.record(finish.time);
        }
        if let Some(reason) = finish.cut {
            let reason = self.labels("reason", reason.name());
            counter!("socketserver_connections_cut_total", reason).increment(1);
        }
    }
}

impl Observer for MetricsObserver {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Accepted(_) => {
                self.accepted.increment(1);
                self.in_progress.increment(1);
            }
            Event::Refused(_, reason) => {
                self.in_progress.decrement(1);
                let reason = self.labels("reason", reason.name());
                counter!("socketserver_requests_refused_total", reason).increment(1);
            }
            Event::Stuck(..) => self.stuck.increment(1),
            Event::Failed(..) => self.errors.increment(1),
            Event::Panicked(..) => self.panics.increment(1),
            Event::Finished(_, finish) => self.finished(finish),
            Event::AcceptFailed(_) => self.accept_failures.increment(1),
            Event::AcceptPaused(_) => {
                self.accept_pauses.increment(1);
                self.accept_paused.set(1);
            }
            Event::AcceptResumed(_) => self.accept_paused.set(0),
            Event::Suspended => self.suspended.set(1),
            Event::Resumed => self.suspended.set(0),
            Event::Draining(DrainStage::Begun { .. }) => self.draining.set(1),
            _ => {}
        }
    }
}

/// What the names mean, for recorders that tell.
fn describe() {
    let counters = [
        ("socketserver_requests_accepted_total", Unit::Count, "requests taken from the transport"),
        ("socketserver_requests_refused_total", Unit::Count, "requests not to be served"),
        ("socketserver_requests_finished_total", Unit::Count, "requests that left, by their door"),
        ("socketserver_received_bytes_total", Unit::Bytes, "bytes of finished connections"),
        ("socketserver_sent_bytes_total", Unit::Bytes, "bytes of finished connections"),
        ("socketserver_connections_cut_total", Unit::Count, "connections the server ended"),
        ("socketserver_handler_errors_total", Unit::Count, "handlers that failed"),
        ("socketserver_handler_panics_total", Unit::Count, "handlers that panicked"),
        ("socketserver_handlers_stuck_total", Unit::Count, "alarms about stuck handlers"),
        ("socketserver_accept_failures_total", Unit::Count, "clients that were not accepted"),
        ("socketserver_accept_pauses_total", Unit::Count, "pauses because something ran out"),
    ];
    for (name, unit, text) in counters {
        describe_counter!(name, unit, text);
    }
    let gauges = [
        ("socketserver_requests_in_progress", "requests that have not left"),
        ("socketserver_accept_paused", "1 while something has run out"),
        ("socketserver_suspended", "1 while somebody has suspended the server"),
        ("socketserver_draining", "1 when the server is ending"),
    ];
    for (name, text) in gauges {
        describe_gauge!(name, text);
    }
    let text = "how long handlers ran";
    describe_histogram!("socketserver_request_duration_seconds", Unit::Seconds, text);
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver").field("server", &self.server).finish_non_exhaustive()
    }
}
