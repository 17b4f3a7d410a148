//! One request: verified, then processed or shut down, its handler's steps nested, closed once.

use super::{exits, fails, refuses};
use crate::scenario::{Hook, Strategy};
use crate::trace::{Call, Trace};

/// Checks all that was done about one request.
pub(super) fn check(strategy: Strategy, trace: &Trace, request: usize) -> Result<(), String> {
    let main: Vec<&Call> =
        trace.main.0.iter().filter(|call| call.request == Some(request)).collect();
    let worker = trace.workers.get(&request).map(|calls| calls.0.iter().collect::<Vec<_>>());
    let mut serving = Sequence(&main);
    let verified = serving.expect(Hook::VerifyRequest)?;
    if refuses(verified) || fails(verified) {
        serving.closing()?;
        return nobody(serving, worker.as_deref());
    }
    let processed = serving.expect(Hook::ProcessRequest)?;
    if fails(processed) {
        serving.expect(Hook::HandleError)?;
        serving.closing()?;
        return nobody(serving, worker.as_deref());
    }
    match (strategy, worker) {
        (Strategy::Synchronous, worker) => {
            serving.service()?;
            nobody(serving, worker.as_deref())
        }
        (Strategy::Fork, Some(child)) => {
            // The parent closes its copy, and that is all it does.
            serving.expect(Hook::CloseRequest)?;
            serving.end()?;
            let mut child = Sequence(&child);
            let failed = child.service()?;
            child.exit(failed)
        }
        (_, Some(worker)) => {
            serving.end()?;
            let mut worker = Sequence(&worker);
            worker.expect(Hook::ProcessRequestThread)?;
            let failed = worker.service()?;
            worker.escape(failed)
        }
        (_, None) => Err("nobody serves it".to_owned()),
    }
}

fn nobody(mut serving: Sequence<'_, '_>, worker: Option<&[&Call]>) -> Result<(), String> {
    serving.end()?;
    match worker {
        Some(_) => Err("a worker has it as well".to_owned()),
        None => Ok(()),
    }
}

/// What came of serving: what an exit code, or what escapes a thread, should say.
#[derive(Debug, PartialEq)]
enum Outcome {
    Served,
    Failed,
    Exited(String),
    /// A hook failed that should not.
    Hook(String),
}

/// Calls not looked at yet.
struct Sequence<'a, 'b>(&'b [&'a Call]);

impl<'a> Sequence<'a, '_> {
    fn next_is(&self, hook: Hook) -> bool {
        self.0.first().is_some_and(|call| call.is(hook))
    }

    fn expect(&mut self, hook: Hook) -> Result<&'a Call, String> {
        match self.0 {
            [call, rest @ ..] if call.is(hook) => {
                self.0 = rest;
                Ok(call)
            }
            [call, ..] => Err(format!("{call} where {hook} should be")),
            [] => Err(format!("{hook} is missing")),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.0 {
            [] => Ok(()),
            [call, ..] => Err(format!("{call} is too much")),
        }
    }

    /// `shutdown_request`, which calls `close_request` unless it fails.
    fn closing(&mut self) -> Result<Option<&'a Call>, String> {
        let shutdown = self.expect(Hook::ShutdownRequest)?;
        if fails(shutdown) {
            return Ok(Some(shutdown));
        }
        let closed = self.expect(Hook::CloseRequest)?;
        Ok(fails(closed).then_some(closed))
    }

    /// The handler's life, `handle_error` if it failed, closing.
    fn service(&mut self) -> Result<Outcome, String> {
        let failed = self.handler()?;
        let mut outcome = match failed {
            Some(call) if exits(call) => Outcome::Exited(call.note.clone().unwrap_or_default()),
            Some(_) => Outcome::Failed,
            None => Outcome::Served,
        };
        if matches!(outcome, Outcome::Failed) || self.next_is(Hook::HandleError) {
            let told = self.expect(Hook::HandleError)?;
            let note = told.note.as_deref().unwrap_or_default();
            if note.starts_with("exit") {
                return Err("handle_error was told of an exit".to_owned());
            }
            // The client may have made it fail before the scenario did.
            if outcome != Outcome::Failed && note.starts_with("injected") {
                return Err(format!("{told}, but nothing failed"));
            }
            outcome = if fails(told) { Outcome::Hook(told.name.clone()) } else { Outcome::Failed };
        }
        if let (Some(call), false) = (self.closing()?, matches!(outcome, Outcome::Hook(_))) {
            outcome = Outcome::Hook(call.name.clone());
        }
        Ok(outcome)
    }

    /// `finish_request` and the steps of the handler, up to one that fails; `finish` comes after `handle` in any case.
    fn handler(&mut self) -> Result<Option<&'a Call>, String> {
        for hook in [Hook::FinishRequest, Hook::Init, Hook::Setup] {
            let call = self.expect(hook)?;
            if fails(call) {
                return Ok(Some(call));
            }
            if hook == Hook::Init && self.next_is(Hook::HandleError) {
                // The connection could not be set up as the service's options say.
                return Ok(None);
            }
        }
        let handled = self.expect(Hook::Handle)?;
        let finished = self.expect(Hook::Finish)?;
        Ok([finished, handled].into_iter().find(|call| fails(call)))
    }

    /// How a child ends.
    fn exit(&mut self, outcome: Outcome) -> Result<(), String> {
        let code = match outcome {
            Outcome::Served => "0".to_owned(),
            Outcome::Failed => "1".to_owned(),
            Outcome::Exited(note) => note.trim_start_matches("exit-").to_owned(),
            Outcome::Hook(_) => "101".to_owned(),
        };
        match self.0 {
            [exit] if exit.name == "exit" && exit.note.as_deref() == Some(&code) => Ok(()),
            [exit] => Err(format!("{exit} where exit!{code} should be")),
            _ => Err("its child ends once".to_owned()),
        }
    }

    /// What comes out of a worker thread.
    fn escape(&mut self, outcome: Outcome) -> Result<(), String> {
        let what = match outcome {
            Outcome::Served | Outcome::Failed => return self.end(),
            Outcome::Exited(note) => note,
            Outcome::Hook(name) => format!("injected-{name}"),
        };
        match self.0 {
            [escaped] if escaped.name == "escaped" && escaped.note.as_deref() == Some(&what) => {
                Ok(())
            }
            _ => Err(format!("escaped!{what} is missing")),
        }
    }
}
