//! Stops against the loop: nobody waits for ever, no order is lost, and none hits another run than its own.

use loom::thread;

use super::{Port, explore, joined};
use crate::lifecycle::{Lifecycle, Scope, Verb};
use crate::shutdown::StopOrder;
use crate::sync::{Arc, current_thread};

struct Model {
    port: Arc<Port>,
    lifecycle: Lifecycle,
}

impl Model {
    fn new() -> Arc<Self> {
        let port = Port::new();
        Arc::new(Self { lifecycle: Lifecycle::new(port.waker()), port })
    }

    /// `serve_forever` without its requests.
    fn serve(&self) {
        let serving = self.lifecycle.begin(Verb::ServeForever);
        while !serving.stop_ordered() {
            self.port.wait();
        }
    }

    /// `shutdown`.
    fn shutdown(&self, scope: &Scope) -> StopOrder {
        let (order, verb) = self.lifecycle.order_stop(scope);
        if let Some(verb) = verb {
            assert_eq!(self.lifecycle.await_end(verb, None), Some(true));
        }
        order
    }

    /// The same in a thread of its own, with a handle of its own.
    fn stopper(self: &Arc<Self>, scope: Scope) -> thread::JoinHandle<StopOrder> {
        let model = Arc::clone(self);
        thread::spawn(move || model.shutdown(&scope))
    }

    /// Whether the next run would end at once.
    fn is_kept(&self) -> bool {
        self.lifecycle.stop_ordered()
    }
}

fn server() -> Scope {
    Scope::Server(Arc::default())
}

#[test]
fn two_handles_stop_a_server_and_wait() {
    explore(|| {
        let model = Model::new();
        let stoppers = [model.stopper(server()), model.stopper(server())];
        model.serve();
        let answers = joined(stoppers);
        assert!(!answers.contains(&StopOrder::TooLate), "neither repeats anything");
        // One that came after the run is for the next, and one that came before it was used up by it.
        assert!(!model.is_kept() || answers.contains(&StopOrder::Kept), "{answers:?}");
    });
}

#[test]
fn the_order_that_came_too_late_for_a_run_ends_the_next() {
    explore(|| {
        let model = Model::new();
        let stoppers = [model.stopper(server()), model.stopper(server())];
        model.serve();
        let waiting = model.is_kept();
        let answers = joined(stoppers);
        if waiting || model.is_kept() {
            model.serve();
            assert!(!model.is_kept());
        } else {
            assert_eq!(model.lifecycle.runs(), 1, "{answers:?}");
        }
    });
}

#[test]
fn clones_of_a_handle_stop_one_run_only() {
    explore(|| {
        let model = Model::new();
        let scope = server();
        let stoppers = [model.stopper(scope.clone()), model.stopper(scope)];
        model.serve();
        joined(stoppers);
        assert!(!model.is_kept(), "the second is a repeat, whenever it comes");
    });
}

#[test]
fn the_handle_of_a_run_does_not_stop_the_next() {
    explore(|| {
        let model = Model::new();
        let worker = model.stopper(Scope::Run(0));
        let other = model.stopper(server());
        model.serve();
        other.join().unwrap();
        let kept = model.is_kept();
        let next = model.lifecycle.begin(Verb::ServeForever);
        worker.join().unwrap();
        assert_eq!(next.stop_ordered(), kept, "only what the other ordered");
    });
}

#[test]
fn a_stop_ends_a_wait_for_one_request_or_is_kept() {
    explore(|| {
        let model = Model::new();
        let stopper = model.stopper(server());
        let serving = model.lifecycle.begin(Verb::HandleRequest);
        while !serving.take_order() {
            model.port.wait();
        }
        drop(serving);
        assert_ne!(stopper.join().unwrap(), StopOrder::TooLate);
        assert!(!model.is_kept());
    });
}

#[test]
fn closing_and_stopping_release_each_other() {
    explore(|| {
        let model = Model::new();
        let stoppers = [model.stopper(server()), model.stopper(server())];
        model.serve();
        model.lifecycle.close();
        let mine = server();
        assert_eq!(model.shutdown(&mine), StopOrder::TooLate);
        joined(stoppers);
    });
}

#[test]
fn the_serving_thread_does_not_wait_for_itself() {
    explore(|| {
        let model = Model::new();
        let serving = model.lifecycle.begin(Verb::ServeForever);
        let stopper = model.stopper(server());
        let (_, verb) = model.lifecycle.order_stop(&server());
        let me = current_thread();
        assert_eq!(model.lifecycle.await_end(verb.unwrap(), None), None, "{me:?}");
        drop(serving);
        stopper.join().unwrap();
    });
}
