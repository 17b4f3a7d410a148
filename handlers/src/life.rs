//! The three steps of every handler, in their order, whatever fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use socketserver_core::{HandlerError, HandlerResult};

/// Runs the steps on `state`: `finish` comes after `handle` failed or panicked too, and not at all
/// after `setup` did.
pub(crate) fn run<S>(
    state: &mut S,
    setup: impl FnOnce(&mut S) -> HandlerResult,
    handle: impl FnOnce(&mut S) -> HandlerResult,
    finish: impl FnOnce(&mut S) -> HandlerResult,
) -> HandlerResult {
    setup(state)?;
    let handled = guarded(|| handle(state));
    let finished = guarded(|| finish(state));
    both(handled, finished)
}

/// Runs a step and makes a failure of its panic.
///
/// After a panic the handler only gets to finish; whether it can cope with what it left half done is
/// its own affair, as after an error.
pub(crate) fn guarded(step: impl FnOnce() -> HandlerResult) -> HandlerResult {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|payload| Err(HandlerError::panicked(payload)))
}

/// The later failure, with the earlier one as its context.
pub(crate) fn both(earlier: HandlerResult, later: HandlerResult) -> HandlerResult {
    match (earlier, later) {
        (Err(earlier), Err(later)) => Err(later.with_context(earlier)),
        (earlier, later) => earlier.and(later),
    }
}
