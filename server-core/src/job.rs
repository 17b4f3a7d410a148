//! One accepted request and the service that will serve it: the only place where a request leaves.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::admission::{Admissions, Permit};
use crate::concurrency::{Finished, Job};
use crate::connections::{Place, Registered, Watch};
use crate::handler_error::HandlerError;
use crate::observer::{Client, Door, Event, Finish};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::Arc;
use crate::turn::{Pollable, Session, Turn};

/// The job that a [`Server`](crate::Server) hands to its strategy: a request, its client's address
/// and the service.
///
/// It is `Send` when the request, the address and a shared reference to the service are.
pub struct ServiceJob<R: Request, S: Service<R>> {
    /// `None` once the request has left.
    pub(crate) request: Option<R>,
    pub(crate) client_address: R::Addr,
    pub(crate) service: Arc<S>,
    pub(crate) server: ServerHandle,
    /// Between two turns, if it is served in turns.
    pub(crate) session: Option<Box<dyn Session>>,
    /// When it began, if there is anybody to tell.
    pub(crate) started: Option<Instant>,
    /// What it was let in with. Given back before the place: who comes into that may need them.
    permits: Vec<Permit>,
    /// Its place among the live ones, up to the end of the job.
    pub(crate) place: Registered,
}

impl<R: Request, S: Service<R>> ServiceJob<R, S> {
    pub(crate) fn new(
        request: R,
        client_address: R::Addr,
        service: Arc<S>,
        server: ServerHandle,
        place: Option<Place>,
    ) -> Self {
        server.counters().accepted.add();
        let place = server.registry().enter(place, &request, &client_address);
        let (request, permits) = (Some(request), Vec::new());
        let (session, started) = (None, None);
        let job =
            Self { request, client_address, service, server, session, started, permits, place };
        job.server.tell(|| Event::Accepted(job.client()));
        job
    }

    /// Asks those who decide about who is let in.
    pub(crate) fn admit(mut self, admissions: &Admissions<R>) -> Result<Self, Finished> {
        if admissions.is_empty() {
            return Ok(self);
        }
        let request = self.take();
        match guarded(|| admissions.ask(&request, &self.client_address)) {
            Ok(answer) => {
                self.request = Some(request);
                match answer {
                    Ok(permits) => self.permits = permits,
                    Err(refusal) => return Err(self.refuse(refusal)),
                }
                Ok(self)
            }
            Err(payload) => Err(self.panicked_before_service(request, payload)),
        }
    }

    /// The door for a request that is turned away: the service has a last word, then it is closed.
    pub(crate) fn refuse(mut self, refusal: Refusal) -> Finished {
        let mut request = self.take();
        let told = guarded(|| {
            self.service.handle_refusal(&mut request, &self.client_address, refusal);
        });
        let finished = match told {
            Ok(()) => Finished::Refused,
            Err(payload) => self.hook_panicked(payload),
        };
        self.close_refused(request, refusal, finished)
    }

    /// A request leaves that is not served.
    fn close_refused(&self, request: R, refusal: Refusal, finished: Finished) -> Finished {
        let finished = self.shut_down(request, finished);
        self.server.counters().refused_for(refusal).add();
        self.server.tell(|| Event::Refused(self.client(), refusal));
        finished
    }

    /// Asks the service whether to go on. A panic of that hook closes the request, and comes back.
    pub(crate) fn verify(mut self) -> Result<Self, Finished> {
        let request = self.take();
        match guarded(|| self.service.verify_request(&request, &self.client_address)) {
            Ok(true) => {
                self.request = Some(request);
                Ok(self)
            }
            Ok(false) => Err(self.close_refused(request, Refusal::Verify, Finished::Refused)),
            Err(payload) => Err(self.panicked_before_service(request, payload)),
        }
    }

    /// The door for a request whose hook panicked before anybody was to serve it.
    fn panicked_before_service(&self, request: R, payload: Box<dyn Any + Send>) -> Finished {
        let finished = self.hook_panicked(payload);
        let finished = self.shut_down(request, finished);
        self.leave(Door::Unserved);
        finished
    }

    /// The door for a request that no strategy could run: reported, then closed.
    pub(crate) fn fail(mut self, error: io::Error) -> Finished {
        let mut request = self.take();
        let finished = self.report(&mut request, error.into());
        let finished = self.shut_down(request, finished);
        self.leave(Door::Unserved);
        finished
    }

    /// Who observers are told of.
    pub(crate) fn client(&self) -> Client<'_> {
        Client::new(self.place.id(), &self.client_address)
    }

    /// The request has left: counted, and told.
    pub(crate) fn leave(&self, door: Door) {
        // From here on nobody cuts it any more: what is told of that is the last word.
        self.place.left();
        let counters = self.server.counters();
        match door {
            Door::Served => &counters.served,
            Door::Detached => &counters.detached,
            Door::Unserved => &counters.unserved,
            Door::HandedOver => &counters.handed_over,
        }
        .add();
        self.server.tell(|| {
            let watch = self.place.watch();
            let (received, sent) = watch.map(Watch::bytes).unwrap_or_default();
            let time = self.started.map_or(Duration::ZERO, |started| started.elapsed());
            let cut = watch.and_then(Watch::cut_reason);
            Event::Finished(self.client(), Finish { door, time, received, sent, cut })
        });
    }

    pub(crate) fn take(&mut self) -> R {
        #[expect(
            clippy::expect_used,
            reason = "each door takes the job by value, so it was not taken yet"
        )]
        self.request.take().expect("a job holds its request until it leaves")
    }

    /// Tells `handle_error`.
    pub(crate) fn report(&self, request: &mut R, error: HandlerError) -> Finished {
        self.server.counters().errors.add();
        self.server.tell(|| match error.panic_payload() {
            Some(_) => Event::Panicked(self.client(), &error),
            None => Event::Failed(self.client(), &error),
        });
        match guarded(|| self.service.handle_error(request, &self.client_address, error)) {
            Ok(()) => Finished::Failed,
            Err(payload) => self.hook_panicked(payload),
        }
    }

    /// Closes the request; of two panics the first is the one to tell of.
    pub(crate) fn shut_down(&self, request: R, finished: Finished) -> Finished {
        match guarded(|| self.service.shutdown_request(request)) {
            Err(payload) if !matches!(finished, Finished::HookPanicked(_)) => {
                self.hook_panicked(payload)
            }
            _ => finished,
        }
    }

    fn hook_panicked(&self, payload: Box<dyn Any + Send>) -> Finished {
        self.server.counters().hook_panics.add();
        Finished::HookPanicked(payload)
    }
}

impl<R: Request, S: Service<R>> Job for ServiceJob<R, S> {
    fn run(mut self) -> Finished {
        self.begin();
        self.serve()
    }

    fn turn(self: Box<Self>) -> Turn<Self> {
        self.take_turn()
    }

    fn await_client(self: Box<Self>) -> Turn<Self> {
        self.rest_at_first()
    }

    fn waits_for(&self) -> Option<Arc<dyn Pollable>> {
        self.request.as_ref().and_then(Request::waits_for)
    }

    fn overloaded(self) -> Finished {
        self.refuse(Refusal::Overload)
    }

    fn drain_order(&self) -> Box<dyn FnOnce() + Send> {
        let server = self.server.clone();
        Box::new(move || server.announce_drain())
    }

    fn close_request(mut self) {
        let request = self.take();
        let closed = guarded(|| self.service.close_request(request));
        self.leave(Door::HandedOver);
        if let Err(payload) = closed {
            self.server.counters().hook_panics.add();
            resume_unwind(payload);
        }
    }
}

/// The last door: nobody served the job, so the request is closed, and counted. And whatever the door was, what the request
/// was let in with is given back.
impl<R: Request, S: Service<R>> Drop for ServiceJob<R, S> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(payload) = guarded(|| drop(session))
        {
            self.hook_panicked(payload);
        }
        if let Some(request) = self.request.take() {
            // Often a panic is on its way through here already; a second one would abort.
            if let Err(payload) = guarded(|| self.service.close_request(request)) {
                self.hook_panicked(payload);
            }
            self.leave(Door::Unserved);
        }
        for permit in std::mem::take(&mut self.permits) {
            if let Err(payload) = guarded(|| drop(permit)) {
                self.hook_panicked(payload);
            }
        }
    }
}

impl<R: Request, S: Service<R>> fmt::Debug for ServiceJob<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceJob")
            .field("client_address", &self.client_address)
            .finish_non_exhaustive()
    }
}

impl Finished {
    /// Lets the panic of a hook go on its way, now that the request is closed.
    pub(crate) fn or_panic(self) -> Self {
        match self {
            Self::HookPanicked(payload) => resume_unwind(payload),
            other => other,
        }
    }
}

/// Runs code of the user's and catches its panic.
///
/// That the code may leave its own things half done is the same as when a thread of its own panics:
/// the service is only ever shared by reference, and the request is only closed afterwards.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(run))
}
