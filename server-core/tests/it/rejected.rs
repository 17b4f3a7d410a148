//! Requests that nobody could be started to run: they are closed, counted and reported, and the loop pauses, to the
//! millisecond.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use socketserver_core::testing::{
    Act, Calls, Hook, Inline, RecordingService, Script, ScriptedTransport, VirtualClock,
};
use socketserver_core::{
    Concurrency, Dispatched, Drain, Ended, GetRequestError, Handled, Job, Listener, Rejected,
    Server, ServerConfig,
};

const MS: Duration = Duration::from_millis(1);

/// Runs a request, or does not, as the list says; when it is at its end all are run.
struct Plan {
    starts: RefCell<VecDeque<bool>>,
    asked: Cell<usize>,
}

impl<J: Job> Concurrency<J> for Plan {
    fn process_request(&self, job: J, it: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        self.asked.set(self.asked.get() + 1);
        if self.starts.borrow_mut().pop_front().unwrap_or(true) {
            Inline.process_request(job, it)
        } else {
            Err(Rejected::new(job, io::ErrorKind::OutOfMemory.into()))
        }
    }
}

type Planned = Server<ScriptedTransport, Plan, RecordingService>;

fn server(starts: &[bool], service: RecordingService) -> (Planned, Script, Calls) {
    let transport = ScriptedTransport::new();
    let (script, calls) = (transport.script(), service.calls());
    let plan =
        Plan { starts: RefCell::new(starts.iter().copied().collect()), asked: Cell::default() };
    (Server::new(transport, plan, service), script, calls)
}

/// How long each of so many calls of `handle_request` took.
fn times(clock: &VirtualClock, server: &mut Planned, calls: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..calls {
        let begun = clock.elapsed();
        assert!(server.handle_request().is_ok());
        times.push(clock.elapsed().saturating_sub(begun));
    }
    times
}

#[test]
fn the_pause_grows_until_something_is_started() {
    let clock = VirtualClock::install();
    let starts = [false, false, false, true, false];
    let (mut server, script, calls) = server(&starts, RecordingService::new());
    for name in ["a", "b", "c", "d", "e", "f"] {
        script.request(name);
    }
    let times = times(&clock, &mut server, 6);
    assert_eq!(times, [5 * MS, 10 * MS, 20 * MS, Duration::ZERO, 5 * MS, Duration::ZERO]);
    let counts = server.counts();
    assert_eq!((counts.accepted, counts.unserved, counts.served), (6, 4, 2));
    assert_eq!((counts.in_progress(), script.closed().closed()), (0, 6));
    assert_eq!(calls.errors().len(), 4);
}

#[test]
fn accepting_alone_does_not_end_the_growth_of_either_kind() {
    let clock = VirtualClock::install();
    let (mut server, script, _) = server(&[false, false, true], RecordingService::new());
    let exhausted = || GetRequestError::Exhausted(io::ErrorKind::OutOfMemory.into());
    script.request("a").error(exhausted()).request("b").request("c").error(exhausted());
    let times = times(&clock, &mut server, 5);
    assert_eq!(times, [5 * MS, 10 * MS, 20 * MS, Duration::ZERO, 5 * MS]);
}

#[test]
fn no_pause_is_longer_than_what_is_left_of_the_timeout() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(&[false; 3], RecordingService::new());
    let mut server = server.with_config(ServerConfig::new().timeout(12 * MS));
    script.request("a").request("b").request_at(25 * MS, "c");
    assert_eq!(times(&clock, &mut server, 3), [5 * MS, 10 * MS, 12 * MS]);
}

#[test]
fn the_loop_goes_on_and_what_nobody_runs_gives_up_its_place() {
    let _clock = VirtualClock::install();
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (server, script, calls) = server(&[false; 4], service);
    let mut server = server.with_config(ServerConfig::new().max_connections(1));
    for name in ["a", "b", "c", "d", "e", "f"] {
        script.request(name);
    }
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(calls.errors().len(), 4);
    assert_eq!((server.counts().unserved, server.counts().served, script.backlog()), (4, 1, 1));
}

#[test]
fn a_stop_cuts_the_pause() {
    let clock = VirtualClock::install();
    let (server, script, _) = server(&[false; 2], RecordingService::new());
    let mut server = server;
    server.shutdown_handle().request();
    script.request("a");
    assert!(matches!(server.handle_request(), Ok(Handled::Rejected)));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn a_drain_does_not_spend_its_time_on_pauses() {
    let clock = VirtualClock::install();
    let (mut server, script, _) = server(&[false; 8], RecordingService::new());
    script.request("a").request("b");
    let report = server.drain(Drain::new().backlog(socketserver_core::Backlog::Serve));
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert!(report.is_clean());
    assert_eq!(server.concurrency().asked.get(), 1, "it takes no more when nobody can run them");
    assert_eq!(server.counts().in_progress(), 0);
}
