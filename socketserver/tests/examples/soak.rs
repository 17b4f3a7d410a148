//! The soak finds what it looks for: a short one passes, and each fault that is put in fails.

use crate::program::{Program, example};

/// Runs it with this fault once a round, and says what it found.
fn soak_with(fault: &str, rounds: &str) -> String {
    let arguments = ["--seconds", "1", "--seed", "3", "--rounds", rounds, "--inject", fault];
    let (status, stdout, _) = Program::start(example("soak").args(arguments)).unwrap().wait();
    let shown = stdout.join("\n");
    assert_eq!(status.code(), Some(1), "{shown}");
    assert_eq!(stdout.last().map(String::as_str), Some("soak: FAILED, with seed 3"), "{shown}");
    shown
}

#[test]
fn a_short_one_passes() {
    let arguments = ["--seconds", "1", "--seed", "3", "--rounds", "3"];
    let (status, stdout, _) = Program::start(example("soak").args(arguments)).unwrap().wait();
    assert_eq!(status.code(), Some(0), "{}", stdout.join("\n"));
    assert_eq!(stdout.last().map(String::as_str), Some("soak: passed"));
}

#[test]
fn a_request_counted_twice_is_found() {
    let found = soak_with("count", "1");
    assert!(found.contains("soak: not all that came has left"), "{found}");
}

// Only there a process can read in /proc what it holds.
#[cfg(target_os = "linux")]
#[test]
fn a_descriptor_that_is_left_open_is_found() {
    let found = soak_with("descriptor", "1");
    assert!(found.contains("soak: leak: "), "{found}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_is_left_running_is_found() {
    let found = soak_with("thread", "1");
    assert!(found.contains("soak: leak: "), "{found}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_is_kept_is_found() {
    let found = soak_with("memory", "12");
    assert!(found.contains("soak: memory grew by "), "{found}");
}

#[test]
fn a_fault_is_found_however_long_it_is_to_take() {
    let arguments = ["--seconds", "18446744073709551615", "--inject", "count"];
    let (status, stdout, _) = Program::start(example("soak").args(arguments)).unwrap().wait();
    assert_eq!(status.code(), Some(1), "{}", stdout.join("\n"));
    assert_eq!(stdout.last().map(String::as_str), Some("soak: FAILED, with seed 1"));
}
