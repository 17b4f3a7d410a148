//! Stopping: from anywhere, at any time; who waits is released; no stop harms a later run.

use std::io;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::{server, server_of, sleepy};
use socketserver_core::testing::{Act, Hook, RecordingService};
use socketserver_core::{Ended, ServeError, ShutdownError, StopOrder};

#[test]
fn a_stop_before_the_start_sticks() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    let stop = server.shutdown_handle();
    assert!(!stop.is_requested());
    assert_eq!(stop.request(), StopOrder::Kept);
    assert!(stop.is_requested());
    script.request("one");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!((script.waits(), script.backlog()), (0, 1));
    assert!(!stop.is_requested());
}

#[test]
fn a_stop_right_after_the_start_of_the_thread_always_ends_it() {
    for _ in 0..200 {
        let (server, _, _) = server(RecordingService::new());
        let mut server = server.with_config(sleepy());
        let stop = server.shutdown_handle();
        let thread = thread::spawn(move || server.serve_forever());
        assert_ne!(stop.shutdown().unwrap(), StopOrder::TooLate);
        assert!(matches!(thread.join().unwrap(), Ok(Ended::Shutdown)));
    }
}

#[test]
fn waiting_for_a_server_that_never_serves_returns_at_once() {
    let (server, _, _) = server(RecordingService::new());
    assert_eq!(server.shutdown_handle().shutdown(), Ok(StopOrder::Kept));
}

#[test]
fn a_late_second_stop_does_not_harm_the_next_run() {
    let service = RecordingService::new().with(Hook::FinishRequest, 1, Act::Stop);
    let (server, script, _) = server(service);
    let mut server = server.with_config(sleepy());
    let stop = server.shutdown_handle();
    stop.request();
    server.serve_forever().unwrap();
    assert_eq!(stop.request(), StopOrder::TooLate);
    assert_eq!(stop.shutdown(), Ok(StopOrder::TooLate));
    script.request("one");
    server.serve_forever().unwrap();
    assert_eq!(server.counts().served, 1);
}

#[test]
fn a_first_stop_that_comes_between_two_runs_is_kept() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    let on_signal = server.shutdown_handle();
    server.shutdown_handle().request();
    server.serve_forever().unwrap();
    // Here the program reloads.
    assert_eq!(on_signal.request(), StopOrder::Kept);
    script.request("one");
    server.serve_forever().unwrap();
    assert_eq!(script.backlog(), 1);
    assert_eq!(on_signal.clone().request(), StopOrder::TooLate, "a repeat");
}

#[test]
fn who_waits_for_one_run_does_not_wait_for_the_next() {
    for _ in 0..50 {
        let (server, _, _) = server(RecordingService::new());
        let mut server = server.with_config(sleepy());
        let stop = server.shutdown_handle();
        let thread = thread::spawn(move || {
            server.serve_forever().unwrap();
            server.serve_forever().unwrap();
        });
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                thread::spawn(move || stop.shutdown())
            })
            .collect();
        for caller in callers {
            caller.join().unwrap().unwrap();
        }
        // Some stop may have come when the second run was on already: that one is over, too, then.
        while !thread.is_finished() {
            let _ = stop.request();
            thread::yield_now();
        }
        thread.join().unwrap();
    }
}

#[test]
fn a_handle_made_after_a_run_speaks_to_the_next() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    server.shutdown_handle().request();
    server.serve_forever().unwrap();
    assert_eq!(server.shutdown_handle().request(), StopOrder::Kept);
    script.request("one");
    server.serve_forever().unwrap();
    assert_eq!(script.backlog(), 1);
}

#[test]
fn an_old_handle_stops_a_run_in_progress() {
    let (server, script, _) = server(RecordingService::new());
    let mut server = server.with_config(sleepy());
    let stop = server.shutdown_handle();
    stop.request();
    server.serve_forever().unwrap();
    let thread = thread::spawn(move || server.serve_forever());
    script.await_idle();
    assert_eq!(stop.shutdown(), Ok(StopOrder::Delivered));
    thread.join().unwrap().unwrap();
}

#[test]
fn a_handler_that_outlives_its_run_cannot_stop_the_next() {
    let (sender, receiver) = mpsc::channel();
    let (server, script) = server_of(move |_request, server| {
        sender.send(server.clone())?;
        server.request_shutdown();
        Ok(())
    });
    let mut server = server.with_config(sleepy());
    script.request("one");
    server.serve_forever().unwrap();
    let handle = receiver.recv().unwrap();
    assert_eq!(handle.request_shutdown(), StopOrder::TooLate);
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.serve_forever());
    script.await_idle();
    assert_eq!(handle.request_shutdown(), StopOrder::TooLate);
    assert_eq!(handle.shutdown_handle().shutdown(), Ok(StopOrder::TooLate));
    stop.shutdown().unwrap();
    thread.join().unwrap().unwrap();
}

#[test]
fn a_handler_sees_that_its_run_is_stopping_or_over() {
    let (sender, receiver) = mpsc::channel();
    let (server, script) = server_of(move |_request, server| {
        let before = server.is_stopping();
        server.request_shutdown();
        sender.send((before, server.is_stopping(), server.clone()))?;
        Ok(())
    });
    let mut server = server.with_config(sleepy());
    script.request("one");
    server.serve_forever().unwrap();
    let (before, after, handle) = receiver.recv().unwrap();
    assert_eq!((before, after), (false, true));
    assert!(handle.is_stopping(), "the run is over");
    assert!(!server.handle().is_stopping(), "the next run has not begun");
    server.close();
    assert!(server.handle().is_stopping());
}

#[test]
fn a_closed_server_cannot_be_stopped_but_an_order_from_before_is_honoured() {
    let (mut server, _, _) = server(RecordingService::new());
    let stop = server.shutdown_handle();
    stop.request();
    server.close();
    assert_eq!(stop.request(), StopOrder::TooLate);
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert!(matches!(server.serve_forever(), Err(ServeError::Closed)));
}

#[test]
fn all_callers_are_released_however_the_loop_ends() {
    for ending in ["stop", "error", "panic", "exit"] {
        let start = Arc::new(Barrier::new(2));
        let gate = Arc::clone(&start);
        let (server, script) = server_of(move |_request, _server| {
            gate.wait();
            gate.wait();
            match ending {
                "panic" => std::panic::panic_any("out of the handler"),
                "exit" => Err(socketserver_core::HandlerError::exit(1)),
                _ => Ok(()),
            }
        });
        let mut server = server.with_config(sleepy());
        script.request("one");
        if ending == "error" {
            script.break_wait(io::Error::other("deaf"));
        }
        let stop = server.shutdown_handle();
        let thread = thread::spawn(move || server.serve_forever().map_err(|e| e.to_string()));
        start.wait();
        let (ready, readiness) = mpsc::channel();
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (stop, ready) = (stop.clone(), ready.clone());
                thread::spawn(move || {
                    ready.send(()).unwrap();
                    stop.shutdown()
                })
            })
            .collect();
        for _ in &callers {
            readiness.recv().unwrap();
        }
        start.wait();
        for caller in callers {
            caller.join().unwrap().unwrap();
        }
        // With eight orders given the loop is over; how it ended depends on who was first.
        drop(thread.join().unwrap());
    }
}

#[test]
fn callers_are_released_by_the_panic_of_a_hook() {
    let service = RecordingService::new().with(Hook::ServiceActions, 1, Act::Panic);
    let (mut server, script, _) = server(service);
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.serve_forever());
    assert!(stop.shutdown().is_ok());
    // Either the stop came first or the panic did; in both cases nobody hangs.
    drop(thread.join());
    assert!(script.waits() <= 1);
}

#[test]
fn the_serving_thread_cannot_wait_for_itself_but_stops() {
    let (sender, receiver) = mpsc::channel();
    let (mut server, script) = server_of(move |_request, server| {
        sender.send(server.shutdown_handle().shutdown())?;
        Ok(())
    });
    script.request("one").request("two");
    assert!(matches!(server.serve_forever(), Ok(Ended::Shutdown)));
    assert_eq!(receiver.recv().unwrap(), Err(ShutdownError::FromServingThread));
    assert_eq!(script.backlog(), 1);
}

#[test]
fn waiting_ends_at_its_own_timeout_and_the_stop_stands() {
    let gate = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&gate);
    let (mut server, script) = server_of(move |_request, _server| {
        inside.wait();
        inside.wait();
        Ok(())
    });
    script.request("one").request("two");
    let stop = server.shutdown_handle();
    let thread = thread::spawn(move || server.serve_forever());
    gate.wait();
    let waited = stop.shutdown_timeout(Duration::from_millis(1));
    assert_eq!(waited, Err(ShutdownError::TimedOut));
    gate.wait();
    assert!(matches!(thread.join().unwrap(), Ok(Ended::Shutdown)));
    assert_eq!(script.backlog(), 1);
}
