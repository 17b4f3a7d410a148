//! Stops from the inside: a handler's, a hook's.

use std::sync::Arc;

use socketserver::prelude::*;

use crate::obey::{Orders, Place};
use crate::subject::Subject;
use crate::{everywhere, wait_for};

#[test]
fn from_a_handler() {
    everywhere("from a handler", |subject| {
        let site = subject.start(&Arc::default());
        let client = site.client_saying("stop");
        wait_for(|| site.server.handle().is_stopping());
        drop(client);
        assert_eq!(site.server.stop().0, Ended::Shutdown);
    });
}

/// A client that fails passes all hooks; one of them stops the server, with this result.
fn stop_in(subject: &Subject, place: Place) -> Result<StopOrder, ShutdownError> {
    let orders = Arc::<Orders>::default();
    *orders.stop_in.lock().unwrap() = Some(place);
    let site = subject.start(&orders);
    drop(site.connect());
    if place == Place::OnError {
        drop(site.client_saying("fail"));
    }
    wait_for(|| orders.stopped.get().is_some());
    assert!(site.server.handle().is_stopping());
    assert_eq!(site.server.stop().0, Ended::Shutdown);
    *orders.stopped.get().unwrap()
}

#[test]
fn from_a_hook_of_the_loop() {
    everywhere("from verify_request", |subject| {
        assert_eq!(stop_in(subject, Place::Verify), Err(ShutdownError::FromServingThread));
    });
    everywhere("from service_actions", |subject| {
        assert_eq!(stop_in(subject, Place::ServiceActions), Err(ShutdownError::FromServingThread));
    });
}

#[test]
fn from_a_hook_of_a_worker() {
    everywhere("from handle_error", |subject| {
        let expected = if subject.in_loop {
            Err(ShutdownError::FromServingThread)
        } else {
            Ok(StopOrder::Delivered)
        };
        assert_eq!(stop_in(subject, Place::OnError), expected);
    });
}
