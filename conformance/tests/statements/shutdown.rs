//! What a stop waits for, and what it leaves as it was.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, mpsc};
use std::thread;

use socketserver::prelude::*;
use socketserver_core::testing::{Act, Hook, Inline, RecordingService, ScriptedTransport};

use crate::support::{PATIENCE, connect, loopback, read_to_end};

#[test]
fn a_stop_does_not_wait_for_workers() {
    let (begin, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let service = stream_fn(move |_client| {
        begin.send(())?;
        may_go_on.lock().map_err(|_| "poisoned")?.recv_timeout(PATIENCE)?;
        Ok(())
    });
    let mut server = ThreadingTcpServer::bind(loopback(), service).unwrap();
    let client = connect(server.local_addr().unwrap());
    let stop = server.shutdown_handle();
    let serving = thread::spawn(move || {
        server.serve_forever().unwrap();
        server
    });
    has_begun.recv_timeout(PATIENCE).unwrap();
    assert_eq!(stop.shutdown_timeout(PATIENCE), Ok(StopOrder::Delivered));
    let mut server = serving.join().unwrap();
    assert_eq!(server.counts().in_progress(), 1);
    go_on.send(()).unwrap();
    server.close();
    assert_eq!((server.counts().served, server.counts().errors), (1, 0));
    assert_eq!(read_to_end(&client), "");
}

#[test]
fn a_stopped_server_keeps_its_port_and_clients_can_connect() {
    let mut server = TcpServer::bind(loopback(), stream_fn(|_client| Ok(()))).unwrap();
    let address = server.local_addr().unwrap();
    assert_eq!(server.shutdown_handle().shutdown(), Ok(StopOrder::Kept));
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    let client = connect(address);
    assert_eq!(Tcp::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(read_to_end(&client), "");
}

#[test]
fn a_stop_is_used_up_by_a_loop_that_ends_by_a_panic() {
    let service = RecordingService::new()
        .with(Hook::FinishRequest, 1, Act::Stop)
        .with(Hook::ServiceActions, 1, Act::Panic)
        .with(Hook::FinishRequest, 2, Act::Stop);
    let transport = ScriptedTransport::new();
    let script = transport.script();
    let mut server = Server::new(transport, Inline, service);
    script.request("one");
    assert!(catch_unwind(AssertUnwindSafe(|| server.serve_forever().is_ok())).is_err());
    script.request("two");
    assert_eq!(server.serve_forever().unwrap(), Ended::Shutdown);
    assert_eq!(server.counts().served, 2);
}
