//! All connections: who comes while the drain begins, and who goes while they are looked through.

use loom::thread;

use crate::connections::{CutReason, Registered, Registry};
use crate::models::{Port, explore, joined};
use crate::sync::Arc;
use crate::testing::{Closed, ScriptedClient, ScriptedRequest};

fn registry() -> Arc<Registry> {
    Arc::new(Registry::new(Port::new().waker()))
}

/// A connection as the loop makes one.
fn accept(registry: &Arc<Registry>, client: &ScriptedClient) -> (ScriptedRequest, Registered) {
    let name = "one".to_owned();
    let request = ScriptedRequest::new(name.clone(), Some(client.clone()), Closed::default());
    let place = registry.reserve().unwrap();
    let registered = registry.enter(Some(place), &request, &name);
    (request, registered)
}

#[test]
fn a_connection_that_comes_as_the_drain_begins_is_cut_once_when_idle() {
    explore(|| {
        let registry = registry();
        let other = Arc::clone(&registry);
        let drain = thread::spawn(move || other.drain());
        let client = ScriptedClient::default();
        let (request, registered) = accept(&registry, &client);
        let idle = request.watch().unwrap().idle();
        drain.join().unwrap();
        assert_eq!(client.cuts(), [CutReason::Drained]);
        drop((idle, registered));
    });
}

#[test]
fn who_goes_meanwhile_is_listed_or_not_and_is_gone_then() {
    explore(|| {
        let registry = registry();
        let other = Arc::clone(&registry);
        let client = ScriptedClient::default();
        let (request, registered) = accept(&registry, &client);
        let looks = thread::spawn(move || {
            let listed = other.list().len();
            other.force();
            (listed, other.tally.look().forced)
        });
        drop((registered, request));
        let (listed, cut) = looks.join().unwrap();
        assert!(cut <= listed && listed <= 1, "{cut} {listed}");
        assert_eq!(client.cuts().len(), cut);
        assert_eq!((registry.list().len(), registry.gate.inside()), (0, 0));
    });
}

#[test]
fn one_is_ended_once_by_two_who_want_that() {
    explore(|| {
        let registry = registry();
        let client = ScriptedClient::default();
        let (request, registered) = accept(&registry, &client);
        let id = request.watch().unwrap().id();
        let others = [(); 2].map(|()| {
            let registry = Arc::clone(&registry);
            thread::spawn(move || registry.cut(id, CutReason::Ended))
        });
        let did = joined(others);
        assert_ne!(did[0], did[1]);
        assert_eq!(client.cuts(), [CutReason::Ended]);
        drop((registered, request));
        assert!(!registry.cut(id, CutReason::Ended));
    });
}
