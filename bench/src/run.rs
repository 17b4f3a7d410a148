//! The rounds: every subject once in each, and in each in another order.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Outcome;
use crate::child::Child;
use crate::drive::drive;
use crate::load::{Idle, Phase, Shared, Tally};
use crate::measure::{Meter, user_memory};
use crate::plan::{Effort, Plan};
use crate::results::{Cell, Measure, Results, Sample};
use crate::serve::raise_descriptor_limit;
use crate::stats::real;
use crate::subject::Subject;
use crate::workload::Workload;

/// Plays all of it; `keep` is told what there is after each block, so that an end before the end loses little.
pub(crate) fn run(
    plan: &Plan,
    effort: &Effort,
    mut keep: impl FnMut(&Results) -> Outcome<()>,
) -> Outcome<Results> {
    raise_descriptor_limit()?;
    let bar = ProgressBar::new((plan.cells() * effort.rounds) as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed} [{bar:30}] {pos}/{len} {msg}")?);
    let mut results = Results::default();
    let start = Instant::now();
    for block in &plan.blocks {
        // Where there is no terminal for the bar, a line for each block tells that it goes on.
        if let (true, Some((workload, _))) = (bar.is_hidden(), block.cells.first()) {
            writeln!(io::stderr(), "{:>4} s: {workload}", start.elapsed().as_secs())?;
        }
        let first = results.cells.len();
        results.cells.extend(block.cells.iter().map(|(workload, subject)| Cell {
            workload: *workload,
            subject: subject.name.to_owned(),
            workers: subject.workers(*workload),
            rounds: Vec::new(),
        }));
        for round in 0..effort.rounds {
            for turn in 0..block.cells.len() {
                let at = (round + turn) % block.cells.len();
                let (workload, subject) = block.cells[at];
                bar.set_message(format!("{workload} {}", subject.name));
                let sample = play(subject, workload, effort)
                    .unwrap_or_else(|error| Sample::failed(&error.to_string()));
                results.cells[first + at].rounds.push(sample);
                bar.inc(1);
            }
        }
        keep(&results)?;
    }
    bar.finish_and_clear();
    Ok(results)
}

/// One round of one subject.
fn play(subject: &Subject, workload: Workload, effort: &Effort) -> Outcome<Sample> {
    let mut child = Child::start(subject, workload)?;
    let sample = match workload {
        Workload::IdleMemory { connections } => memory(&child, connections),
        Workload::Stop { connections } => stop(&mut child, connections),
        Workload::Accept { idle } => {
            let idle = Idle::open(&child.address, idle)?;
            let sample = requests(&child, subject, workload, effort);
            // The server goes first: it is not to be busy with those who leave.
            drop(child);
            drop(idle);
            return sample;
        }
        _ => requests(&child, subject, workload, effort),
    };
    sample.map_err(|error| format!("{error}{}", child.last_words()).into())
}

/// User memory for each of so many idle connections.
fn memory(child: &Child, connections: usize) -> Outcome<Sample> {
    // What is taken once is not a connection's: the first brings it about.
    let first = Idle::open(&child.address, 1)?;
    let before = user_memory(child.pid())?;
    let idle = Idle::open(&child.address, connections.saturating_sub(1).max(1))?;
    let after = user_memory(child.pid())?;
    let each = (real(after) - real(before)) / real(idle.len() as u64);
    drop(first);
    if each < 0.0 {
        return Err("the server had less memory with the connections than without".into());
    }
    Ok(Sample { values: [(Measure::BytesEach, each)].into(), ..Sample::default() })
}

fn stop(child: &mut Child, connections: usize) -> Outcome<Sample> {
    let idle = Idle::open(&child.address, connections)?;
    let took = child.stop()?;
    drop(idle);
    let micros = micros(took);
    Ok(Sample { values: [(Measure::StopMicros, micros)].into(), ..Sample::default() })
}

/// Lets the clients go round, and reads the server's clock at the beginning and at the end of the time.
fn requests(
    child: &Child,
    subject: &Subject,
    workload: Workload,
    effort: &Effort,
) -> Outcome<Sample> {
    let meter = Meter::new(child.pid(), subject.forks())?;
    let window = |shared: &Shared| {
        shared.enter(Phase::Measure);
        let (start, before) = (Instant::now(), meter.read()?);
        thread::sleep(effort.measure);
        let (after, time) = (meter.read()?, start.elapsed());
        Ok((after.saturating_sub(before), time))
    };
    let (tally, (cpu, time)) = drive(child, workload, effort.threads, effort.warm_up, window)?;
    Ok(sample(&tally, cpu, time))
}

fn sample(tally: &Tally, cpu: Duration, time: Duration) -> Sample {
    let mut sample = Sample {
        errors: tally.errors,
        first_error: tally.first_error.clone(),
        ..Sample::default()
    };
    if tally.answers == 0 {
        sample.errors += 1;
        sample.first_error.get_or_insert_with(|| "no answer in all the time".to_owned());
        return sample;
    }
    if cpu.is_zero() {
        // Who answers takes time. The clock went backwards, for a child was missed, and nothing costs less than nothing.
        sample.errors += 1;
        sample.first_error.get_or_insert_with(|| "the server's time was not read".to_owned());
        return sample;
    }
    let answers = real(tally.answers);
    sample.values = [
        (Measure::CpuMicros, micros(cpu) / answers),
        (Measure::PerSecond, answers / time.as_secs_f64()),
        (Measure::MedianMicros, tally.percentile(50.0)),
        (Measure::P99Micros, tally.percentile(99.0)),
    ]
    .into();
    sample
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}
