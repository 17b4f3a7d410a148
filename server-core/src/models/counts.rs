//! The books: whoever reads them while requests come and go never sees more leave than came.

use loom::thread;

use super::{explore, joined};
use crate::counts::Counters;
use crate::sync::Arc;

#[test]
fn never_more_leave_than_came() {
    explore(|| {
        let counters = Arc::new(Counters::default());
        let threads = [(); 2].map(|()| {
            let counters = Arc::clone(&counters);
            thread::spawn(move || {
                counters.accepted.add();
                counters.served.add();
            })
        });
        let counts = counters.snapshot();
        assert!(counts.served <= counts.accepted, "{counts:?}");
        joined(threads);
        assert_eq!((counters.snapshot().served, counters.snapshot().in_progress()), (2, 0));
    });
}

#[test]
fn a_request_that_another_thread_serves_came_before_it_left() {
    explore(|| {
        let counters = Arc::new(Counters::default());
        let serving = Arc::clone(&counters);
        let serving = thread::spawn(move || {
            serving.accepted.add();
            let counters = Arc::clone(&serving);
            thread::spawn(move || counters.served.add()).join().unwrap();
        });
        let counts = counters.snapshot();
        assert!(counts.served <= counts.accepted, "{counts:?}");
        serving.join().unwrap();
    });
}
