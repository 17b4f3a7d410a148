//! What all hooks of a scenario share: what each of them does at which call, and where that is reported.

use std::any::Any;
use std::cell::Cell;
use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use socketserver::{HandlerError, HandlerResult, ShutdownHandle};

use crate::scenario::{Does, Hook, Scenario};
use crate::wire::{Actor, HookCall, Report};

/// No number of turns ends the loop.
pub(super) const NEVER: usize = usize::MAX;

thread_local! {
    /// The request this thread has to do with.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The hooks' common ground.
pub(super) struct Stage {
    pub(super) scenario: Scenario,
    // All counters are only changed by the serving thread; they are atomic because the stage is shared.
    turns: AtomicUsize,
    requests: AtomicUsize,
    timeouts: AtomicUsize,
    /// How many turns end the loop.
    pub(super) stop_at: AtomicUsize,
    /// The acts of `service_actions` that are done.
    acted: Mutex<HashSet<usize>>,
    stop: Mutex<Option<ShutdownHandle>>,
    main: (ThreadId, u32),
    /// What happens after the end is not part of it.
    over: AtomicBool,
    /// What hooks were called in this process, and what they did.
    calls: Mutex<Vec<(Hook, Option<Does>)>>,
}

impl Stage {
    pub(super) fn new(scenario: Scenario) -> Self {
        CURRENT.set(None);
        Self {
            scenario,
            turns: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            timeouts: AtomicUsize::new(0),
            stop_at: AtomicUsize::new(NEVER),
            acted: Mutex::default(),
            stop: Mutex::new(None),
            main: (thread::current().id(), std::process::id()),
            over: AtomicBool::new(false),
            calls: Mutex::default(),
        }
    }

    /// Reports a call for the current request, and says what it does.
    pub(super) fn enter(&self, hook: Hook) -> Option<Does> {
        let request = CURRENT.get();
        let does = request.and_then(|request| self.scenario.act(hook, request));
        self.call(hook, request, does, None);
        does
    }

    /// The same for `handle_error`.
    pub(super) fn enter_handle_error(&self, error: &HandlerError) -> Option<Does> {
        let request = CURRENT.get();
        let does = request.and_then(|request| self.scenario.act(Hook::HandleError, request));
        let mut words = describe(error);
        if let Some(earlier) = error.context() {
            words = format!("{words}<-{}", describe(earlier));
        }
        self.call(Hook::HandleError, request, does, Some(words));
        does
    }

    /// The same for a hook of the serving thread that is about no request.
    pub(super) fn enter_about_none(&self, hook: Hook) -> Option<Does> {
        let does = match hook {
            Hook::GetRequest => self.scenario.act(hook, count(&self.turns)),
            Hook::HandleTimeout => self.scenario.act(hook, count(&self.timeouts)),
            Hook::ServiceActions => self.service_act(),
            _ => None,
        };
        self.call(hook, None, does, None);
        does
    }

    fn service_act(&self) -> Option<Does> {
        let turns = self.turns();
        let mut acted = lock(&self.acted);
        let due = |at: usize| at <= turns && !acted.contains(&at);
        let mut acts = self.scenario.acts.iter().filter(|act| act.hook == Hook::ServiceActions);
        let act = acts.find(|act| due(act.at))?;
        acted.insert(act.at);
        Some(act.does)
    }

    fn call(&self, hook: Hook, request: Option<usize>, does: Option<Does>, error: Option<String>) {
        lock(&self.calls).push((hook, does));
        let pid = std::process::id();
        let actor = if pid != self.main.1 {
            Actor::Child
        } else if thread::current().id() != self.main.0 {
            Actor::Worker
        } else {
            Actor::Main
        };
        self.report(&Report::Hook(HookCall { actor, pid, request, hook, does, error }));
    }

    /// How often a hook was called in this process and did what `is` says.
    pub(super) fn count(&self, hook: Hook, is: impl Fn(Option<Does>) -> bool) -> u64 {
        let calls = lock(&self.calls);
        calls.iter().filter(|(called, does)| *called == hook && is(*does)).count() as u64
    }

    pub(super) fn report(&self, report: &Report) {
        if !self.over.load(Ordering::Relaxed) {
            say(report);
        }
    }

    /// From here on nothing is reported.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// A request has been accepted: from here on it is the serving thread's current one.
    pub(super) fn accepted(&self) {
        CURRENT.set(Some(count(&self.requests)));
    }

    /// Calls of `get_request` so far.
    pub(super) fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) fn set_stop(&self, stop: ShutdownHandle) {
        *lock(&self.stop) = Some(stop);
    }

    /// Asks the server to stop.
    pub(super) fn request_stop(&self) {
        if let Some(stop) = &*lock(&self.stop) {
            stop.request();
        }
    }

    /// Stops the server and waits.
    pub(super) fn shutdown(&self) {
        let stop = lock(&self.stop).clone();
        // That the serving thread cannot wait for itself is an answer, too.
        let _ = stop.map(|stop| stop.shutdown());
    }

    /// Does what a hook can do that has no result.
    pub(super) fn act(&self, hook: Hook, does: Option<Does>) {
        match does {
            Some(Does::Stop) => self.request_stop(),
            Some(Does::Shutdown) => self.shutdown(),
            // Silent: the panic hook would write to standard error.
            Some(Does::Panic | Does::Error) => resume_unwind(Box::new(Injected(hook))),
            // A refusal is the caller's affair, the rest is not played at all.
            _ => {}
        }
    }

    /// Does what a step of a handler can do.
    pub(super) fn act_in_handler(&self, hook: Hook, does: Option<Does>) -> HandlerResult {
        match does {
            Some(Does::Error) => Err(Injected(hook).into()),
            Some(Does::Exit(code)) => Err(HandlerError::exit(code)),
            other => {
                self.act(hook, other);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("scenario", &self.scenario).finish_non_exhaustive()
    }
}

/// Adds one, and gives the number before.
fn count(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that panics half-way runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The request this thread has to do with.
pub(super) fn current() -> Option<usize> {
    CURRENT.get()
}

/// From here on this thread has to do with this request.
pub(super) fn set_current(request: Option<usize>) {
    CURRENT.set(request);
}

/// Says something to the harness.
pub(super) fn say(report: &Report) {
    let Ok(mut line) = serde_json::to_string(report) else { return };
    line.push('\n');
    // In one piece, so that children do not write between; whether anybody listens is not our affair.
    let mut out = io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// A failure that the scenario asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Injected(pub(super) Hook);

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected-{}", self.0)
    }
}

impl Error for Injected {}

/// An error as a word, the same one as the other subject's.
fn describe(error: &HandlerError) -> String {
    if let Some(payload) = error.panic_payload() {
        return describe_panic(payload);
    }
    if let Some(injected) = error.downcast_ref::<Injected>() {
        return injected.to_string();
    }
    let Some(io_error) = error.downcast_ref::<io::Error>() else { return "error".to_owned() };
    if let Some(injected) = io_error.get_ref().and_then(|inner| inner.downcast_ref::<Injected>()) {
        return injected.to_string();
    }
    match io_error.kind() {
        io::ErrorKind::TimedOut => "timeout".to_owned(),
        io::ErrorKind::ConnectionReset => "reset".to_owned(),
        io::ErrorKind::BrokenPipe => "broken-pipe".to_owned(),
        _ => match io_error.raw_os_error() {
            Some(code) => format!("os-{code}"),
            None => format!("io-{:?}", io_error.kind()),
        },
    }
}

/// The payload of a panic as a word.
pub(super) fn describe_panic(payload: &(dyn Any + Send)) -> String {
    payload.downcast_ref::<Injected>().map_or_else(|| "panic".to_owned(), Injected::to_string)
}
