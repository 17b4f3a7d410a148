//! The way in and out: never more than the limit, no wake lost.

use loom::thread::{self, JoinHandle};

use crate::connections::gate::{Gate, Room};
use crate::models::{Port, explore, joined};
use crate::sync::{Arc, AtomicU64, Ordering};

struct Model {
    port: Arc<Port>,
    gate: Gate,
}

impl Model {
    fn new(most: Option<usize>) -> Arc<Self> {
        let port = Port::new();
        let gate = Gate::new(port.waker());
        gate.set_most(most);
        Arc::new(Self { port, gate })
    }

    fn has_room(&self) -> bool {
        self.gate.room() == Room::Free
    }

    /// What the loop does for one request: it has come already, so only room is waited for.
    fn take_one(&self) {
        while !(self.has_room() && self.gate.try_enter()) {
            if !self.has_room() {
                self.port.wait();
            }
        }
    }

    fn go(self: &Arc<Self>, what: impl FnOnce(&Self) + Send + 'static) -> JoinHandle<()> {
        let model = Arc::clone(self);
        thread::spawn(move || what(&model))
    }
}

#[test]
fn the_limit_holds_and_a_full_server_goes_on_when_one_leaves() {
    explore(|| {
        let model = Model::new(Some(1));
        let workers = [(); 2].map(|()| {
            model.take_one();
            assert!(model.gate.inside() <= 1);
            model.go(|model| model.gate.leave())
        });
        joined(workers);
        assert_eq!(model.gate.inside(), 0);
    });
}

#[test]
fn a_lower_limit_holds_from_the_moment_it_is_set() {
    explore(|| {
        let model = Model::new(Some(2));
        let lowered = Arc::new(AtomicU64::new(0));
        let mark = Arc::clone(&lowered);
        let changer = model.go(move |model| {
            model.gate.set_most(Some(1));
            mark.store(1, Ordering::SeqCst);
        });
        let mut entered = 0;
        for _ in 0..2 {
            let low = lowered.load(Ordering::SeqCst) == 1;
            if model.has_room() && model.gate.try_enter() {
                assert!(!low || entered == 0);
                entered += 1;
            }
        }
        changer.join().unwrap();
        assert!(!model.gate.try_enter(), "one at least is inside");
    });
}

#[test]
fn a_limit_that_is_lifted_wakes_a_full_server() {
    explore(|| {
        let model = Model::new(Some(0));
        let changer = model.go(|model| model.gate.set_most(None));
        model.take_one();
        changer.join().unwrap();
    });
}

#[test]
fn a_lift_and_a_leave_at_once_wake_it_too() {
    explore(|| {
        let model = Model::new(Some(1));
        model.take_one();
        let threads =
            [model.go(|model| model.gate.leave()), model.go(|model| model.gate.set_most(Some(2)))];
        model.take_one();
        joined(threads);
        assert_eq!(model.gate.inside(), 1);
    });
}

#[test]
fn a_server_that_is_resumed_goes_on() {
    explore(|| {
        let model = Model::new(None);
        let changer = model.go(|model| {
            model.gate.set_suspended(true);
            model.gate.set_suspended(false);
        });
        model.take_one();
        changer.join().unwrap();
    });
}

#[test]
fn what_a_request_sets_free_is_found_by_the_loop_that_rests() {
    explore(|| {
        let model = Model::new(None);
        model.take_one();
        let descriptors = Arc::new(AtomicU64::new(0));
        let freed = Arc::clone(&descriptors);
        let worker = model.go(move |model| {
            freed.store(1, Ordering::SeqCst);
            model.gate.leave();
        });
        loop {
            assert!(model.gate.try_enter());
            if descriptors.load(Ordering::SeqCst) == 1 {
                break;
            }
            // An attempt that failed.
            model.gate.leave();
            if model.gate.begin_rest(true) {
                while model.gate.is_resting() {
                    model.port.wait();
                }
            }
        }
        worker.join().unwrap();
    });
}

#[test]
fn suspending_and_waiting_leaves_nobody_inside() {
    explore(|| {
        let model = Model::new(None);
        let other = model.go(|model| {
            model.gate.set_suspended(true);
            assert!(model.gate.wait_until(0, None));
            assert_eq!(model.gate.inside(), 0, "and nobody comes any more");
        });
        if model.has_room() && model.gate.try_enter() {
            model.gate.leave();
        }
        other.join().unwrap();
    });
}

#[test]
fn all_who_wait_for_fewer_return_each_at_their_number() {
    explore(|| {
        let model = Model::new(None);
        model.take_one();
        model.take_one();
        let waiters = [0, 1].map(|most| {
            model.go(move |model| {
                assert!(model.gate.wait_until(most, None));
                assert!(model.gate.inside() <= most);
            })
        });
        let [none, one] = waiters;
        model.gate.leave();
        one.join().unwrap();
        model.gate.leave();
        none.join().unwrap();
    });
}

#[test]
fn a_nudge_is_not_lost() {
    explore(|| {
        let model = Model::new(None);
        model.take_one();
        let enough = Arc::new(AtomicU64::new(0));
        let says = Arc::clone(&enough);
        let waiter = model.go(move |model| {
            model.gate.wait_until_or(0, None, || says.load(Ordering::SeqCst) == 1);
        });
        enough.store(1, Ordering::SeqCst);
        model.gate.nudge();
        waiter.join().unwrap();
    });
}
