//! Changing who called what: the tools that faults are made with.

use crate::scenario::Hook;
use crate::trace::{Call, Trace};

/// Changes the calls of every actor; says whether any of it did something.
pub(super) fn each_actor(trace: &mut Trace, change: impl Fn(&mut Vec<Call>) -> bool) -> bool {
    let mut changed = change(&mut trace.main.0);
    for calls in trace.workers.values_mut() {
        changed |= change(&mut calls.0);
    }
    changed
}

/// Finds the first call of a hook that is as `is` says.
pub(super) fn find(calls: &[Call], hook: Hook, is: impl Fn(&Call) -> bool) -> Option<usize> {
    calls.iter().position(|call| call.is(hook) && is(call))
}

/// Any call.
pub(super) const fn any(_: &Call) -> bool {
    true
}

/// A call that fails on purpose.
pub(super) fn failing(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| note == "error" || note == "panic")
}

/// A call that asks to exit.
pub(super) fn exiting(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| note.starts_with("exit-"))
}

/// A call that refuses.
pub(super) fn refusing(call: &Call) -> bool {
    call.note.as_deref().is_some_and(|note| note.starts_with("refuse"))
}

/// Leaves out the first call of a hook.
pub(super) fn skip(calls: &mut Vec<Call>, hook: Hook) -> bool {
    skip_if(calls, hook, any)
}

/// Leaves out the first call of a hook that is as `is` says.
pub(super) fn skip_if(calls: &mut Vec<Call>, hook: Hook, is: impl Fn(&Call) -> bool) -> bool {
    let Some(place) = find(calls, hook, is) else { return false };
    calls.remove(place);
    true
}

/// Makes the first call of a hook twice.
pub(super) fn twice(calls: &mut Vec<Call>, hook: Hook) -> bool {
    let Some(place) = find(calls, hook, any) else { return false };
    calls.insert(place, calls[place].clone());
    true
}

/// Puts a call of `hook` after the call at `place`, for the same request.
pub(super) fn insert_after(calls: &mut Vec<Call>, place: usize, hook: Hook) {
    let call = Call::new(hook).of(calls[place].request);
    calls.insert(place + 1, call);
}

/// Makes two calls change places.
pub(super) fn swap(calls: &mut [Call], first: Hook, second: Hook) -> bool {
    let Some(first) = find(calls, first, any) else { return false };
    let Some(offset) = calls[first..].iter().position(|call| call.is(second)) else { return false };
    calls.swap(first, first + offset);
    true
}

/// Gives the first call that is as `is` says another note.
pub(super) fn renote(calls: &mut [Call], is: impl Fn(&Call) -> bool, note: Option<&str>) -> bool {
    let Some(call) = calls.iter_mut().find(|call| is(call)) else { return false };
    call.note = note.map(str::to_owned);
    true
}
