//! What can go wrong with a request.

use proptest::prelude::Strategy as Draw;
use proptest::sample::select;

use crate::scenario::{Act, Does, Hook, Strategy};

/// One thing, or two that meet, that go wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    acts: &'static [(Hook, Does)],
}

/// All of it. The first is the simplest, which shrinking tends to.
const TROUBLES: [&[(Hook, Does)]; 20] = [
    &[(Hook::Handle, Does::Error)],
    &[(Hook::VerifyRequest, Does::Refuse)],
    &[(Hook::Handle, Does::Panic)],
    &[(Hook::Handle, Does::Exit(7))],
    &[(Hook::Init, Does::Error)],
    &[(Hook::Setup, Does::Error)],
    &[(Hook::Setup, Does::Panic)],
    &[(Hook::Setup, Does::Exit(7))],
    &[(Hook::Finish, Does::Error)],
    &[(Hook::Finish, Does::Panic)],
    &[(Hook::Handle, Does::Error), (Hook::Finish, Does::Error)],
    &[(Hook::ProcessRequest, Does::Error)],
    &[(Hook::VerifyRequest, Does::RefuseByNone)],
    &[(Hook::VerifyRequest, Does::Error)],
    &[(Hook::VerifyRequest, Does::Panic)],
    &[(Hook::Handle, Does::Error), (Hook::HandleError, Does::Panic)],
    &[(Hook::ProcessRequest, Does::Error), (Hook::HandleError, Does::Panic)],
    &[(Hook::ShutdownRequest, Does::Panic)],
    &[(Hook::CloseRequest, Does::Panic)],
    &[(Hook::FinishRequest, Does::Error)],
];

pub(super) fn trouble() -> impl Draw<Value = Trouble> {
    select(&TROUBLES[..]).prop_map(|acts| Trouble { acts })
}

impl Trouble {
    /// The acts for this request.
    pub(super) fn acts(self, request: usize) -> impl Iterator<Item = Act> {
        self.acts.iter().map(move |&(hook, does)| Act { hook, at: request, does })
    }

    fn has(self, is: impl Fn(Hook, Does) -> bool) -> bool {
        self.acts.iter().any(|&(hook, does)| is(hook, does))
    }

    /// Whether the handler gets to read all it wants to.
    pub(super) fn lets_read(self) -> bool {
        self.has(|hook, _| {
            matches!(hook, Hook::Handle | Hook::Finish | Hook::ShutdownRequest | Hook::CloseRequest)
        })
    }

    /// Whether only what the handler says is concerned, so that a client gets to speak and is always answered.
    pub(super) fn is_after_all_was_said(self) -> bool {
        self.has(|hook, _| matches!(hook, Hook::Handle | Hook::Finish))
            && !self.has(|hook, does| {
                !matches!(hook, Hook::Handle | Hook::Finish) || matches!(does, Does::Exit(_))
            })
    }

    /// Whether it can be a matter of luck what comes of it.
    pub(super) fn is_luck(self, strategy: Strategy) -> bool {
        // CPython's parent meddles with the connection its child is using.
        strategy == Strategy::Fork && self.has(|hook, _| hook == Hook::CloseRequest)
    }
}
