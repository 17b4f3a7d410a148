//! Stops from the outside: another thread's, two at once, one that comes too early, and dropping.

use std::sync::{Arc, Barrier};
use std::thread;

use socketserver::prelude::*;

use crate::everywhere;

#[test]
fn from_another_thread() {
    everywhere("from another thread", |subject| {
        let site = subject.start(&Arc::default());
        drop(site.client_saying("hello"));
        let stop = site.stop.clone();
        let stopped = thread::spawn(move || stop.shutdown()).join().unwrap();
        assert_eq!(stopped, Ok(StopOrder::Delivered));
        let (ended, counts) = site.server.stop();
        assert_eq!((ended, counts.in_progress()), (Ended::Shutdown, 0));
    });
}

#[test]
fn twice() {
    everywhere("twice", |subject| {
        let site = subject.start(&Arc::default());
        drop(site.client_saying("hello"));
        let together = Arc::new(Barrier::new(2));
        let threads = [(); 2].map(|()| {
            let (stop, together) = (site.stop.clone(), Arc::clone(&together));
            thread::spawn(move || {
                together.wait();
                stop.shutdown()
            })
        });
        let stopped = threads.map(|thread| thread.join().unwrap().unwrap());
        assert!(stopped.contains(&StopOrder::Delivered), "{stopped:?}");
        assert_eq!(site.stop.shutdown(), Ok(StopOrder::TooLate));
        assert_eq!(site.server.stop().0, Ended::Shutdown);
        assert_eq!(site.stop.shutdown(), Ok(StopOrder::TooLate));
    });
}

#[test]
fn before_it_serves() {
    everywhere("before it serves", |subject| {
        let site = subject.start_after(&Arc::default(), &|stop| {
            assert_eq!(stop.shutdown(), Ok(StopOrder::Kept));
            assert_eq!(stop.shutdown(), Ok(StopOrder::Kept));
        });
        let (ended, counts) = site.server.stop();
        assert_eq!((ended, counts.accepted), (Ended::Shutdown, 0));
    });
}

#[test]
fn by_dropping() {
    everywhere("by dropping", |subject| {
        let mut site = subject.start(&Arc::default());
        drop(site.client_saying("hello"));
        site.server = subject.start(&Arc::default()).server;
        assert!(site.refuses(), "the first is gone");
    });
}
