//! The command line.

use std::time::Duration;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    /// So many rounds instead of a time.
    pub(crate) rounds: Option<u64>,
    /// A fault that has to be found, to show that it would be.
    pub(crate) inject: Option<Fault>,
}

/// Something that is done once a round and is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// A descriptor is left open.
    Descriptor,
    /// A thread is left running.
    Thread,
    /// Memory is kept.
    Memory,
    /// A request is counted twice.
    Count,
    /// A round does not end.
    Hang,
}

const USAGE: &str = "usage: soak [--seconds N] [--seed S] [--rounds N] \
    [--inject descriptor|thread|memory|count|hang]";

impl Settings {
    /// A minute, with seed 1, unless told otherwise.
    pub(crate) fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut settings =
            Self { time: Duration::from_secs(60), seed: 1, rounds: None, inject: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            let number = value.parse().map_err(|_| USAGE);
            match name.as_str() {
                "--seconds" => settings.time = Duration::from_secs(number?),
                "--seed" => settings.seed = number?,
                "--rounds" => settings.rounds = Some(number?),
                "--inject" => settings.inject = Some(Fault::of(&value)?),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(settings)
    }
}

impl Fault {
    fn of(name: &str) -> Result<Self, String> {
        Ok(match name {
            "descriptor" => Self::Descriptor,
            "thread" => Self::Thread,
            "memory" => Self::Memory,
            "count" => Self::Count,
            "hang" => Self::Hang,
            _ => return Err(USAGE.to_owned()),
        })
    }
}
