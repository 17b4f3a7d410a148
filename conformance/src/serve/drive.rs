//! Drives a server through a scenario: its verbs, its end, and what is left then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use socketserver::core::{Concurrency, ServiceJob, Transport};
use socketserver::{Ended, Handled, ServeError, Server, Service};

use super::books;
use super::orders::Orders;
use super::stage::{NEVER, Stage, describe_panic};
use crate::scenario::{StopAt, Strategy, Verb};
use crate::wire::{Order, Report};

/// How long threads that have been joined may take to leave the system's books.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Says that the server is there, and follows orders until the scenario is over.
pub(super) fn drive<T, C, S>(
    mut server: Server<T, C, S>,
    port: Option<u16>,
    stage: &Arc<Stage>,
    orders: &mut Orders,
) where
    T: Transport,
    C: Concurrency<ServiceJob<T::Request, S>>,
    S: Service<T::Request>,
{
    let threads = threads();
    stage.report(&Report::Ready { port });
    while let Some(order) = orders.next() {
        match order {
            Order::Drive => {
                // Clones of one handle count as one caller; each verb gets its own.
                for verb in &stage.scenario.drive {
                    stage.set_stop(server.shutdown_handle());
                    let outcome = outcome(&mut server, verb, stage);
                    stage.report(&Report::Verb { outcome });
                }
                stage.report(&Report::Driven);
            }
            Order::Close => {
                let closed = catch_unwind(AssertUnwindSafe(|| server.close()));
                // At once: a little later a request that closing did not wait for would be served.
                let in_progress = server.counts().in_progress();
                let outcome = match closed {
                    Ok(()) => "returned".to_owned(),
                    Err(payload) => format!("raised {}", describe_panic(&*payload)),
                };
                orders.join_stoppers();
                let mut left = threads_left(threads, stage.scenario.strategy);
                left.extend(child_left());
                left.extend(books::faults(stage, &server.counts()));
                if in_progress != 0 {
                    left.push(format!("{in_progress} requests unaccounted for"));
                }
                stage.report(&Report::Closed { outcome, left });
                stage.end();
            }
            // A stop that comes when nothing serves any more is for nobody.
            Order::Stop => {}
            Order::End | Order::Run { .. } => return,
        }
    }
}

/// Does one thing, and says what came out of it.
fn outcome<T, C, S>(server: &mut Server<T, C, S>, verb: &Verb, stage: &Stage) -> String
where
    T: Transport,
    C: Concurrency<ServiceJob<T::Request, S>>,
    S: Service<T::Request>,
{
    let result = catch_unwind(AssertUnwindSafe(|| match verb {
        Verb::HandleRequest => server.handle_request().map(|handled| match handled {
            Handled::Exited(exit) => Some(exit),
            _ => None,
        }),
        Verb::ServeForever(stop) => {
            let turns = match stop {
                StopAt::Turns(turns) => *turns,
                StopAt::Asked => NEVER,
            };
            stage.stop_at.store(turns, Ordering::Relaxed);
            server.serve_forever().map(|ended| match ended {
                Ended::Exited(exit) => Some(exit),
                _ => None,
            })
        }
    }));
    match result {
        Ok(Ok(None)) => "returned".to_owned(),
        Ok(Ok(Some(exit))) => format!("raised exit-{}", exit.code()),
        Ok(Err(ServeError::Closed)) => "raised closed".to_owned(),
        Ok(Err(error)) => format!("raised {error}"),
        Err(payload) => format!("raised {}", describe_panic(&*payload)),
    }
}

/// Whether there is a child process that closing should have waited for.
#[cfg(unix)]
fn child_left() -> Option<String> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};

    // Only a look; without any child it is an error.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, look).is_ok().then(|| "child".to_owned())
}

#[cfg(not(unix))]
const fn child_left() -> Option<String> {
    None
}

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

/// The threads that closing should have waited for.
fn threads_left(before: Option<usize>, strategy: Strategy) -> Vec<String> {
    // rayon's threads end by themselves, some time after their pool.
    let (Some(before), false) = (before, strategy == Strategy::RayonPool) else {
        return Vec::new();
    };
    let deadline = Instant::now() + A_MOMENT;
    loop {
        match threads() {
            Some(now) if now > before && Instant::now() < deadline => std::thread::yield_now(),
            now => {
                let left = now.unwrap_or(before).saturating_sub(before);
                return vec!["thread".to_owned(); left];
            }
        }
    }
}
