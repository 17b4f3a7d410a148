//! What a scripted transport will do next, and the requests it gives out.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

use super::client::ScriptedClient;
use super::clock;
use super::request::{Closed, ScriptedRequest};
use super::timetable::Timetable;
use crate::sync::{Arc, Condvar, Mutex, lock, wait};
use crate::transport::{GetRequestError, Readiness, Wait};

/// The script of a [`ScriptedTransport`](super::ScriptedTransport). Can be written while the
/// server runs, from any thread; clones write the same script.
#[derive(Clone, Debug, Default)]
pub struct Script(Arc<Stage>);

#[derive(Default)]
struct Stage {
    state: Mutex<State>,
    changed: Condvar,
    closed: Closed,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    timetable: Timetable<Event>,
    woken: bool,
    waits: u64,
    waited: Duration,
    blocked: bool,
}

enum Step {
    Request(String),
    Connection(String, ScriptedClient),
    Error(GetRequestError),
    BreakWait(io::Error),
}

/// What can happen at a certain time.
enum Event {
    Step(Step),
    Wake,
}

impl State {
    /// Lets happen what is due by the virtual clock of this thread.
    fn catch_up(&mut self) {
        let Some(now) = clock::elapsed() else { return };
        while let Some(event) = self.timetable.take_due(now) {
            match event {
                Event::Step(step) => self.steps.push_back(step),
                Event::Wake => self.woken = true,
            }
        }
    }

    /// Moves the virtual clock to the next event, if that comes before `end` or with it.
    fn skip_to_event(&self, end: Option<Duration>) -> bool {
        let Some(next) = self.timetable.next() else { return false };
        let comes = clock::elapsed().is_some() && end.is_none_or(|end| next <= end);
        if comes {
            clock::advance_to(next);
        }
        comes
    }
}

impl Script {
    /// A request of this name comes in.
    pub fn request(&self, name: impl Into<String>) -> &Self {
        self.push(Step::Request(name.into()))
    }

    /// A connection of this name comes in: a request that the server [watches](crate::Watched). Gives its client's end.
    pub fn connect(&self, name: impl Into<String>) -> ScriptedClient {
        let client = ScriptedClient::new();
        self.connect_client(name, &client);
        client
    }

    /// The same for a client that is there already.
    pub fn connect_client(&self, name: impl Into<String>, client: &ScriptedClient) -> &Self {
        self.push(Step::Connection(name.into(), client.clone()))
    }

    /// The transport looks ready, and `get_request` then fails.
    pub fn error(&self, error: GetRequestError) -> &Self {
        self.push(Step::Error(error))
    }

    /// The wait itself fails.
    pub fn break_wait(&self, error: io::Error) -> &Self {
        self.push(Step::BreakWait(error))
    }

    /// A request of this name comes in when this much time has gone by on the [virtual
    /// clock](super::VirtualClock) of the serving thread; never if it has none.
    pub fn request_at(&self, at: Duration, name: impl Into<String>) -> &Self {
        self.enter(at, Event::Step(Step::Request(name.into())))
    }

    /// The same for an [`error`](Self::error).
    pub fn error_at(&self, at: Duration, error: GetRequestError) -> &Self {
        self.enter(at, Event::Step(Step::Error(error)))
    }

    /// The same for a [`break_wait`](Self::break_wait).
    pub fn break_wait_at(&self, at: Duration, error: io::Error) -> &Self {
        self.enter(at, Event::Step(Step::BreakWait(error)))
    }

    /// The same for a wake that nobody has a reason for.
    pub fn wake_at(&self, at: Duration) -> &Self {
        self.enter(at, Event::Wake)
    }

    /// How often the transport was asked to wait.
    pub fn waits(&self) -> u64 {
        lock(&self.0.state).waits
    }

    /// How much virtual time went by in waits that ran out.
    pub fn waited(&self) -> Duration {
        lock(&self.0.state).waited
    }

    /// How many requests have been scripted and not taken.
    pub fn backlog(&self) -> usize {
        lock(&self.0.state).steps.len()
    }

    /// What became of the requests that were taken.
    pub fn closed(&self) -> &Closed {
        &self.0.closed
    }

    /// Waits until the server sleeps without a limit and nothing is left to do.
    pub fn await_idle(&self) {
        let mut state = lock(&self.0.state);
        while !(state.blocked && state.steps.is_empty() && !state.woken) {
            state = wait(&self.0.changed, state);
        }
    }

    fn push(&self, step: Step) -> &Self {
        lock(&self.0.state).steps.push_back(step);
        self.0.changed.notify_all();
        self
    }

    fn enter(&self, at: Duration, event: Event) -> &Self {
        lock(&self.0.state).timetable.enter(at, event);
        self
    }

    pub(super) fn wake(&self) {
        lock(&self.0.state).woken = true;
        self.0.changed.notify_all();
    }

    pub(super) fn wait(&self, sought: &Wait<'_>) -> io::Result<Readiness> {
        let mut state = lock(&self.0.state);
        state.waits += 1;
        let end = sought.get_timeout().and_then(clock::end_of_sleep);
        loop {
            state.catch_up();
            match state.steps.front() {
                Some(Step::BreakWait(_)) => {
                    if let Some(Step::BreakWait(error)) = state.steps.pop_front() {
                        return Err(error);
                    }
                }
                Some(_) if sought.is_for_request() => return Ok(Readiness::Request),
                _ => {}
            }
            if std::mem::take(&mut state.woken) {
                return Ok(Readiness::Woken);
            }
            if state.skip_to_event(end) {
                continue;
            }
            if let Some(timeout) = sought.get_timeout() {
                end.into_iter().for_each(clock::advance_to);
                state.waited += timeout;
                return Ok(Readiness::TimedOut);
            }
            state.blocked = true;
            self.0.changed.notify_all();
            state = wait(&self.0.changed, state);
            state.blocked = false;
        }
    }

    pub(super) fn take(&self) -> Result<(ScriptedRequest, String), GetRequestError> {
        let mut state = lock(&self.0.state);
        state.catch_up();
        match state.steps.pop_front() {
            Some(Step::Request(name)) => Ok(self.give_out(name, None)),
            Some(Step::Connection(name, client)) => Ok(self.give_out(name, Some(client))),
            Some(Step::Error(error)) => Err(error),
            Some(Step::BreakWait(error)) => Err(GetRequestError::Fatal(error)),
            None => Err(GetRequestError::NotReady),
        }
    }

    fn give_out(&self, name: String, client: Option<ScriptedClient>) -> (ScriptedRequest, String) {
        (ScriptedRequest::new(name.clone(), client, self.0.closed.clone()), name)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}
