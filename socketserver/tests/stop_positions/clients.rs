//! Stops while a thousand clients are connected and idle.

use std::sync::Arc;

use socketserver::ConnectionState;
use socketserver::prelude::*;

use crate::{PATIENCE, everywhere, wait_for};

const CLIENTS: usize = 1000;

/// Lets this process have as many descriptors as both ends of all connections need; says whether it may.
#[cfg(unix)]
fn enough_descriptors() -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = 3 * CLIENTS as u64;
    let limit = getrlimit(Resource::Nofile);
    let has_enough = |limit: Option<u64>| limit.is_none_or(|most| most >= needed);
    has_enough(limit.current) || {
        let more = Rlimit { current: Some(needed), maximum: limit.maximum };
        has_enough(limit.maximum) && setrlimit(Resource::Nofile, more).is_ok()
    }
}

#[cfg(not(unix))]
fn enough_descriptors() -> bool {
    true
}

#[test]
fn with_a_thousand_idle_clients() {
    if !enough_descriptors() {
        println!("notice: this process may not have enough descriptors, so this was left out");
        return;
    }
    everywhere("with a thousand idle clients", |subject| {
        let site = subject.start(&Arc::default());
        // Who is served one after another waits in the backlog, which some systems keep short.
        let count = if subject.in_loop { 50 } else { CLIENTS };
        let clients: Vec<_> = (0..count).map(|_| site.connect()).collect();
        let (server, inside) = (site.server.handle(), if subject.in_loop { 1 } else { count });
        wait_for(|| server.live_requests() == inside);
        let idle = if subject.name == "a pool" { 4 } else { inside };
        let is_idle = |state| state == ConnectionState::Idle;
        wait_for(|| server.connections().iter().filter(|one| is_idle(one.state)).count() == idle);
        let (report, counts) = site.server.drain(Drain::new().deadline(PATIENCE));
        assert!(report.is_clean() && report.time < PATIENCE, "{report}");
        // In a pool some become idle while the drain looks through all of them.
        assert!(report.idle_ended >= idle, "{report}");
        assert_eq!(report.idle_ended + report.finished, inside, "{report}");
        assert_eq!(counts.in_progress(), 0);
        drop(clients);
    });
}
