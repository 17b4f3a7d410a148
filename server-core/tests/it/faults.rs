//! What fails in a transport, at any call and at any time; and connections in memory, whose clients and server end them.

use std::io;
use std::time::Duration;

use socketserver_core::testing::{
    Call, Faulty, Inline, RecordingService, ScriptedRequest, ScriptedTransport, VirtualClock,
};
use socketserver_core::{
    CutReason, Drain, Ended, GetRequestError, Handled, PollInterval, Request, ServeError, Server,
    ServerConfig, Transport, Wait,
};

use crate::support::{server, server_of};

const MS: Duration = Duration::from_millis(1);

#[expect(clippy::unnecessary_wraps, reason = "what the transport asks for")]
fn failed(error: io::Error) -> Option<GetRequestError> {
    Some(GetRequestError::Failed(error))
}

/// Which of so many calls of `local_addr` fail.
fn pattern(seed: u64, calls: usize) -> Vec<bool> {
    let transport = Faulty::new(ScriptedTransport::new(), failed);
    transport.faults().sometimes(Call::LocalAddr, 3, seed, || io::ErrorKind::Other.into());
    (0..calls).map(|_| transport.local_addr().is_err()).collect()
}

#[test]
fn chance_is_the_same_for_the_same_seed_and_about_as_often_as_said() {
    assert_eq!(pattern(7, 300), pattern(7, 300));
    assert_ne!(pattern(7, 300), pattern(8, 300));
    let failed = pattern(7, 300).into_iter().filter(|failed| *failed).count();
    assert!((60..140).contains(&failed), "{failed}");
}

#[test]
fn a_fault_hits_its_call_and_no_other_and_the_request_stays() {
    let inside = ScriptedTransport::new();
    let script = inside.script();
    script.request("one");
    let transport = Faulty::new(inside, failed);
    let faults = transport.faults();
    faults.next(Call::GetRequest, || io::ErrorKind::ConnectionAborted.into());
    assert!(transport.wait(Wait::for_request()).is_ok() && transport.local_addr().is_ok());
    assert!(matches!(transport.get_request(), Err(GetRequestError::Failed(_))));
    assert_eq!((faults.injected(), script.backlog()), (1, 1));
    assert!(transport.get_request().is_ok());
    faults.next(Call::Wait, || io::ErrorKind::Other.into()).stop();
    assert!(transport.wait(Wait::for_request().timeout(Some(MS))).is_ok());
    assert!(faults.await_injected(1));
}

#[test]
fn a_wait_can_break_at_any_time() {
    let clock = VirtualClock::install();
    let (server, script, calls) = server(RecordingService::new());
    let every = PollInterval::Every(10 * MS);
    let mut server = server.with_config(ServerConfig::new().poll_interval(every));
    script.request_at(12 * MS, "one").break_wait_at(25 * MS, io::ErrorKind::OutOfMemory.into());
    let ended = server.serve_forever();
    assert!(
        matches!(ended, Err(ServeError::Wait(error)) if error.kind() == io::ErrorKind::OutOfMemory)
    );
    assert_eq!((clock.elapsed(), calls.hooks().as_str()), (25 * MS, "SA VR FR SR CR SA SA"));
}

#[test]
fn a_fault_at_each_call_in_turn_loses_no_request() {
    for place in 0..6 {
        let inside = ScriptedTransport::new();
        let script = inside.script();
        for name in ["a", "b", "c"] {
            script.request(name);
        }
        let transport = Faulty::new(inside, failed);
        let faults = transport.faults();
        let mut server = Server::new(transport, Inline, RecordingService::new())
            .with_config(ServerConfig::new().timeout(Duration::ZERO));
        let call = if place % 2 == 0 { Call::Wait } else { Call::GetRequest };
        for turn in 0..4 {
            if turn == place / 2 {
                faults.next(call, || io::ErrorKind::Other.into());
            }
            let handled = server.handle_request();
            let hit = turn == place / 2;
            assert_eq!(matches!(handled, Ok(Handled::Served)), !hit, "{place} {turn}");
        }
        let counts = server.counts();
        assert_eq!((counts.served, counts.in_progress(), script.backlog()), (3, 0, 0), "{place}");
    }
}

#[test]
fn a_scripted_connection_is_received_from_counted_and_listed() {
    let (mut server, script) = server_of(|request: &mut ScriptedRequest, server| {
        assert_eq!(request.receive()?, 3);
        let [info] = &server.connections()[..] else { panic!("one is there") };
        assert_eq!((info.received, info.peer.as_str()), (3, "\"one\""));
        assert_eq!(request.receive()?, 0, "the client has hung up");
        Ok(())
    });
    let client = script.connect("one");
    client.send(3);
    client.hang_up();
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!((server.counts().served, server.counts().errors), (1, 0));
    assert!(server.handle().connections().is_empty() && client.cuts().is_empty());
    // One that is no connection is at its end.
    let (mut server, script) = server_of(|request: &mut ScriptedRequest, _| {
        assert!(request.as_watched().is_none() && request.watch().is_none());
        assert_eq!(request.receive()?, 0);
        Ok(())
    });
    script.request("two");
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(server.counts().errors, 0);
}

#[test]
fn a_scripted_connection_can_be_ended_and_what_was_sent_before_is_received() {
    let (mut server, script) = server_of(|request: &mut ScriptedRequest, server| {
        let watch = request.watch().ok_or("not watched")?;
        assert!(server.end_connection(watch.id()) && !server.end_connection(watch.id()));
        assert_eq!(request.receive()?, 2);
        request.receive().map(drop).map_err(Into::into)
    });
    let client = script.connect("one");
    client.send(2);
    assert!(matches!(server.handle_request(), Ok(Handled::Served)));
    assert_eq!(client.cuts(), [CutReason::Ended]);
    assert_eq!(server.counts().errors, 1, "the handler is told that it was not the client");
}

#[test]
fn a_server_whose_wait_is_broken_can_be_drained() {
    let (mut server, script, _) = server(RecordingService::new());
    script.break_wait(io::ErrorKind::Other.into()).request("left");
    assert!(matches!(server.serve_forever(), Err(ServeError::Wait(_))));
    assert!(server.drain(Drain::new()).is_clean());
    assert_eq!(script.backlog(), 1);
    assert!(!matches!(server.serve_forever(), Ok(Ended::Shutdown)));
}
