//! What becomes of the parent's handlers of signals in a child.

/// Whether a child keeps the handlers of `SIGTERM` and `SIGINT`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SignalHandlers {
    /// `SIGTERM` gets the default, which ends the child, and `SIGINT` is ignored; each only if it has a handler. What is
    /// ignored, or has the default, stays so.
    Reset,
    /// They stay.
    Inherited,
}

impl SignalHandlers {
    pub(crate) const fn inherited(inherit: bool) -> Self {
        if inherit { Self::Inherited } else { Self::Reset }
    }
}
