//! What a request meets, in which order, whichever of it fails and wherever it runs.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use socketserver::concurrency::{Synchronous, ThreadPerRequest};
use socketserver::handlers::{BaseRequestHandler, BaseService, Context};
use socketserver_core::testing::{ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, HandlerError, HandlerResult, Request, Server, ServerHandle, Service, ServiceJob,
};

/// How a step goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Well,
    Fails,
    Panics,
    Exits,
}

impl Step {
    fn go(self) -> HandlerResult {
        match self {
            Self::Well => Ok(()),
            Self::Fails => Err("it failed".into()),
            // Says nothing on standard error.
            Self::Panics => resume_unwind(Box::new("it panicked")),
            Self::Exits => Err(HandlerError::exit(5)),
        }
    }
}

/// How the steps of one request go. Of `verify` and `error` only a panic can be seen, or a no.
#[derive(Clone, Copy, Debug)]
struct Plan {
    verify: Step,
    setup: Step,
    handle: Step,
    finish: Step,
    error: Step,
}

impl Plan {
    /// What such a request meets.
    fn grammar(self) -> String {
        let mut met = String::from("verify ");
        if self.verify == Step::Well {
            let ends = if self.setup == Step::Well {
                met += "setup handle finish ";
                // What happens later is what counts.
                if self.finish == Step::Well { self.handle } else { self.finish }
            } else {
                met += "setup ";
                self.setup
            };
            if matches!(ends, Step::Fails | Step::Panics) {
                met += "error ";
            }
        }
        met + "shutdown close"
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let step = || {
        prop_oneof![
            3 => Just(Step::Well),
            1 => Just(Step::Fails),
            1 => Just(Step::Panics),
            1 => Just(Step::Exits),
        ]
    };
    (step(), step(), step(), step(), step()).prop_map(|(verify, setup, handle, finish, error)| {
        Plan { verify, setup, handle, finish, error }
    })
}

/// What each request met.
type Met = Arc<Mutex<HashMap<String, Vec<&'static str>>>>;

#[derive(Clone)]
struct Traced {
    plans: Arc<Vec<Plan>>,
    met: Met,
}

impl Traced {
    /// Notes a step, and gives the plan of its request.
    fn note(&self, request: &ScriptedRequest, step: &'static str) -> Plan {
        let mut met = self.met.lock().unwrap();
        met.entry(request.name().to_owned()).or_default().push(step);
        self.plans[request.name().parse::<usize>().unwrap()]
    }
}

impl BaseRequestHandler<ScriptedRequest> for Traced {
    fn setup(&mut self, context: &mut Context<'_, ScriptedRequest>) -> HandlerResult {
        self.note(context.request, "setup").setup.go()
    }

    fn handle(&mut self, context: &mut Context<'_, ScriptedRequest>) -> HandlerResult {
        self.note(context.request, "handle").handle.go()
    }

    fn finish(&mut self, context: &mut Context<'_, ScriptedRequest>) -> HandlerResult {
        self.note(context.request, "finish").finish.go()
    }
}

impl Service<ScriptedRequest> for Traced {
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        client_address: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        BaseService::new(|| self.clone()).finish_request(request, client_address, server)
    }

    fn verify_request(&self, request: &ScriptedRequest, _: &String) -> bool {
        self.note(request, "verify").verify.go().is_ok()
    }

    fn handle_error(&self, request: &mut ScriptedRequest, _: &String, _: HandlerError) {
        let _ = self.note(request, "error").error.go();
    }

    fn shutdown_request(&self, request: ScriptedRequest) {
        self.note(&request, "shutdown");
        request.say_goodbye();
        self.close_request(request);
    }

    fn close_request(&self, request: ScriptedRequest) {
        self.note(&request, "close");
        drop(request);
    }
}

fn check<C>(plans: &[Plan], concurrency: C)
where
    C: Concurrency<ServiceJob<ScriptedRequest, Traced>>,
{
    let transport = ScriptedTransport::new();
    let script = transport.script();
    for number in 0..plans.len() {
        script.request(number.to_string());
    }
    let service = Traced { plans: Arc::new(plans.to_vec()), met: Met::default() };
    let met = Arc::clone(&service.met);
    let mut server = Server::new(transport, concurrency, service);
    for _ in plans {
        // A panic of `verify_request`, or of `handle_error` in this thread, goes through.
        let _ = catch_unwind(AssertUnwindSafe(|| server.handle_request().map(drop)));
    }
    server.close();
    let met = met.lock().unwrap();
    for (number, plan) in plans.iter().enumerate() {
        assert_eq!(met[&number.to_string()].join(" "), plan.grammar(), "{plan:?}");
    }
    let total = u64::try_from(plans.len()).unwrap();
    assert_eq!((server.counts().accepted, server.counts().in_progress()), (total, 0));
    assert_eq!((script.closed().shut_down(), script.closed().closed()), (total, total));
}

proptest! {
    /// `setup`, then `handle` and `finish` if that went well; an error is told once, after that; and the request is
    /// closed once, last of all.
    #[test]
    fn each_request_has_its_life_in_order(plans in prop::collection::vec(plan(), 0..6)) {
        check(&plans, Synchronous);
        check(&plans, ThreadPerRequest::new());
    }
}
