//! A stop returns, wherever it comes from and whatever the handlers do: every position with every strategy. One that hangs
//! is named by a watchdog.

#![cfg(test)]

mod clients;
mod exhausted;
mod hooks;
mod obey;
#[cfg(unix)]
mod signal;
mod stuck;
mod subject;
mod threads;

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use subject::{SUBJECTS, Subject};

/// No step takes this long: what waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing takes this long: what takes longer hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A deadline that is meant to pass.
const SHORT: Duration = Duration::from_millis(50);

/// Tries one position with all servers.
fn everywhere(position: &str, play: fn(&Subject)) {
    for subject in SUBJECTS {
        let name = format!("{position}, {}", subject.name);
        println!("{name}");
        let (done, awaited) = channel();
        let thread = thread::spawn(move || {
            play(subject);
            done.send(())
        });
        match awaited.recv_timeout(WATCHDOG) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("{name}: it hangs"),
            Err(RecvTimeoutError::Disconnected) => {
                // It has printed why.
                if let Err(payload) = thread.join() {
                    resume_unwind(payload);
                }
            }
        }
    }
}

/// Waits for a state that has to come; the watchdog ends it if it does not.
fn wait_for(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}
