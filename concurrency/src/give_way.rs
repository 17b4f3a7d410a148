//! The serving thread lets those run first for whom it has work: when there is much to do it then has several requests to take
//! at once, and wakes nobody; when there is little it is over at once.

use std::thread;

use socketserver_core::AfterBatch;

/// So often others run first.
const TIMES: u32 = 2;

/// Lets other threads run until a `look` shows that what is waited for `is_done`, but not for long. Gives the last look.
pub(crate) fn give_way<L>(look: impl Fn() -> L, is_done: impl Fn(&L) -> bool) -> L {
    for _ in 1..TIMES {
        thread::yield_now();
        let seen = look();
        if is_done(&seen) {
            return seen;
        }
    }
    thread::yield_now();
    look()
}

/// Lets other threads run if there is work `left` that they have not taken up yet.
pub(crate) fn let_take_up(left: impl Fn() -> usize) -> AfterBatch {
    if left() > 0 && give_way(left, |left| *left == 0) == 0 {
        AfterBatch::Again
    } else {
        AfterBatch::Wait
    }
}
