//! Stops while a handler is stuck: in a read, in a write to a client that does not read, in a computation.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use socketserver::prelude::*;

use crate::PATIENCE;
use crate::obey::Orders;
use crate::subject::Subject;
use crate::{SHORT, everywhere};

/// A handler that blocks in a receive or a send: it is told to at the deadline of a drain.
fn is_forced(subject: &Subject, line: &str) {
    let site = subject.start(&Arc::default());
    let _client = site.client_saying(line);
    if subject.in_loop {
        // The loop is in the handler, and says so.
        assert_eq!(site.stop.shutdown_timeout(SHORT), Err(ShutdownError::TimedOut));
    }
    let (report, counts) = site.server.drain(Drain::new().deadline(SHORT).grace(PATIENCE));
    assert_eq!((report.forced, report.finished, report.is_stuck()), (1, 0, false), "{report}");
    assert!(!report.is_clean());
    assert_eq!((counts.served, counts.errors, counts.in_progress()), (1, 1, 0));
}

/// The same by hand: whoever stops a server can end the connection that keeps it from that.
#[test]
fn in_a_connection_that_is_ended() {
    everywhere("with a handler stuck in a read, by hand", |subject| {
        let site = subject.start(&Arc::default());
        let _client = site.client_saying("read");
        let server = site.server.handle();
        assert!(server.end_connection(server.connections()[0].id));
        let (ended, counts) = site.server.stop();
        assert_eq!((ended, counts.served, counts.errors), (Ended::Shutdown, 1, 1));
    });
}

#[test]
fn in_a_read() {
    everywhere("with a handler stuck in a read", |subject| is_forced(subject, "read"));
}

#[test]
fn in_a_write() {
    everywhere("with a handler stuck in a write", |subject| is_forced(subject, "write"));
}

#[test]
fn in_a_computation() {
    everywhere("with a handler in an endless computation", |subject| {
        let orders = Arc::<Orders>::default();
        let site = subject.start(&orders);
        let client = site.client_saying("compute");
        if subject.in_loop {
            assert_eq!(site.stop.shutdown_timeout(SHORT), Err(ShutdownError::TimedOut));
            let server = site.server.handle();
            assert!(server.end_connection(server.connections()[0].id));
            assert_eq!(site.stop.shutdown_timeout(SHORT), Err(ShutdownError::TimedOut));
            orders.enough.store(true, Ordering::Relaxed);
            assert_eq!(site.server.stop().0, Ended::Shutdown);
        } else {
            let (report, counts) = site.server.drain(Drain::new().deadline(SHORT).grace(SHORT));
            assert_eq!((report.forced, report.stuck.len(), report.workers_left), (1, 1, 1));
            assert_eq!((report.requests_left, counts.in_progress()), (1, 1), "{report}");
            orders.enough.store(true, Ordering::Relaxed);
        }
        drop(client);
    });
}
