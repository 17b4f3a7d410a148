//! The command line: what can be asked for, and what is run because of it.

#![expect(clippy::print_stdout, reason = "a command line tool reports on standard output")]
#![expect(clippy::print_stderr, reason = "a command line tool reports failures on standard error")]

mod asleep;
mod interpreters;
mod layers;
mod picked;
mod progress;
mod settle;
mod teams;
mod tests;
mod try_faults;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use clap::{Parser, ValueEnum};

use crate::report;
use crate::results::{Layer, Results};
use crate::scenario::{Strategy, Transport};
use crate::statements::Statements;

use progress::Progress;
use teams::Teams;

/// Holds the servers of this workspace against CPython's socketserver.
///
/// Exit code: 0 if everything is the same as in CPython or a listed difference, 1 if something is not, 2 if the harness could
/// not do its work.
#[derive(Clone, Debug, Parser)]
#[command(bin_name = "cargo xtask conformance")]
struct Options {
    /// How many scenarios to generate, for each interpreter.
    #[arg(long, value_name = "N", default_value_t = 400)]
    cases: u32,
    /// What generated scenarios are drawn from; the same seed with as many jobs gives the same scenarios.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only what has this in its name: a scenario, a test, or `statement 42`.
    #[arg(long, value_name = "PATTERN", default_value = "")]
    filter: String,
    /// Only these layers.
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    layer: Vec<LayerName>,
    /// Show what there is, and run nothing.
    #[arg(long)]
    list: bool,
    /// How many scenarios are played at a time.
    #[arg(long, value_name = "N", default_value_t = default_jobs())]
    jobs: usize,
    /// A CPython to compare with, instead of all that are found. Can be given more than once.
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,
    /// Compare with no CPython, only with what was recorded of one.
    #[arg(long, conflicts_with = "python")]
    no_python: bool,
    /// Write a report to this folder: a page, Markdown and JSON.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Show that the harness can fail: wrap the servers in one fault at a time, and catch each.
    #[arg(long)]
    self_test: bool,
}

/// A layer, as it is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum LayerName {
    /// The catalogue, against what CPython was recorded to do.
    Golden,
    /// The catalogue, against CPython itself.
    Live,
    /// Generated scenarios, against CPython itself.
    Differential,
    /// What must hold whatever CPython does.
    Properties,
    /// CPython's own tests.
    Ported,
    /// The statements about CPython.
    Statements,
}

fn default_jobs() -> usize {
    // Playing is mostly waiting for the other side.
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}

impl LayerName {
    const fn layer(self) -> Layer {
        match self {
            Self::Golden => Layer::Golden,
            Self::Live => Layer::Live,
            Self::Differential => Layer::Differential,
            Self::Properties => Layer::Properties,
            Self::Ported => Layer::Ported,
            Self::Statements => Layer::Statements,
        }
    }
}

impl Options {
    fn wants(&self, layer: Layer) -> bool {
        self.layer.is_empty() || self.layer.iter().any(|name| name.layer() == layer)
    }

    /// Whether all there is to run is run, so that what is not hit is a fault.
    fn is_complete(&self) -> bool {
        self.filter.is_empty()
            && LayerName::value_variants().iter().all(|name| self.wants(name.layer()))
    }

    /// The strategies and transports to generate scenarios for.
    fn combinations(&self) -> (Vec<Strategy>, Vec<Transport>) {
        let pairs = Strategy::ALL.iter().flat_map(|strategy| {
            Transport::ALL.iter().map(move |transport| (*strategy, *transport))
        });
        let named = pairs.filter(|(strategy, transport)| {
            format!("generated/{strategy}/{transport}").contains(&self.filter)
        });
        let (mut strategies, mut transports): (Vec<_>, Vec<_>) = named.unzip();
        strategies.sort();
        strategies.dedup();
        transports.sort();
        transports.dedup();
        (strategies, transports)
    }
}

/// Runs the harness as these arguments say. `harness` is this program, which is also the subject.
pub fn run(arguments: impl IntoIterator<Item = OsString>, harness: &std::path::Path) -> ExitCode {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => {
            // That it cannot be printed is nothing to be told either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = if options.list {
        list(&options)
    } else if options.self_test {
        try_faults::run(&options, harness)
    } else {
        check(&options, harness)
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whatever kept the harness from its work.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn seed(options: &Options) -> u64 {
    options.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // A number that can be typed again.
        u64::from(now.subsec_nanos()) % 1_000_000
    })
}

fn list(options: &Options) -> Result<bool, Failure> {
    for entry in options.entries()? {
        println!("{}", entry.name);
    }
    for name in tests::named(options)? {
        println!("{name}");
    }
    let all = Statements::load(&settle::folder())?;
    for statement in options.statements(&all) {
        println!("{}: {}", picked::statement_name(statement), statement.says);
    }
    Ok(true)
}

fn check(options: &Options, harness: &std::path::Path) -> Result<bool, Failure> {
    let start = Instant::now();
    let mut results = Results { seed: seed(options), ..Results::default() };
    let found = interpreters::find(options, &mut results.notices)?;
    if let Some(folder) = &options.report {
        // Better told now than when all is done.
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    let progress = Progress::new();
    {
        let teams = Teams::new(harness, &found);
        layers::golden_and_live(options, &teams, &progress, &mut results)?;
        layers::differential(options, &teams, &progress, &mut results)?;
    }
    let ran = tests::run(options, &progress, &mut results)?;
    settle::statements(options, &ran, &mut results)?;
    settle::divergences(options, &found, &ran, &mut results)?;
    progress.end();
    asleep::check(options, &mut results)?;
    results.time = start.elapsed();
    println!("{}", report::table(&results));
    if let Some(folder) = &options.report {
        report::write(&results, folder).map_err(|error| cannot_write(folder, &error))?;
        println!("report: {}", folder.join("index.html").display());
    }
    Ok(results.is_good())
}

fn cannot_write(folder: &std::path::Path, error: &std::io::Error) -> Failure {
    format!("cannot write to {}: {error}", folder.display()).into()
}
