//! One connection: its handler, its transport, and those who end it.

use std::time::{Duration, Instant};

use loom::thread::{self, JoinHandle};

use crate::connections::{ConnectionState, CutReason, Watch};
use crate::models::{explore, joined};
use crate::sync::{Arc, Mutex, lock};
use crate::testing::ScriptedClient;

const LATER: Duration = Duration::from_secs(3600);

/// A watch, and what its transport was told.
struct Model {
    watch: Arc<Watch>,
    cuts: Mutex<Vec<CutReason>>,
}

impl Model {
    /// A connection whose transport does not say yet how it is cut.
    fn silent() -> Arc<Self> {
        Arc::new(Self { watch: Watch::alone(), cuts: Mutex::default() })
    }

    fn new() -> Arc<Self> {
        let model = Self::silent();
        model.says_how();
        model
    }

    fn says_how(self: &Arc<Self>) {
        // Not to keep itself alive.
        let model = Arc::downgrade(self);
        self.watch.cut_with(move |reason| {
            let model = model.upgrade().unwrap();
            lock(&model.cuts).push(reason);
        });
    }

    fn cuts(&self) -> Vec<CutReason> {
        lock(&self.cuts).clone()
    }

    fn go<R: 'static>(
        self: &Arc<Self>,
        what: impl FnOnce(&Arc<Self>) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let model = Arc::clone(self);
        thread::spawn(move || what(&model))
    }
}

/// What a drain does with each connection; says whether it was idle.
fn drain(watch: &Watch) -> bool {
    let idle = watch.heed_drain();
    if idle {
        watch.end_idle(|| ());
    }
    idle
}

#[test]
fn a_connection_that_becomes_idle_as_the_drain_begins_is_cut_once() {
    explore(|| {
        let model = Model::new();
        let drain = model.go(|model| drain(&model.watch));
        let idle = model.watch.idle();
        let saw_it = drain.join().unwrap();
        assert_eq!(model.cuts(), [CutReason::Drained], "the drain saw it: {saw_it}");
        drop(idle);
    });
}

#[test]
fn a_connection_with_something_to_do_is_not_cut() {
    explore(|| {
        let model = Model::new();
        let drain = model.go(|model| drain(&model.watch));
        model.watch.count_received(1);
        drain.join().unwrap();
        assert_eq!(model.cuts(), []);
        assert_eq!(model.watch.info().state, ConnectionState::Busy);
    });
}

#[test]
fn the_one_who_says_that_he_cut_it_did_and_nobody_else() {
    explore(|| {
        let model = Model::new();
        let others = [(); 2].map(|()| model.go(|model| model.watch.cut(CutReason::Ended)));
        let did = joined(others);
        assert_ne!(did[0], did[1]);
        assert_eq!(model.cuts(), [CutReason::Ended]);
    });
}

#[test]
fn a_transport_that_is_late_hears_of_the_cut() {
    explore(|| {
        let model = Model::silent();
        let cut = model.go(|model| model.watch.cut(CutReason::Forced));
        model.says_how();
        assert!(cut.join().unwrap());
        assert_eq!(model.cuts(), [CutReason::Forced]);
    });
}

#[test]
fn a_firmer_cut_comes_through_whatever_came_before() {
    explore(|| {
        let model = Model::new();
        let idle = model.watch.idle();
        let drain = model.go(|model| drain(&model.watch));
        let force = model.go(|model| model.watch.cut(CutReason::Forced));
        drain.join().unwrap();
        assert!(force.join().unwrap());
        assert!(model.cuts().contains(&CutReason::Forced));
        assert_eq!(model.watch.cut_reason(), Some(CutReason::Forced));
        drop(idle);
    });
}

#[test]
fn a_handler_that_waits_for_its_client_is_woken_by_a_cut() {
    explore(|| {
        let watch = Watch::alone();
        let client = ScriptedClient::default();
        let cut = client.clone();
        watch.cut_with(move |reason| cut.cut(reason));
        let handler = {
            let watch = Arc::clone(&watch);
            thread::spawn(move || {
                let _idle = watch.idle();
                client.taken()
            })
        };
        drain(&watch);
        assert_eq!(handler.join().unwrap(), None);
    });
}

#[test]
fn a_handler_that_waited_for_its_client_has_not_been_at_work_since_before() {
    explore(|| {
        let watch = Watch::alone();
        watch.begin_work();
        let waits = Arc::new(Mutex::new(false));
        let handler = {
            let (watch, waits) = (Arc::clone(&watch), Arc::clone(&waits));
            thread::spawn(move || {
                let call = watch.call();
                *lock(&waits) = true;
                watch.returned(Instant::now() + LATER);
                drop(call);
            })
        };
        let waits = *lock(&waits);
        let since = watch.at_work_since();
        assert!(!waits || since.is_none_or(|since| u128::from(since) >= LATER.as_micros()));
        handler.join().unwrap();
    });
}
