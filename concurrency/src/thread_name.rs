//! How a strategy's threads are named, and how large their stacks are.

use std::borrow::Cow;
use std::fmt::Display;
use std::thread;

/// A NUL would end the name for the system, and the standard library panics at one: left out.
pub(crate) fn without_nul(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.contains('\0') { Cow::Owned(name.replace('\0', "")) } else { name }
}

/// The thread of this number, with a stack of so many bytes if that was set.
pub(crate) fn builder(name: &str, number: impl Display, stack: Option<usize>) -> thread::Builder {
    let builder = thread::Builder::new().name(format!("{name}-{number}"));
    match stack {
        Some(bytes) => builder.stack_size(bytes),
        None => builder,
    }
}
