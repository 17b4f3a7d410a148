//! The server under test: of which parts, and how it lives and ends.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socketserver::prelude::*;
use socketserver::{Cuts, ServeError, concurrency::AtClose};

use crate::random::Random;
use crate::service::{Seen, Setup, in_turns, service};
use crate::wire::Place;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What a server is made of, and how it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) unix: bool,
    pub(crate) strategy: Strategy,
    setup: Setup,
    config: ServerConfig,
    /// How often the loop is stopped and begins again.
    pub(crate) restarts: usize,
    /// `None`: it is closed when all clients have gone.
    pub(crate) drain: Option<Drain>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Strategy {
    Synchronous,
    Threads,
    Pool { workers: usize, queue: usize, when_full: WhenFull },
    Leader { threads: usize, queue: usize, when_full: WhenFull, patience: Duration, awaits: bool },
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        let strategy = match random.number(0..6) {
            0 => Strategy::Synchronous,
            1 => Strategy::Threads,
            4..6 => Strategy::Leader {
                threads: random.number(2..7),
                queue: random.number(0..8),
                when_full: *random.pick(&[WhenFull::Wait, WhenFull::Wait, WhenFull::Refuse]),
                patience: Duration::from_micros(*random.pick(&[20, 1000])),
                awaits: random.percent(50),
            },
            _ => Strategy::Pool {
                workers: random.number(1..7),
                queue: random.number(0..8),
                when_full: *random.pick(&[WhenFull::Wait, WhenFull::Wait, WhenFull::Refuse]),
            },
        };
        let setup = Setup {
            keep_alive: random.percent(50),
            in_turns: matches!(strategy, Strategy::Leader { .. }) && random.percent(70),
            rbufsize: *random.pick(&[16, 512, 8192]),
            wbufsize: *random.pick(&[0, 0, 1000]),
        };
        let poll = PollInterval::Every(random.millis(1..50));
        let interval = if random.percent(50) { PollInterval::Never } else { poll };
        let drain = Drain::new()
            .deadline(random.millis(0..150))
            .grace(Duration::from_secs(5))
            .backlog(*random.pick(&[Backlog::Leave, Backlog::Serve]));
        let config = ServerConfig::new().poll_interval(interval).deadlines(deadlines(random));
        let at_limit =
            *random.pick(&[AtLimit::Wait, AtLimit::Wait, AtLimit::Wait, AtLimit::Refuse]);
        Self {
            unix: cfg!(unix) && random.percent(50),
            strategy,
            setup,
            config: config.at_limit(at_limit),
            restarts: random.number(0..3),
            drain: random.percent(60).then_some(drain),
        }
    }
}

/// None, in most cases; else some that hit those who are slow.
fn deadlines(random: &mut Random) -> Deadlines {
    let none = Deadlines::new();
    if random.percent(60) {
        return none;
    }
    let time = random.millis(5..60);
    let some = match random.number(0..3) {
        0 => none.first_byte(time).idle(time),
        1 => none.read(time).write(time),
        _ => none.min_rate(10_000, time),
    };
    if random.percent(20) { some.whole(random.millis(50..200)) } else { some }
}

/// What a server came to.
pub(crate) struct Done {
    pub(crate) counts: Counts,
    pub(crate) cuts: Cuts,
    /// Requests in progress, and connections in the list, when it was closed.
    pub(crate) alive: (usize, usize),
    /// `None` if it was not drained.
    pub(crate) report: Option<DrainReport>,
}

/// A server in a thread of its own.
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) handle: ServerHandle,
    pub(crate) stop: ShutdownHandle,
    pub(crate) seen: Arc<Seen>,
    thread: JoinHandle<Result<Done, ServeError>>,
}

impl Site {
    pub(crate) fn start(plan: &Plan, number: u64) -> Result<Self, Error> {
        let seen = Arc::default();
        #[cfg(unix)]
        if plan.unix {
            let name = format!("soak-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let transport = socketserver::transports::UnixStream::bind(path.clone())?;
            return Ok(Self::of_transport(transport, |_| Place::Unix(path), plan, seen)?);
        }
        let _ = number;
        let transport = Tcp::bind("127.0.0.1:0")?;
        Ok(Self::of_transport(transport, |address| Place::Tcp(*address), plan, seen)?)
    }

    fn of_transport<T>(
        transport: T,
        place: impl FnOnce(&<T::Request as Request>::Addr) -> Place,
        plan: &Plan,
        seen: Arc<Seen>,
    ) -> std::io::Result<Self>
    where
        T: Transport<Request: StreamRequest + Send + 'static> + Send + 'static,
        <T::Request as Request>::Addr: Send,
    {
        let place = place(&transport.local_addr()?);
        if plan.setup.in_turns {
            let service = in_turns(plan.setup, &seen);
            Self::of_service(transport, service, place, plan, seen)
        } else {
            let service = service(plan.setup, &seen);
            Self::of_service(transport, service, place, plan, seen)
        }
    }

    fn of_service<T, S>(
        transport: T,
        service: S,
        place: Place,
        plan: &Plan,
        seen: Arc<Seen>,
    ) -> std::io::Result<Self>
    where
        T: Transport<Request: StreamRequest + Send + 'static> + Send + 'static,
        <T::Request as Request>::Addr: Send,
        S: Service<T::Request> + Send + Sync + 'static,
    {
        match plan.strategy {
            Strategy::Synchronous => {
                Self::of_server(Server::new(transport, Synchronous, service), place, plan, seen)
            }
            Strategy::Threads => {
                let threads = ThreadPerRequest::new();
                Self::of_server(Server::new(transport, threads, service), place, plan, seen)
            }
            Strategy::Pool { workers, queue, when_full } => {
                let pool = ThreadPool::new(workers)
                    .queue(queue)
                    .when_full(when_full)
                    .at_close(AtClose::Serve)
                    .idle_timeout(Duration::from_millis(20));
                Self::of_server(Server::new(transport, pool, service), place, plan, seen)
            }
            Strategy::Leader { threads, queue, when_full, patience, awaits } => {
                let pool = LeaderPool::new(threads)
                    .queue(queue)
                    .when_full(when_full)
                    .patience(patience)
                    .await_first_byte(awaits)
                    .idle_timeout(Duration::from_millis(20));
                Self::of_server(Server::new(transport, pool, service), place, plan, seen)
            }
        }
    }

    fn of_server<T, C, S>(
        server: Server<T, C, S>,
        place: Place,
        plan: &Plan,
        seen: Arc<Seen>,
    ) -> std::io::Result<Self>
    where
        T: Transport + Send + 'static,
        S: Service<T::Request> + Send + Sync + 'static,
        C: socketserver::core::Concurrency<socketserver::core::ServiceJob<T::Request, S>>
            + Send
            + 'static,
    {
        let mut server =
            server.with_config(plan.config).with_observer(Arc::clone(&seen.told).observer());
        let (handle, stop) = (server.handle(), server.shutdown_handle());
        let (restarts, drain) = (plan.restarts, plan.drain);
        let serve = move || {
            for _ in 0..=restarts {
                server.serve_forever()?;
            }
            let report = drain.map(|drain| server.drain(drain));
            server.close();
            let handle = server.handle();
            let alive = (handle.live_requests(), handle.connections().len());
            Ok(Done { counts: server.counts(), cuts: server.cuts(), alive, report })
        };
        let thread = thread::Builder::new().name("server".to_owned()).spawn(serve)?;
        Ok(Self { place, handle, stop, seen, thread })
    }

    /// Whether its thread has nothing more to do.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end, which somebody has ordered.
    pub(crate) fn wait(self) -> Result<Done, Error> {
        let ended = self.thread.join().map_err(|_| "the loop panicked")?;
        Ok(ended?)
    }
}
