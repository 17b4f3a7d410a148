//! Which scenarios, and which versions of CPython, an entry is about.

use serde::Deserialize;

use crate::scenario::{Act, HandlerKind, Scenario, Step, Strategy, Transport};

/// Which scenarios show a difference. What is not given can be anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// One of these acts is done, as in `verify_request!panic`.
    act: Vec<String>,
    /// The strategy is one of these.
    strategy: Vec<Strategy>,
    /// The transport is one of these.
    transport: Vec<Transport>,
    /// The handler is this one.
    handler: Option<HandlerKind>,
    /// Some client has no name.
    unnamed_client: bool,
    /// Whether `handle` writes anything.
    replies: Option<bool>,
    /// The handler asks for `TCP_NODELAY`.
    no_nagle: bool,
}

/// Whom an entry is about.
#[derive(Clone, Debug)]
pub(super) struct Concerned {
    pub(super) requests: Vec<usize>,
    pub(super) clients: Vec<usize>,
}

impl When {
    /// Whether the scenario is one of them.
    pub fn holds(&self, scenario: &Scenario) -> bool {
        let unnamed = || scenario.script.iter().any(|step| matches!(step, Step::ConnectUnnamed(_)));
        (self.act.is_empty() || scenario.acts.iter().any(|act| self.names(act)))
            && (self.strategy.is_empty() || self.strategy.contains(&scenario.strategy))
            && (self.transport.is_empty() || self.transport.contains(&scenario.transport))
            && self.handler.is_none_or(|handler| handler == scenario.handler)
            && (!self.unnamed_client || unnamed())
            && self.replies.is_none_or(|replies| replies == scenario.replies())
            && (!self.no_nagle || scenario.options.disable_nagle_algorithm)
    }

    fn names(&self, act: &Act) -> bool {
        let name = format!("{}!{}", act.hook, act.does);
        self.act.contains(&name)
    }

    /// The requests that meet one of the acts, and their clients; all, if this is not about acts.
    pub(super) fn concerned(&self, scenario: &Scenario) -> Option<Concerned> {
        if self.act.is_empty() {
            return None;
        }
        let acts = scenario.acts.iter().filter(|act| self.names(act));
        let requests: Vec<_> = acts.map(|act| act.at).collect();
        let clients = requests.iter().filter_map(|request| scenario.client_of(*request)).collect();
        Some(Concerned { requests, clients })
    }
}

type Version = (u32, u32);

/// The first version, and the first that is not meant any more.
pub(super) fn versions(text: &str) -> Option<(Version, Option<Version>)> {
    let (from, to) = match text.split_once(",<") {
        Some((from, to)) => (from, Some(minor(to)?)),
        None => (text, None),
    };
    Some((minor(from.strip_prefix(">=")?)?, to))
}

fn minor(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

/// Whether `CPython 3.11.7` is among `>=3.8,<3.12`.
pub(super) fn is_version(range: &str, version: &str) -> bool {
    let number = version.rsplit(' ').next().and_then(minor);
    match (versions(range), number) {
        (Some((from, to)), Some(number)) => from <= number && to.is_none_or(|to| number < to),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_version(">=3.8", "CPython 3.11.7"));
        assert!(is_version(">=3.8,<3.12", "CPython 3.11.7"));
        assert!(!is_version(">=3.8,<3.12", "CPython 3.12.0"));
        assert!(!is_version(">=3.12", "CPython 3.9.1"));
        assert!(!is_version("3.8", "CPython 3.8.1"), "not a range");
    }
}
