//! A transport, a strategy and a service that report each call before they pass it on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socketserver::core::{
    AfterBatch, Concurrency, Dispatched, Finished, GetRequestError, Job, Listener, Readiness,
    Rejected, Request, Source, Transport, Wait, Waker,
};
use socketserver::{HandlerError, HandlerResult, ServerHandle, Service};

use super::orders::listen_while_serving;
use super::stage::{self, Injected, Stage, describe_panic};
use crate::scenario::{Does, Hook};
use crate::wire::Report;

/// A transport whose `get_request` is traced. It cannot be tried without a wait, for CPython calls that only when somebody is
/// there.
#[derive(Debug)]
pub(super) struct TracedTransport<T> {
    pub(super) inner: T,
    pub(super) stage: Arc<Stage>,
}

impl<T: Transport> Transport for TracedTransport<T> {
    type Request = T::Request;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.inner.wait(wait)
    }

    fn waker(&self) -> Waker {
        self.inner.waker()
    }

    fn get_request(
        &self,
    ) -> Result<(Self::Request, <Self::Request as Request>::Addr), GetRequestError> {
        let does = self.stage.enter_about_none(Hook::GetRequest);
        if does == Some(Does::Error) {
            return Err(GetRequestError::Failed(io::Error::other(Injected(Hook::GetRequest))));
        }
        self.stage.act(Hook::GetRequest, does);
        let accepted = self.inner.get_request()?;
        self.stage.accepted();
        Ok(accepted)
    }

    fn local_addr(&self) -> io::Result<<Self::Request as Request>::Addr> {
        self.inner.local_addr()
    }

    fn received_ahead(&self) -> usize {
        self.inner.received_ahead()
    }

    fn timeout(&self) -> Option<Duration> {
        self.inner.timeout()
    }
}

/// A strategy whose `process_request` and `server_close` are traced, and what its workers do.
#[derive(Debug)]
pub(super) struct TracedStrategy<C> {
    pub(super) inner: C,
    pub(super) stage: Arc<Stage>,
}

impl<J: Job, C: Concurrency<TracedJob<J>>> Concurrency<J> for TracedStrategy<C> {
    fn attach(&self, waker: Waker) {
        self.inner.attach(waker);
    }

    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn source(&self) -> Option<Source<'_>> {
        self.inner.source()
    }

    fn process_request(
        &self,
        job: J,
        listener: &mut dyn Listener,
    ) -> Result<Dispatched, Rejected<J>> {
        match self.stage.enter(Hook::ProcessRequest) {
            Some(Does::Error | Does::SpawnFails) => {
                return Err(Rejected::new(job, io::Error::other(Injected(Hook::ProcessRequest))));
            }
            does => self.stage.act(Hook::ProcessRequest, does),
        }
        let request = stage::current();
        let job = TracedJob { job, request, stage: Arc::clone(&self.stage) };
        self.inner.process_request(job, listener).map_err(|rejected| {
            let (job, error) = rejected.into_parts();
            Rejected::new(job.job, error)
        })
    }

    fn batch_ends(&self) -> AfterBatch {
        self.inner.batch_ends()
    }

    fn service_actions(&self) {
        self.inner.service_actions();
    }

    fn handle_timeout(&self) {
        self.inner.handle_timeout();
    }

    fn server_close(&self) {
        self.stage.enter_about_none(Hook::ServerClose);
        self.inner.server_close();
    }
}

/// A job that knows which request it is, in whatever thread it is run.
#[derive(Debug)]
pub(super) struct TracedJob<J> {
    job: J,
    request: Option<usize>,
    stage: Arc<Stage>,
}

impl<J: Job> Job for TracedJob<J> {
    fn run(self) -> Finished {
        stage::set_current(self.request);
        let in_thread = self.stage.scenario.strategy.is_threads();
        if in_thread {
            // Nothing it could do is among the acts of a scenario: the hook is CPython's own.
            self.stage.enter(Hook::ProcessRequestThread);
        }
        let finished = self.job.run();
        if let (true, Some(request)) = (in_thread, self.request) {
            let what = match &finished {
                Finished::HookPanicked(payload) => Some(describe_panic(&**payload)),
                Finished::Exited(exit) => Some(format!("exit-{}", exit.code())),
                _ => None,
            };
            if let Some(what) = what {
                self.stage.report(&Report::Escaped { request, what });
            }
        }
        finished
    }

    fn overloaded(self) -> Finished {
        stage::set_current(self.request);
        self.job.overloaded()
    }

    fn close_request(self) {
        stage::set_current(self.request);
        self.job.close_request();
    }
}

/// A service all of whose hooks are traced.
#[derive(Debug)]
pub(super) struct TracedService<S> {
    pub(super) inner: S,
    pub(super) stage: Arc<Stage>,
}

impl<S> TracedService<S> {
    fn call(&self, hook: Hook) {
        self.stage.act(hook, self.stage.enter(hook));
    }
}

impl<R: Request, S: Service<R>> Service<R> for TracedService<S> {
    fn finish_request(
        &self,
        request: &mut R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        let does = self.stage.enter(Hook::FinishRequest);
        self.stage.act_in_handler(Hook::FinishRequest, does)?;
        self.inner.finish_request(request, client_address, server)
    }

    fn verify_request(&self, request: &R, client_address: &R::Addr) -> bool {
        let does = self.stage.enter(Hook::VerifyRequest);
        if matches!(does, Some(Does::Refuse | Does::RefuseByNone)) {
            return false;
        }
        self.stage.act(Hook::VerifyRequest, does);
        self.inner.verify_request(request, client_address)
    }

    fn handle_error(&self, _: &mut R, _: &R::Addr, error: HandlerError) {
        self.stage.act(Hook::HandleError, self.stage.enter_handle_error(&error));
    }

    fn handle_timeout(&self, _: &ServerHandle) {
        self.stage.act(Hook::HandleTimeout, self.stage.enter_about_none(Hook::HandleTimeout));
    }

    fn service_actions(&self, _: &ServerHandle) {
        if self.stage.turns() >= self.stage.stop_at.load(std::sync::atomic::Ordering::Relaxed) {
            self.stage.request_stop();
        }
        listen_while_serving(&self.stage);
        self.stage.act(Hook::ServiceActions, self.stage.enter_about_none(Hook::ServiceActions));
    }

    fn shutdown_request(&self, request: R) {
        self.call(Hook::ShutdownRequest);
        Stock(self).shutdown_request(request);
    }

    fn close_request(&self, request: R) {
        self.call(Hook::CloseRequest);
        self.inner.close_request(request);
    }
}

/// What the hooks do of themselves, but with the traced `close_request`.
struct Stock<'a, S>(&'a TracedService<S>);

impl<R: Request, S: Service<R>> Service<R> for Stock<'_, S> {
    fn finish_request(
        &self,
        request: &mut R,
        client_address: &R::Addr,
        server: &ServerHandle,
    ) -> HandlerResult {
        self.0.finish_request(request, client_address, server)
    }

    fn close_request(&self, request: R) {
        self.0.close_request(request);
    }
}
