//! Requests in a pool of rayon's, for handlers that compute.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use socketserver_core::{Concurrency, Dispatched, Job, Listener, Patience, Rejected, Waker};

use crate::contained::contained;

use crate::join_set::JoinSet;
use crate::thread_name;

/// Runs requests in a [`rayon::ThreadPool`] of its own, never in the global one. For handlers that compute;
/// CPython has no such class.
///
/// A handler's parallel iterators, `join` and `scope` run in the same pool, so that requests and their parts
/// share its threads.
///
/// When as many requests as [there may be](Self::max_requests) are in the pool, the loop takes no more:
/// clients wait in the listener's backlog. Closing the server waits for all requests, and for the threads. A
/// panic, or a handler that [asks to exit](socketserver_core::HandlerError::exit), costs one request and
/// nothing else.
///
/// # Blocking
///
/// **A handler that waits holds one of the few threads, and with it everybody else's work.** The threads are as
/// many as the machine can run at once, not as many as there are clients. A few clients that are slow to
/// send their request, or to take the answer, stop the whole server. So: short requests from
/// clients that are trusted to be quick, with a [timeout] on the connection; or a
/// [`ThreadPool`](crate::ThreadPool) whose handlers read the request, hand the computation to rayon, and
/// send the answer.
///
/// **A handler must not hold a lock, or anything else that another request may wait for, while it waits for its own
/// parallel parts.** Its thread may run another whole request meanwhile, which would wait for
/// what lies beneath it on the same stack, for ever.
///
/// [timeout]: socketserver_core::StreamRequest::set_timeout
///
/// ```
/// use socketserver_concurrency::RayonPool;
///
/// let pool = RayonPool::new(8).name("render").max_requests(32);
/// ```
#[must_use]
pub struct RayonPool {
    threads: usize,
    /// `None`: twice as many as threads.
    max_requests: Option<usize>,
    name: Cow<'static, str>,
    stack_size: Option<usize>,
    room: Arc<Mutex<Room>>,
    /// Made when it is first needed, gone when the server is closed.
    pool: Mutex<Option<rayon::ThreadPool>>,
    /// The threads of the pool, for closing to wait for.
    join_set: JoinSet,
}

/// Who is in the pool, and who waits for a place there.
#[derive(Debug, Default)]
struct Room {
    admitted: usize,
    waker: Option<Waker>,
    /// The loop found no room and wants to be told when there is some.
    loop_waits: bool,
}

impl RayonPool {
    /// A pool of so many threads, at least one. They are started, all of them, when the first request
    /// comes.
    pub fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            max_requests: None,
            name: Cow::Borrowed("rayon"),
            stack_size: None,
            room: Arc::default(),
            pool: Mutex::new(None),
            join_set: JoinSet::new(),
        }
    }

    /// How many requests there may be in the pool, those that wait for a thread included; at least one. The
    /// default is twice as many as threads.
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.max_requests = Some(requests.max(1));
        self
    }

    /// The threads are named `name-1`, `name-2`, …. The default is `rayon`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = thread_name::without_nul(name.into());
        self
    }

    /// The stack of each thread, in bytes. The default is that of [`thread::Builder`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How many requests are in the pool, those that wait for a thread included.
    pub fn in_progress(&self) -> usize {
        lock(&self.room).admitted
    }

    /// How many threads there are: none before the first request, and none when the server is closed.
    pub fn live_threads(&self) -> usize {
        self.join_set.live()
    }

    fn most(&self) -> usize {
        self.max_requests.unwrap_or(self.threads.saturating_mul(2))
    }

    fn build(&self) -> io::Result<rayon::ThreadPool> {
        let spawn = |thread: rayon::ThreadBuilder| {
            let builder = thread_name::builder(&self.name, thread.index() + 1, self.stack_size);
            self.join_set.spawn(false, builder, |_| thread.run())
        };
        // The number is never 0, for which rayon would ask the environment.
        let builder = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        builder.spawn_handler(spawn).build().map_err(io::Error::other)
    }
}

impl<J: Job + Send + 'static> Concurrency<J> for RayonPool {
    fn attach(&self, waker: Waker) {
        lock(&self.room).waker = Some(waker);
    }

    fn has_room(&self) -> bool {
        let mut room = lock(&self.room);
        room.loop_waits = room.admitted >= self.most();
        !room.loop_waits
    }

    fn process_request(&self, job: J, _: &mut dyn Listener) -> Result<Dispatched, Rejected<J>> {
        let mut slot = lock(&self.pool);
        let pool = match slot.take().map_or_else(|| self.build(), Ok) {
            Ok(pool) => slot.insert(pool),
            Err(error) => return Err(Rejected::new(job, error)),
        };
        let place = Place::take(&self.room);
        pool.spawn(move || {
            // An exit ends the request and nothing else; a hook's panic has been counted. A job does not
            // unwind, but what it drops may, and rayon would end the process.
            contained(|| drop(job.run()));
            drop(place);
        });
        Ok(Dispatched::Started)
    }

    fn server_close(&self) {
        // The threads end when all requests are done.
        drop(lock(&self.pool).take());
        self.join_set.join_all();
    }

    fn wait_for_workers(&self, patience: &Patience<'_>) -> usize {
        drop(lock(&self.pool).take());
        self.join_set.wait_for(patience)
    }
}

/// As many threads as the machine runs at once.
impl Default for RayonPool {
    fn default() -> Self {
        Self::new(thread::available_parallelism().map_or(4, std::num::NonZero::get))
    }
}

impl fmt::Debug for RayonPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RayonPool")
            .field("threads", &self.threads)
            .field("max_requests", &self.most())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A request's place in the pool: given back when this is dropped.
struct Place(Arc<Mutex<Room>>);

impl Place {
    fn take(room: &Arc<Mutex<Room>>) -> Self {
        lock(room).admitted += 1;
        Self(Arc::clone(room))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut room = lock(&self.0);
        room.admitted -= 1;
        let waker = if std::mem::take(&mut room.loop_waits) { room.waker.clone() } else { None };
        drop(room);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
