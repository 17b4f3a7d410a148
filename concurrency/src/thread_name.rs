//! Names that a thread can have.

use std::borrow::Cow;

/// A NUL would end the name for the system, and the standard library panics at one: left out.
pub(crate) fn without_nul(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.contains('\0') { Cow::Owned(name.replace('\0', "")) } else { name }
}
