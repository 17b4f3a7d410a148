//! What several test files need: a service that is a closure, a gate for handlers, waits that end.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socketserver_concurrency::ThreadPool;
use socketserver_core::testing::{Script, ScriptedRequest, ScriptedTransport};
use socketserver_core::{
    Concurrency, Ended, HandlerResult, PollInterval, Server, ServerConfig, ServerHandle, Service,
    ServiceJob, ShutdownHandle,
};

pub(crate) type Job<S> = ServiceJob<ScriptedRequest, S>;
pub(crate) type Pooled<S> = Server<ScriptedTransport, ThreadPool<Job<S>>, S>;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service whose `finish_request` is a closure.
pub(crate) struct Do<F>(pub(crate) F);

impl<F> Service<ScriptedRequest> for Do<F>
where
    F: Fn(&mut ScriptedRequest, &ServerHandle) -> HandlerResult,
{
    fn finish_request(
        &self,
        request: &mut ScriptedRequest,
        _client: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        (self.0)(request, server)
    }
}

/// A server of this pool and service, and what to write for it.
pub(crate) fn server<C, S>(pool: C, service: S) -> (Server<ScriptedTransport, C, S>, Script)
where
    S: Service<ScriptedRequest>,
    C: Concurrency<Job<S>>,
{
    let transport = ScriptedTransport::new();
    let script = transport.script();
    (Server::new(transport, pool, service).with_config(sleepy()), script)
}

/// Scripts requests named `0`, `1`, ….
pub(crate) fn request(script: &Script, number: usize) {
    for number in 0..number {
        script.request(number.to_string());
    }
}

/// Runs `meanwhile` while the server serves, then stops it.
pub(crate) fn serving<C, S, R>(
    server: &mut Server<ScriptedTransport, C, S>,
    meanwhile: impl FnOnce(&ServerHandle) -> R,
) -> R
where
    S: Service<ScriptedRequest> + Send + Sync,
    C: Concurrency<Job<S>> + Send,
{
    let handle = server.handle();
    let stop = StopOnDrop(server.shutdown_handle());
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let result = meanwhile(&handle);
        drop(stop);
        assert_eq!(serving.join().unwrap().unwrap(), Ended::Shutdown);
        result
    })
}

/// Stops also when `meanwhile` fails: nobody could wait for the server's thread otherwise.
struct StopOnDrop(ShutdownHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// A configuration under which an idle server sleeps until it is woken.
fn sleepy() -> ServerConfig {
    ServerConfig::new().poll_interval(PollInterval::Never)
}

/// Waits until `condition` holds; `what` says what was waited for in vain.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}

/// A gate that lets through as many as were allowed; the others wait. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<Visitors>, Condvar)>);

#[derive(Default)]
struct Visitors {
    allowed: usize,
    inside: usize,
    most_inside: usize,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lets `number` more through.
    pub(crate) fn allow(&self, number: usize) {
        self.0.0.lock().unwrap().allowed += number;
        self.0.1.notify_all();
    }

    /// Waits to be let through. When that takes too long it fails, so that a broken test ends.
    pub(crate) fn pass(&self) -> HandlerResult {
        let mut visitors = self.0.0.lock().unwrap();
        visitors.inside += 1;
        visitors.most_inside = visitors.most_inside.max(visitors.inside);
        let (mut visitors, timeout) =
            self.0.1.wait_timeout_while(visitors, PATIENCE, |all| all.allowed == 0).unwrap();
        visitors.inside -= 1;
        if timeout.timed_out() {
            return Err("nobody opened the gate".into());
        }
        visitors.allowed -= 1;
        Ok(())
    }

    /// How many wait now.
    pub(crate) fn inside(&self) -> usize {
        self.0.0.lock().unwrap().inside
    }

    /// How many waited at the same time, at most.
    pub(crate) fn most_inside(&self) -> usize {
        self.0.0.lock().unwrap().most_inside
    }
}
