//! Tests that fork, or start a server that does: not where every process has a thread that it did not start.

#![expect(clippy::print_stdout, reason = "a notice")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// Runs the tests, in the threads that the arguments say; with one it is the main thread.
pub(crate) fn run<const N: usize>(
    arguments: &Arguments,
    tests: [(&'static str, fn()); N],
) -> ExitCode {
    if !arguments.list && emulated() {
        println!("notice: the emulator has a thread of its own, so forking was left out");
        return ExitCode::SUCCESS;
    }
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok::<(), Failed>(())
        })
    });
    libtest_mimic::run(arguments, trials.into()).exit_code()
}

/// Whether a process that has started no thread has one: that of an emulator.
fn emulated() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1)
}
