//! The scenarios that are always played: every strategy × transport × driver × thing that can happen to a request, and
//! more for what needs a script of its own.

mod failures;
mod loops;
mod scripts;

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use crate::scenario::{
    HandlerKind, Op, Options, Scenario, Step, StopAt, Strategy, Transport, Verb,
};

/// A scenario with its name.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `strategy/transport/driver/what`.
    pub name: String,
    /// What is played.
    pub scenario: Scenario,
}

/// How the server is driven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Driver {
    HandleRequest,
    ServeForever,
}

impl Driver {
    const ALL: [Self; 2] = [Self::HandleRequest, Self::ServeForever];

    /// What it takes to go through so many turns.
    fn turns(self, turns: usize) -> Vec<Verb> {
        match self {
            Self::HandleRequest => vec![Verb::HandleRequest; turns.max(1)],
            Self::ServeForever => vec![Verb::ServeForever(StopAt::Turns(turns))],
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HandleRequest => "handle_request",
            Self::ServeForever => "serve_forever",
        })
    }
}

/// All scenarios, in the order of their names' parts.
pub fn catalogue() -> Vec<Entry> {
    let mut entries = Vec::new();
    for strategy in Strategy::ALL {
        for transport in Transport::ALL {
            for driver in Driver::ALL {
                let plain = plain(strategy, transport, driver);
                let made =
                    failures::all(&plain, driver).into_iter().chain(scripts::all(&plain, driver));
                entries.extend(made.map(|(what, scenario)| Entry {
                    name: format!("{strategy}/{transport}/{driver}/{what}"),
                    scenario,
                }));
            }
        }
    }
    entries
}

/// Whether there is a scenario of this name.
pub fn has(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<String>> =
        LazyLock::new(|| catalogue().into_iter().map(|entry| entry.name).collect());
    NAMES.contains(name)
}

/// One client sends a line before the server is driven, gets it back, and that is all.
fn plain(strategy: Strategy, transport: Transport, driver: Driver) -> Scenario {
    Scenario {
        transport,
        strategy,
        handler: HandlerKind::Files,
        // Nothing should take that long.
        options: Options { timeout: Some(5000), poll_interval: Some(10), ..Options::default() },
        drive: driver.turns(1),
        acts: Vec::new(),
        handle: vec![Op::ReadLine, Op::Reply],
        script: vec![Step::Connect(0), Step::Send(0, "hi\n".to_owned()), Step::Drive],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_to_be_known() {
        assert!(has("thread_per_request/unix_datagram/serve_forever/handler_error"));
        for name in [
            "",
            "synchronous/tcp/handle_request",
            "synchronous/tcp/handle_request/normal/more",
            "synchronous/tcp/handle_request/",
            "synchronous/tcp/handle_request/Normal",
            "threading/tcp/handle_request/normal",
            "synchronous/stream/handle_request/normal",
            "synchronous/tcp/run/normal",
            // Well formed, but there is none.
            "synchronous/tcp/handle_request/no_such_scenario",
        ] {
            assert!(!has(name), "{name:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        let entries = catalogue();
        let names: HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
        assert_eq!(names.len(), entries.len());
    }

    #[test]
    fn every_case_is_there_for_every_strategy_of_cpython_and_every_transport() {
        // 3 strategies, 4 transports, 2 drivers, 23 things that can happen; a synchronous server starts nothing that
        // could fail to start, and two of the hooks belong to one driver each.
        let count = catalogue()
            .iter()
            .filter(|entry| {
                matches!(
                    entry.scenario.strategy,
                    Strategy::Synchronous | Strategy::ThreadPerRequest | Strategy::Fork
                ) && failures::NAMES.contains(&entry.name.rsplit('/').next().unwrap_or_default())
            })
            .count();
        assert_eq!(count, 3 * 4 * (2 * 23 - 2) - 4 * 2);
    }
}
