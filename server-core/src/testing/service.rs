//! A service that records which of its hooks were called, and does in each what a test wants.

use std::collections::HashMap;
use std::fmt;

use super::request::ScriptedRequest;
use crate::handler_error::{HandlerError, HandlerResult};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::{Arc, Mutex, ThreadId, current_thread, lock};

/// The hooks of a [`Service`], with CPython's short names in traces.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Hook {
    /// `verify_request`, `VR`
    VerifyRequest,
    /// `finish_request`, `FR`
    FinishRequest,
    /// `handle_error`, `HE`
    HandleError,
    /// `handle_refusal`, `HR`
    HandleRefusal,
    /// `handle_timeout`, `HT`
    HandleTimeout,
    /// `service_actions`, `SA`
    ServiceActions,
    /// `shutdown_request`, `SR`
    ShutdownRequest,
    /// `close_request`, `CR`
    CloseRequest,
}

impl Hook {
    fn short(self) -> &'static str {
        match self {
            Self::VerifyRequest => "VR",
            Self::FinishRequest => "FR",
            Self::HandleError => "HE",
            Self::HandleRefusal => "HR",
            Self::HandleTimeout => "HT",
            Self::ServiceActions => "SA",
            Self::ShutdownRequest => "SR",
            Self::CloseRequest => "CR",
        }
    }
}

/// What a hook does at one of its calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// What the stock hook does.
    #[default]
    Normal,
    /// `verify_request`: say no. `finish_request`: return an error.
    Fail,
    /// Panic with the short name of the hook.
    Panic,
    /// `finish_request`: ask to exit with this code.
    Exit(u8),
    /// `finish_request`: take the request over.
    Detach,
    /// Ask the server to stop, then do what the stock hook does. Only hooks that are given the
    /// server can.
    Stop,
}

/// A service that writes down which of its hooks were called and by which thread.
///
/// `handle_error` writes the error down and keeps quiet.
#[derive(Clone, Default)]
pub struct RecordingService {
    calls: Calls,
    acts: HashMap<(Hook, usize), Act>,
}

impl RecordingService {
    /// A service whose hooks all do the normal thing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but at its `nth` call (counted from 1) `hook` does `act`.
    #[must_use]
    pub fn with(mut self, hook: Hook, nth: usize, act: Act) -> Self {
        self.acts.insert((hook, nth), act);
        self
    }

    /// What has been recorded, and will be; to be kept while the server has the service.
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// Records the call and finds out what to do; the panics happen here.
    fn act(&self, hook: Hook) -> Act {
        let nth = self.calls.record(hook);
        let act = self.acts.get(&(hook, nth)).copied().unwrap_or_default();
        assert!(act != Act::Panic, "{}", hook.short());
        act
    }
}

impl Service<ScriptedRequest> for RecordingService {
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        client_address: &<ScriptedRequest as Request>::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        match self.act(Hook::FinishRequest) {
            Act::Fail => return Err(format!("{client_address} failed").into()),
            Act::Exit(code) => return Err(HandlerError::exit(code)),
            Act::Detach => request.detach(),
            Act::Stop => drop(server.request_shutdown()),
            _ => {}
        }
        Ok(())
    }

    fn verify_request(&self, _request: &ScriptedRequest, _client_address: &String) -> bool {
        self.act(Hook::VerifyRequest) != Act::Fail
    }

    fn handle_error(&self, _: &mut ScriptedRequest, _: &String, error: HandlerError) {
        lock(&self.calls.0).errors.push(error.to_string());
        self.act(Hook::HandleError);
    }

    fn handle_refusal(&self, _: &mut ScriptedRequest, _: &String, refusal: Refusal) {
        lock(&self.calls.0).refusals.push(refusal);
        self.act(Hook::HandleRefusal);
    }

    fn handle_timeout(&self, server: &ServerHandle) {
        if self.act(Hook::HandleTimeout) == Act::Stop {
            server.request_shutdown();
        }
    }

    fn service_actions(&self, server: &ServerHandle) {
        if self.act(Hook::ServiceActions) == Act::Stop {
            server.request_shutdown();
        }
    }

    fn shutdown_request(&self, request: ScriptedRequest) {
        self.act(Hook::ShutdownRequest);
        request.say_goodbye();
        self.close_request(request);
    }

    fn close_request(&self, request: ScriptedRequest) {
        self.act(Hook::CloseRequest);
        drop(request);
    }
}

impl fmt::Debug for RecordingService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingService")
            .field("calls", &self.calls.hooks())
            .finish_non_exhaustive()
    }
}

/// What a [`RecordingService`] recorded. Clones read the same record.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    calls: Vec<(Hook, ThreadId)>,
    errors: Vec<String>,
    refusals: Vec<Refusal>,
}

impl Record {
    fn count(&self, hook: Hook) -> usize {
        self.calls.iter().filter(|(called, _)| *called == hook).count()
    }
}

impl Calls {
    /// The hooks that were called, in order, by their short names.
    pub fn hooks(&self) -> String {
        self.shorts(|_| true)
    }

    /// The hooks that this thread called, in order, by their short names.
    pub fn hooks_of(&self, thread: ThreadId) -> String {
        self.shorts(|caller| caller == thread)
    }

    /// How often `hook` was called.
    pub fn count(&self, hook: Hook) -> usize {
        lock(&self.0).count(hook)
    }

    /// The texts of the errors that reached `handle_error`.
    pub fn errors(&self) -> Vec<String> {
        lock(&self.0).errors.clone()
    }

    /// Why requests were refused, as `handle_refusal` was told.
    pub fn refusals(&self) -> Vec<Refusal> {
        lock(&self.0).refusals.clone()
    }

    fn shorts(&self, of: impl Fn(ThreadId) -> bool) -> String {
        let record = lock(&self.0);
        let calls = record.calls.iter().filter(|(_, caller)| of(*caller));
        calls.map(|(hook, _)| hook.short()).collect::<Vec<_>>().join(" ")
    }

    /// Says the how-manieth call of `hook` this was.
    fn record(&self, hook: Hook) -> usize {
        let mut record = lock(&self.0);
        record.calls.push((hook, current_thread()));
        record.count(hook)
    }
}
