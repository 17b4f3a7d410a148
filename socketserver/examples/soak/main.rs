//! A soak: servers of all sorts, one after another, with clients of all sorts, while limits change, connections are ended,
//! and servers are stopped, restarted, drained and closed. All choices follow from the seed.
//!
//! ```text
//! cargo run --release --example soak -- [--seconds N] [--seed S]
//! ```
//!
//! It tells what it did. The exit code is 1 if descriptors or threads are left of a round, if memory grows by more than
//! 5 % (and 256 KiB) after the warm-up, if the counts of a server do not add up, or if an honest client did not get what
//! it should. It looks for leaks in `/proc`; where there is none it says so.

#![expect(clippy::print_stdout, reason = "it tells what it did")]

mod books;
mod clients;
mod held;
mod meddler;
mod random;
mod report;
mod round;
mod service;
mod settings;
mod site;
mod told;
mod wire;

use std::fs::File;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use books::audit;
use held::{FEWEST_ROUNDS, Held, Memory, memory};
use report::Report;
use round::Round;
use settings::{Fault, Settings};

/// How much longer than asked it may take before it must hang.
const WATCHDOG: Duration = Duration::from_secs(30);

/// More memory than a round may leave behind.
const MUCH: usize = 2 << 20;

fn main() -> ExitCode {
    let settings = match Settings::of(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(usage) => {
            println!("{usage}");
            return ExitCode::from(2);
        }
    };
    if let Some(code) = held::with_one_arena() {
        return code;
    }
    println!("soak: seed {}, {:?}", settings.seed, settings.time);
    let mut report = Report::default();
    let result = soak(&settings, &mut report);
    println!("{report}");
    match result {
        Ok(()) => {
            println!("soak: passed");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            for fault in &faults {
                println!("soak: {fault}");
            }
            println!("soak: FAILED, with seed {}", settings.seed);
            ExitCode::FAILURE
        }
    }
}

/// Ends this program if it is not dropped in time.
fn watch(settings: &Settings) -> Sender<String> {
    let (guard, over) = channel();
    let time = settings.rounds.map_or(settings.time, |_| Duration::ZERO);
    let most = time.saturating_add(WATCHDOG);
    thread::spawn(move || {
        let (begun, mut at) = (Instant::now(), String::new());
        loop {
            match over.recv_timeout(most.saturating_sub(begun.elapsed())) {
                Ok(next) => at = next,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    println!("soak: FAILED, it hangs, no end after {most:?}: {at}");
                    std::process::exit(1);
                }
            }
        }
    });
    guard
}

/// Plays rounds up to the end, or to the first with a fault.
fn soak(settings: &Settings, report: &mut Report) -> Result<(), Vec<String>> {
    let watchdog = watch(settings);
    let begun = Instant::now();
    let time = (settings.time / 50).clamp(Duration::from_millis(100), Duration::from_millis(500));
    let is_last = |round| match settings.rounds {
        Some(rounds) => round >= rounds,
        // A round is a little longer than its time.
        None => begun.elapsed() + time * 3 / 2 > settings.time,
    };
    let (mut used, mut leaked) = (Memory::default(), Leaked::default());
    // The first thread of all has brought a stack of its own and what goes with it.
    let held = Held::now();
    for number in 1.. {
        let mut round = Round::play(settings.seed, number, time, &|at| drop(watchdog.send(at)))
            .map_err(|error| vec![format!("round {number}: {error}")])?;
        if let Some(fault) = settings.inject {
            leaked.inject(fault, &mut round);
        }
        report.add(&round);
        let mut faults = audit(&round);
        faults.extend(held.and_then(|held| held.compare().err()));
        used.note(memory());
        if !faults.is_empty() {
            let plan = format!("round {number}: {:?}", round.plan);
            return Err(faults.into_iter().chain([plan]).collect());
        }
        if is_last(number) {
            break;
        }
    }
    let Some(held) = held else {
        println!("notice: there is no /proc, so leaks were not looked for");
        return Ok(());
    };
    println!(
        "held       {} descriptors and {} threads, before and after",
        held.descriptors, held.threads
    );
    let Some(growth) = used.growth() else {
        println!(
            "notice: less than {FEWEST_ROUNDS} rounds, so growth of memory was not looked for"
        );
        return Ok(());
    };
    let (before, after) = (growth.before, growth.after);
    println!(
        "memory     {before} KiB after the warm-up, {after} KiB at the end: {:+.1} %",
        growth.percent()
    );
    growth.check().map_err(|fault| vec![fault])
}

/// What is not given back on purpose.
#[derive(Default)]
struct Leaked {
    files: Vec<File>,
    threads: Vec<Sender<()>>,
    memory: Vec<Vec<u8>>,
}

impl Leaked {
    fn inject(&mut self, fault: Fault, round: &mut Round) {
        match fault {
            Fault::Descriptor => self.files.extend(File::open("/dev/null")),
            Fault::Thread => {
                let (keep, kept) = channel();
                thread::spawn(move || kept.recv());
                self.threads.push(keep);
            }
            Fault::Memory => self.memory.push(vec![1; MUCH]),
            Fault::Count => round.done.counts.accepted += 1,
            Fault::Hang => loop {
                thread::park();
            },
        }
    }
}
