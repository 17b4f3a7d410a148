//! `--self-test`: every fault, and which layer caught it.

use std::path::Path;

use rayon::prelude::*;

use super::progress::Progress;
use super::teams::Teams;
use super::{Failure, Options, interpreters, layers, seed};
use crate::divergence::{self, Rules};
use crate::generate::drawn;
use crate::golden::{self, Golden};
use crate::scenario::Scenario;
use crate::self_test::{self, Caught, Layers, Replay};
use crate::subject::{Played, Subject, SubjectError};

/// Plays everything once, then goes through the faults. Says whether all were caught.
pub(super) fn run(options: &Options, harness: &Path) -> Result<bool, Failure> {
    let mut notices = Vec::new();
    let mut found = interpreters::find(options, &mut notices)?;
    // One is enough to show that something is caught.
    found.truncate(1);
    let records = Golden::load(&golden::folder())?;
    let version = records.version().ok_or("the records are not of one version of CPython")?;
    let rules = Rules::new(&divergence::load()?, version);
    let teams = Teams::new(harness, &found);
    let seed = seed(options);
    let generated = if found.is_empty() { Vec::new() } else { drawn(seed, options.cases as usize) };
    let progress = Progress::new();

    let mut sound = Replay::default();
    let mut layers = Layers::default();
    let entries = options.entries()?;
    progress.begin("catalogue", entries.len());
    let scenarios: Vec<&Scenario> = entries.iter().map(|entry| &entry.scenario).collect();
    let shown = play(options, &teams, &scenarios, &progress, false)?;
    for (entry, (here, _)) in entries.iter().zip(shown) {
        if let Some((_, theirs)) = records.find(entry) {
            layers.golden.push((entry.clone(), theirs.clone()));
            sound.remember(entry.scenario.clone(), here);
        }
    }
    progress.begin("generated scenarios", generated.len());
    let scenarios: Vec<&Scenario> = generated.iter().collect();
    let shown = play(options, &teams, &scenarios, &progress, true)?;
    for (scenario, (here, theirs)) in generated.iter().zip(shown) {
        layers.differential.extend(theirs.map(|theirs| (scenario.clone(), theirs)));
        sound.remember(scenario.clone(), here);
    }
    progress.end();

    let caught = self_test::run(&layers, &rules, &mut sound)?;
    println!("{}", self_test::table(&caught));
    for notice in notices {
        println!("notice: {notice}");
    }
    let missed = caught.iter().filter(|fault| !fault.is_caught()).count();
    println!("{} faults, {missed} not caught; seed {seed}", caught.len());
    Ok(caught.iter().all(Caught::is_caught))
}

type Shown = (Played, Option<Played>);

/// Plays scenarios here, and by a CPython if that is wanted.
fn play(
    options: &Options,
    teams: &Teams<'_>,
    scenarios: &[&Scenario],
    progress: &Progress,
    by_cpython: bool,
) -> Result<Vec<Shown>, Failure> {
    let shown: Result<Vec<Shown>, SubjectError> = layers::in_parallel(options, || {
        scenarios
            .par_iter()
            .map(|scenario| {
                let shown = teams.with(|team| {
                    let here = team.here.play(scenario)?;
                    let theirs = match team.cpythons.first_mut() {
                        Some(cpython) if by_cpython => Some(cpython.play(scenario)?),
                        _ => None,
                    };
                    Ok((here, theirs))
                });
                progress.step();
                shown
            })
            .collect()
    })?;
    Ok(shown?)
}
