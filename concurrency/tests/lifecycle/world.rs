//! What is around a server: what its handlers do, who lets them go, and what became of each request.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex};

use socketserver_core::testing::{ScriptedClient, ScriptedRequest};
use socketserver_core::{HandlerError, HandlerResult, Refusal, Request, ServerHandle, Service};

use crate::command::Kind;

/// The service, and what is known of its requests. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: HashMap<String, Fate>,
    clients: Vec<ScriptedClient>,
    delivered: usize,
    /// Requests up to this number do not block any more.
    released: usize,
    /// Handlers at work now, and the most there were.
    inside: usize,
    most_inside: usize,
}

/// What a request is to do, and how often each hook was called for it.
struct Fate {
    number: usize,
    kind: Kind,
    verified: usize,
    finished: usize,
    errors: usize,
    overloaded: usize,
    shut_down: usize,
    closed: usize,
}

impl World {
    /// Makes a request known; gives its name.
    pub(crate) fn expect(&self, kind: Kind, client: Option<ScriptedClient>) -> String {
        let mut state = self.0.state.lock().unwrap();
        state.delivered += 1;
        let number = state.delivered;
        let name = format!("{number} {kind:?}");
        let [verified, finished, errors, overloaded, shut_down, closed] = [0; 6];
        let fate = Fate { number, kind, verified, finished, errors, overloaded, shut_down, closed };
        state.requests.insert(name.clone(), fate);
        state.clients.extend(client);
        name
    }

    pub(crate) fn delivered(&self) -> usize {
        self.0.state.lock().unwrap().delivered
    }

    /// The most handlers that were at work at a time.
    pub(crate) fn most_inside(&self) -> usize {
        self.0.state.lock().unwrap().most_inside
    }

    /// Lets go of the oldest request that might block.
    pub(crate) fn release_oldest(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.released = (state.released + 1).min(state.delivered);
        self.0.changed.notify_all();
    }

    /// Lets go of all that have been delivered so far, and has their clients hang up.
    pub(crate) fn release_all(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.released = state.delivered;
        self.0.changed.notify_all();
        drop(state);
        self.each_client(ScriptedClient::hang_up);
    }

    pub(crate) fn each_client(&self, what: impl Fn(&ScriptedClient)) {
        let clients = self.0.state.lock().unwrap().clients.clone();
        clients.iter().for_each(what);
    }

    /// When nothing is in progress: each request that came in was closed once, and went one way.
    pub(crate) fn check_fates(&self) {
        let state = self.0.state.lock().unwrap();
        assert_eq!(state.inside, 0);
        for (name, fate) in &state.requests {
            let Fate { verified, finished, errors, overloaded, shut_down, closed, .. } = *fate;
            let shown = format!(
                "{name}: verified {verified}, finished {finished}, errors {errors}, \
                 overloaded {overloaded}, shut down {shut_down}, closed {closed}"
            );
            assert!(verified <= 1 && finished + overloaded <= verified, "{shown}");
            assert!(errors <= verified, "{shown}");
            match fate.kind {
                Kind::Detaches if finished == 1 => {
                    assert_eq!((shut_down, closed), (0, 0), "{shown}");
                }
                // Dropped unserved it is closed without a goodbye.
                _ => assert!(closed == verified && shut_down <= closed, "{shown}"),
            }
        }
    }

    fn note(&self, name: &str, note: impl FnOnce(&mut Fate)) -> (usize, Kind) {
        let mut state = self.0.state.lock().unwrap();
        let fate = state.requests.get_mut(name).unwrap();
        note(fate);
        (fate.number, fate.kind)
    }

    fn block(&self, number: usize) {
        let state = self.0.state.lock().unwrap();
        drop(self.0.changed.wait_while(state, |state| state.released < number).unwrap());
    }
}

/// A handler is at work.
struct AtWork<'a>(&'a World);

impl<'a> AtWork<'a> {
    fn new(world: &'a World) -> Self {
        let mut state = world.0.state.lock().unwrap();
        state.inside += 1;
        state.most_inside = state.most_inside.max(state.inside);
        AtWork(world)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.0.state.lock().unwrap().inside -= 1;
    }
}

impl Service<ScriptedRequest> for World {
    fn verify_request(&self, request: &ScriptedRequest, _: &String) -> bool {
        match self.note(request.name(), |fate| fate.verified += 1).1 {
            // Without a word on standard error.
            Kind::BadHook => resume_unwind(Box::new("a bad hook")),
            Kind::Refused => false,
            _ => true,
        }
    }

    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        let (number, kind) = self.note(request.name(), |fate| fate.finished += 1);
        let _at_work = AtWork::new(self);
        match kind {
            Kind::Blocks => self.block(number),
            Kind::Fails => return Err("fails".into()),
            Kind::Panics => resume_unwind(Box::new("a handler panics")),
            Kind::Exits => return Err(HandlerError::exit(3)),
            Kind::Detaches => request.detach(),
            Kind::Idle => {
                while {
                    let idle = request.watch().map(|watch| watch.idle());
                    let received = request.receive()?;
                    drop(idle);
                    received > 0
                } {}
            }
            Kind::Busy => while request.receive()? > 0 {},
            Kind::Stops => drop(server.request_shutdown()),
            Kind::Suspends => {
                server.suspend();
                server.resume();
            }
            Kind::Quick | Kind::Refused | Kind::BadHook => {}
        }
        Ok(())
    }

    fn handle_error(&self, request: &mut ScriptedRequest, _: &String, _: HandlerError) {
        self.note(request.name(), |fate| fate.errors += 1);
    }

    fn handle_refusal(&self, request: &mut ScriptedRequest, _: &String, _: Refusal) {
        self.note(request.name(), |fate| fate.overloaded += 1);
    }

    fn shutdown_request(&self, request: ScriptedRequest) {
        self.note(request.name(), |fate| fate.shut_down += 1);
        request.say_goodbye();
        self.close_request(request);
    }

    fn close_request(&self, request: ScriptedRequest) {
        self.note(request.name(), |fate| fate.closed += 1);
        drop(request);
    }
}
