//! A transport around another one, whose calls fail when a test wants it.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::request::Request;
use crate::sync::{Arc, Condvar, Mutex, lock, wait_timeout};
use crate::transport::{GetRequestError, Readiness, Transport, Wait, Waker};

/// A transport that is as good as the one inside, but for the faults of its [`Faults`].
///
/// A call that is made to fail does not reach the transport inside: what waits there still waits afterwards. The calls
/// that cannot fail (the waker, the timeout) are passed on.
///
/// ```
/// use socketserver_core::testing::{Call, Faulty, Inline, RecordingService, ScriptedTransport};
/// use socketserver_core::{GetRequestError, Handled, Server};
/// use std::io;
///
/// let inside = ScriptedTransport::new();
/// inside.script().request("one");
/// let transport = Faulty::new(inside, |error| Some(GetRequestError::Failed(error)));
/// transport.faults().next(Call::GetRequest, || io::ErrorKind::ConnectionAborted.into());
/// let mut server = Server::new(transport, Inline, RecordingService::new());
/// assert!(matches!(server.handle_request()?, Handled::NothingAccepted(Some(_))));
/// assert!(matches!(server.handle_request()?, Handled::Served));
/// # Ok::<(), socketserver_core::ServeError>(())
/// ```
#[derive(Debug)]
pub struct Faulty<T> {
    inside: T,
    sort: fn(io::Error) -> Option<GetRequestError>,
    faults: Faults,
}

/// The calls of a [`Transport`] that can fail.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// [`Transport::wait`].
    Wait,
    /// [`Transport::get_request`].
    GetRequest,
    /// [`Transport::local_addr`].
    LocalAddr,
}

impl<T: Transport> Faulty<T> {
    /// The transport `inside`, without a fault yet. Errors of `get_request` are sorted by `sort`, as the real one sorts
    /// what the system says; `None` says that it tries again at once.
    pub fn new(inside: T, sort: fn(io::Error) -> Option<GetRequestError>) -> Self {
        Self { inside, sort, faults: Faults::default() }
    }

    /// The faults, to be kept and changed while a server has the transport.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

impl<T: Transport> Transport for Faulty<T> {
    type Request = T::Request;

    fn wait(&self, wait: Wait<'_>) -> io::Result<Readiness> {
        self.faults.check(Call::Wait)?;
        self.inside.wait(wait)
    }

    fn can_be_tried(&self) -> bool {
        self.inside.can_be_tried()
    }

    fn waker(&self) -> Waker {
        self.inside.waker()
    }

    fn get_request(&self) -> Result<(T::Request, <T::Request as Request>::Addr), GetRequestError> {
        while let Err(error) = self.faults.check(Call::GetRequest) {
            if let Some(sorted) = (self.sort)(error) {
                return Err(sorted);
            }
        }
        self.inside.get_request()
    }

    fn local_addr(&self) -> io::Result<<T::Request as Request>::Addr> {
        self.faults.check(Call::LocalAddr)?;
        self.inside.local_addr()
    }

    fn after_fork(&mut self) {
        self.inside.after_fork();
    }

    fn received_ahead(&self) -> usize {
        self.inside.received_ahead()
    }

    fn timeout(&self) -> Option<Duration> {
        self.inside.timeout()
    }
}

/// Which calls of a [`Faulty`] transport fail, and how. Can be changed while the server runs, from any thread; clones
/// are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: VecDeque<(Call, Error)>,
    sometimes: Vec<Sometimes>,
    injected: u64,
}

type Error = Arc<dyn Fn() -> io::Error + Send + Sync>;

/// Faults by chance.
struct Sometimes {
    call: Call,
    one_in: u64,
    random: u64,
    error: Error,
}

impl Sometimes {
    /// Whether this time it happens: xorshift, which is random enough and always the same.
    fn happens(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(self.one_in)
    }
}

impl Faults {
    /// The next such call fails. Said several times, as many calls fail, in that order.
    pub fn next(&self, call: Call, error: impl Fn() -> io::Error + Send + Sync + 'static) -> &Self {
        lock(&self.0.state).next.push_back((call, Arc::new(error)));
        self
    }

    /// From here on one in so many such calls fails, by chance, but the same ones for the same `seed`.
    ///
    /// # Panics
    ///
    /// When `one_in` is 0.
    pub fn sometimes(
        &self,
        call: Call,
        one_in: u64,
        seed: u64,
        error: impl Fn() -> io::Error + Send + Sync + 'static,
    ) -> &Self {
        assert!(one_in > 0, "one in none");
        // It must not be 0, which stays what it is.
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let sometimes = Sometimes { call, one_in, random, error: Arc::new(error) };
        lock(&self.0.state).sometimes.push(sometimes);
        self
    }

    /// No fault is left.
    pub fn stop(&self) {
        let mut state = lock(&self.0.state);
        state.next.clear();
        state.sometimes.clear();
    }

    /// How many calls have failed.
    pub fn injected(&self) -> u64 {
        lock(&self.0.state).injected
    }

    /// Waits until so many calls have failed, for half a minute at most; says whether they have.
    #[must_use = "it says whether they have"]
    pub fn await_injected(&self, calls: u64) -> bool {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        let mut state = lock(&self.0.state);
        while state.injected < calls {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return false;
            }
            state = wait_timeout(&self.0.changed, state, left);
        }
        true
    }

    /// Fails if the call is to fail.
    fn check(&self, call: Call) -> io::Result<()> {
        // The test's code is not called under the lock.
        let due = lock(&self.0.state).due(call);
        let Some(error) = due else { return Ok(()) };
        self.0.changed.notify_all();
        Err(error())
    }
}

impl State {
    /// What this call is to fail with.
    fn due(&mut self, call: Call) -> Option<Error> {
        let place = self.next.iter().position(|(next, _)| *next == call);
        let next = place.and_then(|place| self.next.remove(place)).map(|(_, error)| error);
        let error = next.or_else(|| {
            let mut faults = self.sometimes.iter_mut().filter(|fault| fault.call == call);
            faults.find_map(|fault| fault.happens().then(|| Arc::clone(&fault.error)))
        });
        self.injected += u64::from(error.is_some());
        error
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("injected", &self.injected()).finish_non_exhaustive()
    }
}
