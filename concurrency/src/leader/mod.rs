//! A pool whose connections need no thread while they wait for their clients: one thread waits for all of them, and runs
//! the handler itself.

mod crew;
mod dues;
mod member;
mod pace;
mod poller;
mod roster;
mod settings;
mod shared;
mod slots;
mod stalls;
mod standby;
mod state_of_thread;
mod worker;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketserver_core::{
    AfterBatch, Concurrency, Dispatched, Job, Listener, Patience, Rejected, Waker,
};

use crate::pool::{PoolStatus, WhenFull, usual_threads};
use settings::Settings;
use shared::{Shared, TakenIn};

/// Runs requests in a few threads, and parks connections that wait for their clients: these hold no thread, and no buffer.
/// CPython has no such class.
///
/// One thread waits for all parked connections together, and gives each that has something to do its turn, itself: on the way
/// from the client to the handler nobody is woken and nothing is handed over. Handlers may block all the same. A turn
/// that takes longer than [`patience`](Self::patience) is left alone with its thread; another one takes its place, and goes on
/// with the others, up to [`max_threads`](Self::max_threads).
///
/// What is served in turns is a service that [says so](socketserver_core::Service::begin_session): a keep-alive handler,
/// one request after another. Other handlers are run as a whole and hold a thread from their beginning to their end, as
/// with a [`ThreadPool`](crate::ThreadPool).
///
/// Turns of one connection come one after another, but not always on the same thread. A panic costs one connection, never
/// a thread. A handler that [asks to exit](socketserver_core::HandlerError::exit) ends its connection and nothing else.
///
/// ```
/// use socketserver_concurrency::LeaderPool;
/// use socketserver_core::Job;
/// use std::time::Duration;
///
/// fn pool<J: Job + Send + 'static>() -> LeaderPool<J> {
///     LeaderPool::new(64).patience(Duration::from_millis(2)).await_first_byte(true)
/// }
/// ```
///
/// # Platform notes
///
/// On Linux each thread holds a descriptor, by which others see whether it waits. Elsewhere waiting costs time for each
/// connection that is parked.
#[must_use]
pub struct LeaderPool<J> {
    shared: Arc<Shared<J>>,
}

impl<J: Job + Send + 'static> LeaderPool<J> {
    /// A pool of up to [`max_threads`](Self::max_threads) threads.
    pub fn new(max_threads: usize) -> Self {
        Self { shared: Arc::new(Shared::new(Settings::new(max_threads))) }
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        change(&mut settings);
        Self { shared: Arc::new(Shared::new(settings)) }
    }

    /// How many threads there may be: at least two, of which one stands by, at most 65,536. The queue stays as it is.
    pub fn max_threads(self, threads: usize) -> Self {
        self.with(|settings| settings.set_max_threads(threads))
    }

    /// How many threads wait for parked connections and run their handlers at the same time. The default is 1, which costs the
    /// least for each request, and is enough until that thread has no time left: a few hundred thousand small requests a
    /// second. More use more processors. While handlers block often there are up to three more in any case.
    pub fn leaders(self, threads: usize) -> Self {
        self.with(|settings| settings.set_leaders(threads))
    }

    /// How many connections that come while all threads are at work in handlers are taken in, to wait for one of them. The
    /// default is [`max_threads`](Self::new). Parked connections are in no queue: how many there may be says
    /// [`ServerConfig::max_connections`](socketserver_core::ServerConfig::max_connections).
    pub fn queue(self, places: usize) -> Self {
        self.with(|settings| settings.queue = places)
    }

    /// What happens to those that come when that is full too. The default is [`WhenFull::Wait`].
    pub fn when_full(self, policy: WhenFull) -> Self {
        self.with(|settings| settings.when_full = policy)
    }

    /// How long a handler may be at a turn before another thread goes on with the other connections. The default is a
    /// millisecond. It is not exact: up to twice the time may pass, and when it happened a short while ago it is
    /// looked for more often.
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|settings| settings.patience = patience.max(Duration::from_micros(1)))
    }

    /// Whether a new connection is parked until its client has sent something; before that no handler is made. The default
    /// is `false`: a handler that greets its client can do so. With protocols in which clients speak first `true` is quicker.
    pub fn await_first_byte(self, await_it: bool) -> Self {
        self.with(|settings| settings.await_first_byte = await_it)
    }

    /// After which time a thread that has nothing to do ends. The default is ten seconds. As long as there are connections
    /// two stay.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.idle_timeout = timeout)
    }

    /// Whether closing the server leaves the threads alone instead of waiting for the clients; they go on serving those.
    /// The default is to wait.
    pub fn daemon_threads(self, daemon: bool) -> Self {
        self.with(|settings| settings.daemon_threads = daemon)
    }

    /// The threads are named `name-1`, `name-2`, …. The default is `leader`.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.with(|settings| settings.set_name(name))
    }

    /// The stack of each thread, in bytes. The default is that of [`std::thread::Builder`].
    pub fn stack_size(self, bytes: usize) -> Self {
        self.with(|settings| settings.stack_size = Some(bytes))
    }

    /// A view of the pool for other threads, to be taken when all is set and before the server serves.
    pub fn status(&self) -> PoolStatus {
        PoolStatus::new(Arc::clone(&self.shared) as _)
    }
}

impl<J: Job + Send + 'static> Concurrency<J> for LeaderPool<J> {
    fn attach(&self, waker: Waker) {
        self.shared.lock().waker = Some(waker);
    }

    fn has_room(&self) -> bool {
        let settings = &self.shared.settings;
        let mut crew = self.shared.lock();
        let room = settings.when_full != WhenFull::Wait || crew.promised || crew.has_room(settings);
        (crew.promised, crew.loop_waits) = (false, !room);
        room
    }

    fn batch_ends(&self) -> AfterBatch {
        self.shared.batch_ends()
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        match self.shared.take_in(job)? {
            TakenIn::Yes => Ok(Dispatched::Started),
            TakenIn::Full(job) => {
                let count = || self.shared.lock().refused += 1;
                Ok(Dispatched::Finished(self.shared.settings.when_full.finish(job, count)))
            }
        }
    }

    fn server_close(&self) {
        self.shared.close();
        self.shared.threads.join_all();
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        // Only a pool that is closed lets its threads go.
        self.shared.close();
        self.shared.threads.wait_for(patience)
    }
}

/// Four times as many threads as the machine runs at once, and at least 32; they are only started when they are needed.
impl<J: Job + Send + 'static> Default for LeaderPool<J> {
    fn default() -> Self {
        Self::new(usual_threads().max(32))
    }
}

/// A pool that goes without having been closed tells its threads to end when there is nothing left to do, and does not
/// wait for them.
impl<J> Drop for LeaderPool<J> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<J> fmt::Debug for LeaderPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderPool")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
