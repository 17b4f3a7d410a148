//! How a job is served: as a whole, or in turns, between which it rests. It leaves through the same doors.

use std::time::Instant;

use crate::concurrency::Finished;
use crate::connections::Watch;
use crate::handler_error::{HandlerError, HandlerResult};
use crate::job::{ServiceJob, guarded};
use crate::observer::{Door, Event};
use crate::request::Request;
use crate::service::Service;
use crate::turn::{Progress, Session, Turn};

impl<R: Request, S: Service<R>> ServiceJob<R, S> {
    /// Somebody begins to serve the request.
    pub(crate) fn begin(&mut self) {
        // Nobody needs to know the time if there is nobody to tell it.
        self.started = self.server.is_observed().then(Instant::now);
        self.server.tell(|| Event::Started(self.client()));
        self.place.begin();
    }

    /// Serves it as a whole.
    pub(crate) fn serve(mut self) -> Finished {
        let mut request = self.take();
        let result = guarded(|| {
            self.service.finish_request(&mut request, &self.client_address, &self.server)
        })
        .unwrap_or_else(|payload| Err(HandlerError::panicked(payload)));
        self.finish(request, result)
    }

    /// It has been served in turns, and this came of it.
    pub(crate) fn settle(mut self, result: HandlerResult) -> Finished {
        let request = self.take();
        self.finish(request, result)
    }

    fn finish(mut self, mut request: R, result: HandlerResult) -> Finished {
        let finished = match result {
            Ok(()) => Finished::Served,
            Err(error) => match error.exit_status() {
                Some(exit) => Finished::Exited(exit),
                None => self.report(&mut request, error),
            },
        };
        self.place.served();
        if request.is_detached() {
            self.leave(Door::Detached);
            return finished;
        }
        let finished = self.shut_down(request, finished);
        self.leave(Door::Served);
        finished
    }

    /// Takes a turn; the first makes the session, and if there is none serves the request as a whole.
    pub(crate) fn take_turn(mut self: Box<Self>) -> Turn<Self> {
        let session = match self.session.take() {
            Some(session) => {
                self.server.tell(|| Event::Woken(self.client()));
                Ok(Some(session))
            }
            None => self.first_session(),
        };
        let mut session = match session {
            Ok(Some(session)) => session,
            Ok(None) => return Turn::Finished((*self).serve()),
            Err(error) => return Turn::Finished((*self).settle(Err(error))),
        };
        let taken = guarded(|| session.turn());
        let result = match taken {
            Ok(Ok(Progress::Resting { due })) => {
                self.rest_with(session);
                return Turn::Resting(self, due);
            }
            Ok(Ok(Progress::Ready)) => {
                self.rest_with(session);
                return Turn::Ready(self);
            }
            Ok(Ok(Progress::Done)) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(payload) => Err(HandlerError::panicked(payload)),
        };
        // What the handler owns goes before the request is closed, as when it is run.
        let gone = guarded(|| drop(session));
        let result = result.and(gone.map_err(HandlerError::panicked));
        Turn::Finished((*self).settle(result))
    }

    fn first_session(&mut self) -> Result<Option<Box<dyn Session>>, HandlerError> {
        self.begin();
        let Self { request, service, client_address, server, .. } = self;
        let Some(request) = request else { return Ok(None) };
        guarded(|| service.begin_session(request, client_address, server))
            .unwrap_or_else(|payload| Err(HandlerError::panicked(payload)))
    }

    fn rest_with(&mut self, session: Box<dyn Session>) {
        // Told before the session is back in its place: the next turn may be another thread's, and that tells too.
        self.server.tell(|| Event::Rests(self.client()));
        self.session = Some(session);
    }

    /// Waits for the first byte, before there is a session.
    pub(crate) fn rest_at_first(self: Box<Self>) -> Turn<Self> {
        let can_wait = self.request.as_ref().is_some_and(|request| request.waits_for().is_some());
        match self.place.watch().filter(|_| can_wait).map(Watch::rest) {
            Some(Ok(due)) => Turn::Resting(self, due),
            // It was cut, or is no connection: its handler will see.
            Some(Err(_)) | None => Turn::Ready(self),
        }
    }
}
