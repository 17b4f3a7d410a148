//! System calls for a request: `strace` counts those of a running server while it is asked.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;
use crate::child::Child;
use crate::drive::drive;
use crate::load::{Phase, Shared};
use crate::measure::family;
use crate::plan::Plan;
use crate::subject::Subject;
use crate::workload::Workload;

/// How long is counted. A server that is watched is slow, so the counts are not of many requests.
const WINDOW: Duration = Duration::from_secs(1);
/// Rarer calls for a request than this are not shown.
const RARE: f64 = 0.005;

/// Writes a table in Markdown for each workload of the plan.
pub(crate) fn run(plan: &Plan, out: &mut impl Write) -> Outcome<()> {
    for block in &plan.blocks {
        let mut last = None;
        for (workload, subject) in &block.cells {
            if matches!(
                workload,
                Workload::IdleMemory { .. } | Workload::Stop { .. } | Workload::Accept { .. }
            ) {
                continue;
            }
            if last.replace(workload) != Some(workload) {
                writeln!(out, "\n## {workload}: {}\n", workload.title())?;
                writeln!(out, "| subject | calls/request | which |\n|---|---:|---|")?;
            }
            match count(subject, *workload) {
                Ok((all, which)) => writeln!(out, "| {} | {all:.2} | {which} |", subject.name)?,
                Err(error) => writeln!(out, "| {} | – | {error} |", subject.name)?,
            }
        }
    }
    Ok(())
}

/// How many calls a request takes, and which.
fn count(subject: &Subject, workload: Workload) -> Outcome<(f64, String)> {
    let child = Child::start(subject, workload)?;
    let log = std::env::temp_dir().join(format!("socketserver-bench-{}.calls", std::process::id()));
    let window = |shared: &Shared| -> Outcome<()> {
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-U", "name,calls", "-o"]).arg(&log);
        for process in family(child.pid()) {
            command.arg("-p").arg(process.to_string());
        }
        let mut strace = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("strace cannot start: {error}"))?;
        let stderr = strace.stderr.take().ok_or("strace has no standard error")?;
        // It says when it has begun; what it says later nobody needs, but it must not wait for a reader.
        let mut said = BufReader::new(stderr);
        let mut first = String::new();
        said.read_line(&mut first)?;
        let rest = thread::spawn(move || said.lines().count());
        shared.enter(Phase::Measure);
        thread::sleep(WINDOW);
        shared.enter(Phase::Stop);
        if let Some(pid) = i32::try_from(strace.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT)?;
        }
        strace.wait()?;
        let _ = rest.join();
        if first.contains("attached") { Ok(()) } else { Err(first.into()) }
    };
    let counted = drive(&child, workload, 1, Duration::from_millis(100), window);
    let text = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(&log);
    let (tally, ()) = counted?;
    let requests = crate::stats::real(tally.answers.max(1));
    let mut calls: Vec<(f64, &str)> =
        parse(&text).into_iter().map(|(name, calls)| (f64::from(calls) / requests, name)).collect();
    calls.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all = calls.iter().map(|(calls, _)| calls).sum();
    let shown = calls.iter().filter(|(calls, _)| *calls >= RARE);
    let which: Vec<_> = shown.map(|(calls, name)| format!("{name} {calls:.2}")).collect();
    Ok((all, which.join(", ")))
}

/// The lines of strace's summary that name a call and how many there were.
fn parse(summary: &str) -> Vec<(&str, u32)> {
    let lines = summary.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, calls) = (words.next()?, words.next()?.parse().ok()?);
        (name != "total").then_some((name, calls))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read() {
        let summary = "syscall              calls\n---------------- ---------\nread  8\nsendto 3\n---- ---\ntotal 11\n";
        assert_eq!(parse(summary), [("read", 8), ("sendto", 3)]);
    }
}
