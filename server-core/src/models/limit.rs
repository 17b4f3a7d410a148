//! The loop itself at its limit: whoever leaves, resumes the server or raises the limit has it go on.

use loom::thread;

use super::drain::Threads;
use super::explore;
use crate::config::{PollInterval, ServerConfig};
use crate::handler_error::HandlerResult;
use crate::server::Server;
use crate::server_handle::ServerHandle;
use crate::service::Service;
use crate::sync::{AtomicU64, Ordering};
use crate::testing::{ScriptedRequest, ScriptedTransport};

/// Stops the server with the last of so many requests, and holds that there is never more than one.
struct Last {
    of: u64,
    begun: AtomicU64,
}

impl Service<ScriptedRequest> for Last {
    fn finish_request(
        &self,
        _: &mut ScriptedRequest,
        _: &String,
        server: &ServerHandle,
    ) -> HandlerResult {
        assert_eq!(server.live_requests(), 1);
        if self.begun.fetch_add(1, Ordering::SeqCst) + 1 == self.of {
            server.request_shutdown();
        }
        Ok(())
    }
}

/// A server with room for so many, and the requests that it has to serve.
fn serve(most: usize, requests: u64, meanwhile: impl FnOnce(&ServerHandle) + Send + 'static) {
    let transport = ScriptedTransport::new();
    for number in 0..requests {
        transport.script().request(number.to_string());
    }
    let service = Last { of: requests, begun: AtomicU64::new(0) };
    let config = ServerConfig::new().poll_interval(PollInterval::Never).max_connections(most);
    let mut server = Server::new(transport, Threads, service).with_config(config);
    let handle = server.handle();
    let other = thread::spawn(move || meanwhile(&handle));
    // Comes back only when all have been served.
    assert!(server.serve_forever().is_ok());
    assert_eq!(server.counts().accepted, requests);
    other.join().unwrap();
}

#[test]
fn who_leaves_makes_room() {
    explore(|| serve(1, 2, |_| {}));
}

#[test]
fn a_pause_loses_nobody() {
    explore(|| {
        serve(1, 1, |server| {
            server.suspend();
            server.resume();
        });
    });
}

#[test]
fn a_server_that_lets_nobody_in_begins_to() {
    explore(|| serve(0, 1, |server| server.set_max_connections(Some(1))));
}
