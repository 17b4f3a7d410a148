//! What is played: which workloads with which subjects, how often and how long.

use std::fmt;
use std::time::Duration;

use crate::Outcome;
use crate::child::missing;
use crate::subject::{self, Subject};
use crate::workload::Workload;

/// How thorough it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Before it is measured, once all clients have had an answer.
    pub(crate) warm_up: Duration,
    pub(crate) measure: Duration,
    /// Threads of the clients.
    pub(crate) threads: usize,
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (warm_up, measure) = (self.warm_up.as_millis(), self.measure.as_millis());
        write!(
            f,
            "{} rounds, in each {measure} ms measured after {warm_up} ms of warm-up; clients in {} thread(s)",
            self.rounds, self.threads
        )
    }
}

/// What was chosen on the command line; nothing means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) workloads: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) peers: Vec<String>,
}

/// Workloads whose rounds are interleaved, and who plays them.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) cells: Vec<(Workload, &'static Subject)>,
}

/// All of it, and who is left out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) blocks: Vec<Block>,
    pub(crate) notices: Vec<String>,
}

/// The workloads of a full run, or of a quick one; those in one list are compared with each other.
fn workloads(quick: bool) -> Vec<Vec<Workload>> {
    let echo: &[usize] = if quick { &[1, 64, 1024] } else { &[1, 16, 64, 256, 1024, 4096] };
    let idle: &[usize] = if quick { &[0, 2000] } else { &[0, 1000, 10_000] };
    let memory = if quick { 2000 } else { 10_000 };
    let mut all: Vec<Vec<Workload>> =
        echo.iter().map(|connections| vec![Workload::Echo { connections: *connections }]).collect();
    all.extend([
        vec![Workload::Mixed { one_in: 1000 }],
        vec![Workload::Mixed { one_in: 100 }],
        vec![Workload::Connect],
        vec![Workload::Udp { window: 1 }],
        vec![Workload::Udp { window: 8 }],
        vec![Workload::Unix],
        vec![Workload::IdleMemory { connections: memory }],
        idle.iter().map(|idle| Workload::Accept { idle: *idle }).collect(),
        vec![Workload::Stop { connections: 0 }],
        vec![Workload::Stop { connections: 64 }],
    ]);
    all
}

impl Plan {
    /// Who plays what.
    ///
    /// # Errors
    ///
    /// A word that means nothing.
    pub(crate) fn new(quick: bool, choice: &Choice) -> Outcome<Self> {
        Self::with(quick, choice, missing)
    }

    fn with(
        quick: bool,
        choice: &Choice,
        missing: impl Fn(&Subject) -> Option<String>,
    ) -> Outcome<Self> {
        let known = workloads(quick);
        let mut lists = known.clone();
        if !choice.workloads.is_empty() {
            for word in &choice.workloads {
                if !known.iter().flatten().any(|workload| workload.is_meant_by(word)) {
                    // Any number can be asked for by name.
                    lists.push(vec![word.parse()?]);
                }
            }
            for list in &mut lists {
                list.retain(|workload| {
                    choice.workloads.iter().any(|word| workload.is_meant_by(word))
                });
            }
        }
        let chosen = chosen(choice)?;
        let mut notices = Vec::new();
        let mut there = Vec::new();
        for subject in chosen {
            match missing(subject) {
                None => there.push(subject),
                Some(why) => notices.push(format!("{} is left out: {why}", subject.name)),
            }
        }
        let blocks = lists.into_iter().map(|list| Block { cells: cells(&list, &there) });
        let blocks = blocks.filter(|block| !block.cells.is_empty()).collect();
        Ok(Self { blocks, notices })
    }

    /// How many rounds of single subjects there are.
    pub(crate) fn cells(&self) -> usize {
        self.blocks.iter().map(|block| block.cells.len()).sum()
    }
}

/// A chosen word is a name, or what names begin with: `cpython`.
fn chosen(choice: &Choice) -> Outcome<Vec<&'static Subject>> {
    let means = |word: &String, subject: &Subject| subject.name.starts_with(word.as_str());
    for (words, ours) in [(&choice.subjects, true), (&choice.peers, false)] {
        let of_side = || subject::ALL.iter().filter(|subject| subject.is_ours() == ours);
        if let Some(word) = words.iter().find(|word| !of_side().any(|subject| means(word, subject)))
        {
            let names: Vec<_> = of_side().map(|subject| subject.name).collect();
            return Err(format!("{word} is none of: {}", names.join(", ")).into());
        }
    }
    let is_chosen = |subject: &&Subject| {
        let words = if subject.is_ours() { &choice.subjects } else { &choice.peers };
        words.is_empty() || words.iter().any(|word| word == subject.name || means(word, subject))
    };
    Ok(subject::ALL.iter().filter(is_chosen).collect())
}

fn cells(list: &[Workload], subjects: &[&'static Subject]) -> Vec<(Workload, &'static Subject)> {
    let mut cells = Vec::new();
    for workload in list {
        let players = subjects.iter().filter(|subject| subject.plays(*workload));
        cells.extend(players.map(|subject| (*workload, *subject)));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(choice: &Choice) -> Vec<String> {
        let plan = Plan::with(false, choice, |_| None).unwrap();
        let cells = plan.blocks.iter().flat_map(|block| &block.cells);
        cells.map(|(workload, subject)| format!("{workload} {}", subject.name)).collect()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_is_chosen_is_played() {
        let choice = Choice {
            workloads: words(&["udp-1", "echo-3"]),
            subjects: words(&["sync", "pool"]),
            peers: words(&["recv", "epoll"]),
        };
        assert_eq!(
            names(&choice),
            [
                "udp-1 pool",
                "udp-1 sync",
                "udp-1 recvfrom",
                "udp-1 recvmmsg",
                "echo-3 pool",
                "echo-3 epoll"
            ]
        );
    }

    #[test]
    fn all_of_it_unless_chosen() {
        let all = names(&Choice::default());
        assert!(all.contains(&"accept-10000 pool".to_owned()));
        assert!(all.len() > 100, "{}", all.len());
    }

    #[test]
    fn nonsense_is_refused_and_what_is_missing_is_said() {
        for choice in [
            Choice { workloads: words(&["nothing"]), ..Choice::default() },
            Choice { peers: words(&["pool"]), ..Choice::default() },
            Choice { subjects: words(&["epoll"]), ..Choice::default() },
        ] {
            assert!(Plan::with(true, &choice, |_| None).is_err(), "{choice:?}");
        }
        let none = |subject: &Subject| (subject.name == "go").then(|| "not here".to_owned());
        let plan = Plan::with(true, &Choice::default(), none).unwrap();
        assert_eq!(plan.notices, ["go is left out: not here"]);
    }
}
