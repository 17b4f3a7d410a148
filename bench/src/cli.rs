//! The command line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::goals;
use crate::machine::Machine;
use crate::plan::{Choice, Effort, Plan};
use crate::profile;
use crate::report::{self, Report};
use crate::results::Results;
use crate::run;
use crate::serve;
use crate::subject;
use crate::workload::Workload;
use crate::{Error, Outcome};

/// What a request costs the server, beside hand-written programs and other runtimes.
#[derive(Debug, Parser)]
#[command(name = "socketserver-bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One server, which prints its address; what the benchmark starts.
    Serve { subject: String, workload: Workload },
    /// Counts system calls for a request, with strace, and prints Markdown.
    Profile(Run),
    /// The names of subjects and workloads.
    List,
}

/// Measures; this is what it does without a command.
#[derive(Args, Debug)]
struct Run {
    /// Fewer points and rounds: less than two minutes.
    #[arg(long)]
    quick: bool,
    /// Only this workload, or group of workloads (echo, udp …); may be given several times.
    #[arg(long = "workload", value_name = "W")]
    workloads: Vec<String>,
    /// Of this project only this strategy, or those whose names begin so.
    #[arg(long = "subject", value_name = "S")]
    subjects: Vec<String>,
    /// Only this peer beside it, or those whose names begin so.
    #[arg(long = "peer", value_name = "P")]
    peers: Vec<String>,
    /// Writes index.html, results.json and RESULTS.md into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Fails, with exit code 1, if a goal is missed.
    #[arg(long)]
    check: bool,
    /// So many rounds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Measures so many milliseconds in each round.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    millis: Option<u64>,
    /// Threads of the clients.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

/// What became of it: all is well, or a goal was missed.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    Well,
    Missed,
}

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // It knows whether it is help or a mistake.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match cli.command {
        Some(Command::Serve { subject, workload }) => one_server(&subject, workload),
        Some(Command::Profile(run)) => count_calls(&run),
        Some(Command::List) => list(),
        None => measure(&cli.run),
    };
    match done {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::Missed) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn one_server(name: &str, workload: Workload) -> Outcome<Verdict> {
    let subject = subject::named(name).ok_or_else(|| format!("no subject {name}"))?;
    serve::run(subject, workload)?;
    Ok(Verdict::Well)
}

fn count_calls(run: &Run) -> Outcome<Verdict> {
    serve::raise_descriptor_limit()?;
    profile::run(&Plan::new(run.quick, &run.choice())?, &mut io::stdout())?;
    Ok(Verdict::Well)
}

fn list() -> Outcome<Verdict> {
    let mut out = io::stdout().lock();
    for subject in subject::ALL {
        writeln!(out, "{:<20} {}", subject.name, subject.about)?;
    }
    let plan = Plan::new(false, &Choice::default())?;
    let mut last = None;
    for (workload, _) in plan.blocks.iter().flat_map(|block| &block.cells) {
        if last.replace(workload) != Some(workload) {
            writeln!(out, "{:<20} {}", workload.to_string(), workload.title())?;
        }
    }
    Ok(Verdict::Well)
}

impl Run {
    fn effort(&self) -> Effort {
        let (rounds, millis) = if self.quick { (2, 150) } else { (5, 500) };
        let millis = self.millis.unwrap_or(millis);
        Effort {
            rounds: self.rounds.map_or(rounds, usize::from),
            warm_up: Duration::from_millis(millis / 4),
            measure: Duration::from_millis(millis),
            threads: usize::from(self.threads),
        }
    }

    fn choice(&self) -> Choice {
        Choice {
            workloads: self.workloads.clone(),
            subjects: self.subjects.clone(),
            peers: self.peers.clone(),
        }
    }
}

fn measure(run: &Run) -> Outcome<Verdict> {
    let mut errors = io::stderr();
    if cfg!(debug_assertions) {
        writeln!(errors, "notice: this is a debug build; its numbers mean nothing")?;
    }
    let plan = Plan::new(run.quick, &run.choice())?;
    for notice in &plan.notices {
        writeln!(errors, "notice: {notice}")?;
    }
    if plan.cells() == 0 {
        return Err("nobody who was chosen plays what was chosen".into());
    }
    let effort = run.effort();
    let machine = Machine::here();
    let report_on = |results: Results| Report {
        machine: machine.clone(),
        effort: effort.to_string(),
        notices: plan.notices.clone(),
        verdicts: goals::evaluate(&results),
        results,
    };
    let keep = |results: &Results| {
        let Some(folder) = &run.report else { return Ok(()) };
        report::write(&report_on(results.clone()), folder)
            .map_err(|error| Error::from(format!("{}: {error}", folder.display())))
    };
    let report = report_on(run::run(&plan, &effort, keep)?);
    report::terminal(&report, run.check, &mut io::stdout().lock())?;
    if run.check && report.verdicts.is_empty() {
        return Err("no goal speaks of what was chosen, so there is nothing to check".into());
    }
    let missed = report.verdicts.iter().any(goals::Verdict::is_missed);
    let wrong = report.results.errors() > 0;
    Ok(if run.check && (missed || wrong) { Verdict::Missed } else { Verdict::Well })
}
