//! The layers that play scenarios: the catalogue against records and against CPython itself, and what is generated.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::progress::Progress;
use super::teams::{Team, Teams};
use super::{Failure, Options};
use crate::catalogue::Entry;
use crate::compare::{Difference, Verdict, show};
use crate::differential::{self, Plan};
use crate::divergence::{self, Divergence, Rules};
use crate::golden::{self, Golden};
use crate::judge::Both;
use crate::results::{Case, Layer, Results};
use crate::subject::{Played, Subject, SubjectError};

/// Plays the catalogue here once, and compares it with what was recorded and with every CPython.
pub(super) fn golden_and_live(
    options: &Options,
    teams: &Teams<'_>,
    progress: &Progress,
    results: &mut Results,
) -> Result<(), Failure> {
    let golden = options.wants(Layer::Golden);
    let live = options.wants(Layer::Live) && !teams.interpreters.is_empty();
    if !golden && !live {
        return Ok(());
    }
    let entries = options.entries()?;
    progress.begin("catalogue", entries.len());
    let records = Golden::load(&golden::folder())?;
    let known = Known::new(&divergence::load()?, &records, teams)?;
    if golden {
        results.faults.extend(records.faults.iter().cloned());
    }
    let cases: Result<Vec<Vec<Case>>, SubjectError> = in_parallel(options, || {
        entries
            .par_iter()
            .map(|entry| {
                let cases = teams.with(|team| {
                    let mut cases = Vec::new();
                    let (here, time) = timed(|| team.here.play(&entry.scenario))?;
                    if golden {
                        cases.push(known.against_record(entry, &here, time, &records));
                    }
                    if live {
                        cases.extend(known.against_cpythons(entry, &here, team)?);
                    }
                    Ok(cases)
                });
                progress.step();
                cases
            })
            .collect()
    })?;
    results.cases.extend(cases?.into_iter().flatten());
    Ok(())
}

/// The rules for what was recorded, and for each CPython.
struct Known {
    recorded: Rules,
    live: Vec<Rules>,
}

impl Known {
    fn new(entries: &[Divergence], records: &Golden, teams: &Teams<'_>) -> Result<Self, Failure> {
        let version = records.version().ok_or("the records are not of one version of CPython")?;
        let rules = |version: &str| Rules::new(entries, version);
        let live = teams.interpreters.iter().map(|it| rules(&it.version)).collect();
        Ok(Self { recorded: rules(version), live })
    }

    fn against_record(
        &self,
        entry: &Entry,
        here: &Played,
        time: Duration,
        records: &Golden,
    ) -> Case {
        if let Some((version, recorded)) = records.find(entry) {
            let oracle = format!("recorded from {version}");
            let both = Both { scenario: &entry.scenario, theirs: recorded, ours: here };
            return both.case(Layer::Golden, &entry.name, oracle, &self.recorded, time);
        }
        let nothing = Played::Unsupported("not recorded".to_owned());
        let oracle = "no record".to_owned();
        let both = Both { scenario: &entry.scenario, theirs: &nothing, ours: here };
        let mut case = both.case(Layer::Golden, &entry.name, oracle, &self.recorded, time);
        case.verdict = Verdict::New(Difference {
            cpython: String::new(),
            here: here.trace().map(show).unwrap_or_default(),
            expected: "a record of what CPython does".to_owned(),
        });
        case
    }

    fn against_cpythons(
        &self,
        entry: &Entry,
        here: &Played,
        team: &mut Team,
    ) -> Result<Vec<Case>, SubjectError> {
        let mut cases = Vec::new();
        for (cpython, rules) in team.cpythons.iter_mut().zip(&self.live) {
            let (theirs, time) = timed(|| cpython.play(&entry.scenario))?;
            let oracle = cpython.version().to_owned();
            let both = Both { scenario: &entry.scenario, theirs: &theirs, ours: here };
            cases.push(both.case(Layer::Live, &entry.name, oracle, rules, time));
        }
        Ok(cases)
    }
}

fn timed<T>(play: impl FnOnce() -> Result<T, SubjectError>) -> Result<(T, Duration), SubjectError> {
    let start = Instant::now();
    play().map(|played| (played, start.elapsed()))
}

/// Runs with as many threads as there are jobs.
pub(super) fn in_parallel<T: Send>(
    options: &Options,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs.max(1)).build()?;
    Ok(pool.install(work))
}

/// Generates scenarios, and plays each here and by one CPython after another.
pub(super) fn differential(
    options: &Options,
    teams: &Teams<'_>,
    progress: &Progress,
    results: &mut Results,
) -> Result<(), Failure> {
    let (strategies, transports) = options.combinations();
    if !options.wants(Layer::Differential) || strategies.is_empty() || options.cases == 0 {
        return Ok(());
    }
    let entries = divergence::load()?;
    for (number, interpreter) in teams.interpreters.iter().enumerate() {
        progress.begin("generated scenarios", options.cases as usize);
        let rules = Rules::new(&entries, &interpreter.version);
        let (stop, found) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let parts = u32::try_from(options.jobs.max(1))?.min(options.cases);
        let ran: Result<Vec<()>, SubjectError> = in_parallel(options, || {
            (0..parts)
                .into_par_iter()
                .map(|part| {
                    let plan = Plan {
                        cases: share(options.cases, part, parts),
                        seed: results.seed,
                        part,
                        strategies: strategies.clone(),
                        transports: transports.clone(),
                    };
                    teams.with(|team| {
                        let Team { here, cpythons } = team;
                        let keep = |case| {
                            found.lock().unwrap_or_else(PoisonError::into_inner).push(case);
                            progress.step();
                        };
                        differential::run(&plan, &mut cpythons[number], here, &rules, &stop, &keep)
                    })
                })
                .collect()
        })?;
        ran?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.cases.extend(found);
    }
    Ok(())
}

/// How many of the cases are this part's.
const fn share(cases: u32, part: u32, parts: u32) -> u32 {
    cases / parts + if part < cases % parts { 1 } else { 0 }
}
