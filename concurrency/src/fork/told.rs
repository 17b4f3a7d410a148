//! What the parent is told of children that have ended, and what a child's end says.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use socketserver_core::Finished;

use super::{ChildExit, sys};

/// Calls `hook` for each. A panic of it goes on when all have been told.
pub(crate) fn tell(hook: Option<&(dyn Fn(ChildExit) + Send + Sync)>, ended: Vec<ChildExit>) {
    let Some(hook) = hook else { return };
    let mut panic = None;
    for child in ended {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(child))) {
            panic.get_or_insert(payload);
        }
    }
    // During another panic a second one would abort.
    if let Some(payload) = panic.filter(|_| !std::thread::panicking()) {
        resume_unwind(payload);
    }
}

/// The exit code of a child.
pub(super) fn exit_code(finished: &Finished) -> u8 {
    match finished {
        Finished::Served | Finished::Refused => 0,
        Finished::Exited(exit) => exit.code(),
        Finished::HookPanicked(_) => sys::PANICKED,
        _ => 1,
    }
}
