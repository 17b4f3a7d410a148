//! A pool of 4 with a queue of 16 under 500 clients at the same time: each is served or refused as the
//! policy says, and the counts add up.

#![cfg(test)]

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::concurrency::PoolStatus;
use socketserver::core::Counts;
use socketserver::prelude::*;

const WORKERS: usize = 4;
const QUEUE: usize = 16;
const CLIENTS: usize = 500;
const ADMITTED: u64 = (WORKERS + QUEUE) as u64;
const ALL: u64 = CLIENTS as u64;

/// Nothing takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the clients got.
#[derive(Debug, Default, PartialEq)]
struct Answers {
    by_worker: u64,
    by_loop: u64,
    busy: u64,
}

/// Shut at first; handlers in workers wait before it.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn pass(&self) -> HandlerResult {
        let open = self.open.lock().map_err(|_| "poisoned")?;
        let open = self.changed.wait_timeout_while(open, PATIENCE, |open| !*open);
        if open.map_err(|_| "poisoned")?.1.timed_out() {
            return Err("nobody opened the gate".into());
        }
        Ok(())
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::yield_now();
    }
}

/// A process may not have descriptors for two of these tests at once.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a client gets, up to a clean end.
fn ask(address: SocketAddr) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

/// All clients at the same time, while `meanwhile` runs.
fn clients(address: SocketAddr, meanwhile: impl FnOnce()) -> Answers {
    let start = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let client = || {
                    start.wait();
                    ask(address)
                };
                let builder = thread::Builder::new().stack_size(128 * 1024);
                builder.spawn_scoped(scope, client).unwrap()
            })
            .collect();
        meanwhile();
        let mut answers = Answers::default();
        for client in clients {
            match &*client.join().unwrap() {
                "worker" => answers.by_worker += 1,
                "loop" => answers.by_loop += 1,
                "busy" => answers.busy += 1,
                other => panic!("{other:?}"),
            }
        }
        answers
    })
}

/// Serves all clients with this policy; with workers that are all busy until `full` holds, if there is
/// such a thing. Gives what was counted at that moment, and at the end.
fn serve(
    policy: WhenFull,
    full: Option<fn(&PoolStatus, Counts) -> bool>,
) -> (Answers, Counts, Counts) {
    let _alone = alone();
    let gate = Arc::new(Gate::default());
    if full.is_none() {
        gate.open();
    }
    let before = Arc::clone(&gate);
    let service = base_fn(move |context: &mut Context<'_, TcpConnection>| {
        let worker =
            thread::current().name().is_some_and(|name| name.starts_with("pool-")).then(|| {
                before.pass()?;
                Ok::<_, HandlerError>("worker")
            });
        let answer = worker.unwrap_or(Ok("loop"))?;
        context.request.send(answer.as_bytes())?;
        Ok(())
    });
    let service = service.on_refusal(|client: &mut TcpConnection, _, _| {
        assert_eq!(client.send(b"busy").unwrap(), 4);
    });
    let pool = ThreadPool::new(WORKERS).queue(QUEUE).when_full(policy).name("pool");
    let status = pool.status();
    let server = Server::new(Tcp::bind("127.0.0.1:0").unwrap(), pool, service).spawn().unwrap();
    let mut when_full = Counts::default();
    let answers = clients(*server.local_addr(), || {
        if let Some(full) = full {
            eventually("the pool is full", || full(&status, server.counts()));
            when_full = server.counts();
            gate.open();
        }
    });
    let (ended, counts) = server.stop().unwrap();
    assert_eq!(ended, Ended::Shutdown);
    assert_eq!((counts.accepted, counts.in_progress()), (ALL, 0), "{counts:?}");
    assert_eq!((counts.errors, counts.hook_panics, counts.unserved), (0, 0, 0), "{counts:?}");
    assert_eq!(counts.served, answers.by_worker + answers.by_loop);
    assert_eq!(counts.overloaded, answers.busy);
    assert_eq!(status.refused(), answers.busy);
    assert_eq!((status.workers(), status.in_progress()), (0, 0));
    (answers, when_full, counts)
}

#[test]
fn wait_serves_all_and_takes_no_more_than_it_has_room_for() {
    let full = |status: &PoolStatus, _: Counts| status.in_progress() as u64 == ADMITTED;
    let (answers, when_full, ..) = serve(WhenFull::Wait, Some(full));
    assert_eq!(answers, Answers { by_worker: ALL, ..Answers::default() });
    assert_eq!(when_full.accepted, ADMITTED);
}

#[test]
fn refuse_refuses_exactly_those_it_has_no_room_for() {
    let full = |_: &PoolStatus, counts: Counts| counts.overloaded == ALL - ADMITTED;
    let (answers, when_full, ..) = serve(WhenFull::Refuse, Some(full));
    assert_eq!(
        answers,
        Answers { by_worker: ADMITTED, busy: ALL - ADMITTED, ..Answers::default() }
    );
    assert_eq!(when_full.served, 0);
}

#[test]
fn run_in_loop_serves_there_exactly_those_it_has_no_room_for() {
    let full = |_: &PoolStatus, counts: Counts| counts.served == ALL - ADMITTED;
    let (answers, ..) = serve(WhenFull::RunInLoop, Some(full));
    assert_eq!(
        answers,
        Answers { by_worker: ADMITTED, by_loop: ALL - ADMITTED, ..Answers::default() }
    );
}

#[test]
fn the_counts_add_up_at_full_speed() {
    for policy in [WhenFull::Wait, WhenFull::Refuse, WhenFull::RunInLoop] {
        let (answers, _, counts) = serve(policy, None);
        assert_eq!(answers.by_worker + answers.by_loop + answers.busy, ALL);
        assert!(policy == WhenFull::Refuse || counts.overloaded == 0);
        assert!(policy == WhenFull::RunInLoop || answers.by_loop == 0);
    }
}
