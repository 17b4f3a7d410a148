//! What the harness orders, heard while the server serves: in a thread of its own, or, where a second thread would make
//! forking unsafe, between the turns of the loop.

use std::io::{self, BufRead};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::stage::Stage;
use crate::scenario::{Scenario, Strategy};
use crate::wire::Order;

/// What the harness orders.
#[derive(Debug)]
pub(super) struct Orders {
    source: Source,
    /// Who is to be stopped.
    stage: Arc<Mutex<Option<Arc<Stage>>>>,
}

#[derive(Debug)]
enum Source {
    /// This thread reads them.
    Here,
    /// Another thread does, and carries out [`Order::Stop`] itself.
    Thread { orders: Receiver<Order>, stoppers: Stoppers },
}

type Stoppers = Arc<Mutex<Vec<JoinHandle<()>>>>;

/// Whether this thread reads orders: then it does so in `service_actions` too.
static READ_HERE: AtomicBool = AtomicBool::new(true);

impl Orders {
    pub(super) fn new() -> Self {
        Self { source: Source::Here, stage: Arc::default() }
    }

    /// The next one that is not about stopping; `None` when there will be none.
    pub(super) fn next(&mut self) -> Option<Order> {
        match &self.source {
            Source::Here => read_order(),
            Source::Thread { orders, .. } => orders.recv().ok(),
        }
    }

    /// Gets ready to hear orders while this scenario is served.
    pub(super) fn prepare(&mut self, scenario: &Scenario) -> Result<(), String> {
        match (&self.source, scenario.strategy) {
            (Source::Thread { .. }, Strategy::Fork) => {
                Err("this process has started threads, so it must not fork".to_owned())
            }
            (Source::Here, Strategy::Fork) | (Source::Thread { .. }, _) => Ok(()),
            (Source::Here, _) => {
                READ_HERE.store(false, Ordering::Relaxed);
                let (sender, orders) = channel();
                let (stage, stoppers) = (Arc::clone(&self.stage), Stoppers::default());
                let listening = Arc::clone(&stoppers);
                thread::Builder::new()
                    .name("orders".to_owned())
                    .spawn(move || listen(&sender, &stage, &listening))
                    .map_err(|error| format!("no thread to listen: {error}"))?;
                self.source = Source::Thread { orders, stoppers };
                Ok(())
            }
        }
    }

    /// From here on orders to stop are for this scenario.
    pub(super) fn begin(&self, stage: &Arc<Stage>) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(stage));
    }

    /// Waits for those who called `shutdown`, which must have come back now that the loop is over.
    pub(super) fn join_stoppers(&self) {
        if let Source::Thread { stoppers, .. } = &self.source {
            let mut stoppers = stoppers.lock().unwrap_or_else(PoisonError::into_inner);
            for stopper in stoppers.drain(..) {
                // It does nothing that could panic. One that hangs shows as a subject that hangs.
                let _ = stopper.join();
            }
        }
    }
}

/// Ends the process with the last order: a server that waits to be stopped must not outlive the harness.
fn listen(orders: &Sender<Order>, stage: &Mutex<Option<Arc<Stage>>>, stoppers: &Stoppers) {
    while let Some(order) = read_order() {
        if !matches!(order, Order::Stop) {
            if orders.send(order).is_err() {
                return;
            }
            continue;
        }
        let stage = stage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(stage) = stage else { continue };
        let stopper = thread::spawn(move || stage.shutdown());
        stoppers.lock().unwrap_or_else(PoisonError::into_inner).push(stopper);
    }
    process::exit(0);
}

fn read_order() -> Option<Order> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        // What cannot be read was not written by the harness: nothing more is done for it.
        Ok(_) => serde_json::from_str(&line).ok(),
    }
}

/// Hears an order to stop in the thread that serves, if that is who listens.
pub(super) fn listen_while_serving(stage: &Stage) {
    if !READ_HERE.load(Ordering::Relaxed) || !order_is_there() {
        return;
    }
    match read_order() {
        Some(Order::Stop) => stage.request_stop(),
        Some(_) => {}
        // As above.
        None => process::exit(0),
    }
}

#[cfg(unix)]
fn order_is_there() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = io::stdin();
    let mut sources = [PollFd::new(&stdin, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut sources, Some(&at_once)), Ok(1..))
}

#[cfg(not(unix))]
fn order_is_there() -> bool {
    // Nothing forks here, so a thread listens.
    false
}
