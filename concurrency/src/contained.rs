//! Running code whose panic must stay where it is.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code`; `None` when it panicked. The panic hook has printed it then.
pub(crate) fn contained<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // To drop it could unwind once more.
            let _ = ManuallyDrop::new(payload);
            None
        }
    }
}
