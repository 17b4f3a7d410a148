//! Finds the named tests in the workspace and runs them, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::artifacts::{self, Program};
use super::limited::{self, Ran};
use super::output::{self, Said};
use super::test_name::TestName;

/// How long building may take.
const BUILD: Duration = Duration::from_secs(1800);

/// How long listing tests may take.
const LIST: Duration = Duration::from_secs(60);

/// What became of a named test.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It passed.
    Ok,
    /// It failed, for this reason as far as it is known: what its program printed, or that it was killed.
    Failed(String),
    /// It is there, but is not run.
    Ignored,
    /// There is no such test, here at least.
    Missing,
}

/// A named test, and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TestResult {
    /// The test.
    pub name: TestName,
    /// What became of it.
    pub outcome: Outcome,
}

impl fmt::Display for TestResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, outcome } = self;
        match outcome {
            Outcome::Ok => write!(f, "{name}: ok"),
            Outcome::Failed(reason) => write!(f, "{name}: failed: {reason}"),
            Outcome::Ignored => write!(f, "{name}: ignored"),
            Outcome::Missing => write!(f, "{name}: there is no such test"),
        }
    }
}

/// Why the tests could not be run at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// A program could not be started, or what it printed not be read.
    Start(String, io::Error),
    /// The tests could not be built; what cargo said.
    Build(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(program, error) => write!(f, "cannot run {program}: {error}"),
            Self::Build(said) => write!(f, "cannot build the tests:\n{said}"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(_, error) => Some(error),
            Self::Build(_) => None,
        }
    }
}

/// Builds the tests of the workspace in this folder and runs those with these names, each program for no
/// longer than `limit`. Gives a result for each name, in their order.
///
/// # Errors
///
/// When the tests cannot be built or a program not be started. That a test fails, hangs or does not exist is
/// in its result.
pub fn run(
    workspace: &Path,
    names: &BTreeSet<TestName>,
    limit: Duration,
) -> Result<Vec<TestResult>, RunError> {
    let (examples, tests): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.is_doc());
    let mut outcomes = BTreeMap::new();
    if !tests.is_empty() {
        let programs = build(workspace)?;
        for (program, wanted) in by_program(&programs, &tests) {
            outcomes.extend(run_program(program, &wanted, limit)?);
        }
    }
    let packages: BTreeSet<&str> = examples.iter().map(|name| &*name.package).collect();
    for package in packages {
        let wanted: Vec<_> =
            examples.iter().copied().filter(|name| name.package == package).collect();
        outcomes.extend(run_examples(workspace, package, &wanted, limit)?);
    }
    let result = |name: &TestName| TestResult {
        name: name.clone(),
        outcome: outcomes.remove(name).unwrap_or(Outcome::Missing),
    };
    Ok(names.iter().map(result).collect())
}

/// The tests in these programs of a package, by their names.
///
/// # Errors
///
/// When the tests cannot be built or a program not be started.
pub fn tests_of(
    workspace: &Path,
    package: &str,
    targets: &[&str],
) -> Result<BTreeSet<TestName>, RunError> {
    let programs = build(workspace)?;
    let wanted =
        programs.iter().filter(|it| it.package == package && targets.contains(&it.target.as_str()));
    let mut names = BTreeSet::new();
    for program in wanted {
        let what = program.executable.display().to_string();
        let list = start(&what, Command::new(&program.executable).arg("--list"), LIST)?;
        names.extend(output::listed(&list.stdout).into_iter().map(|test| TestName {
            package: package.to_owned(),
            target: program.target.clone(),
            test: test.to_owned(),
        }));
    }
    Ok(names)
}

fn start(what: &str, command: &mut Command, limit: Duration) -> Result<Ran, RunError> {
    limited::run(command, limit).map_err(|error| RunError::Start(what.to_owned(), error))
}

/// The cargo that runs this program, if one does.
fn cargo(workspace: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace).args(arguments);
    command
}

fn build(workspace: &Path) -> Result<Vec<Program>, RunError> {
    let arguments = ["test", "--workspace", "--all-features", "--no-run", "--message-format=json"];
    let ran = start("cargo", &mut cargo(workspace, &arguments), BUILD)?;
    match ran.status {
        Some(status) if status.success() => Ok(artifacts::programs(&ran.stdout)),
        _ => Err(RunError::Build(ran.stderr)),
    }
}

/// The programs that have some of the tests, each with those.
fn by_program<'a>(
    programs: &'a [Program],
    tests: &[&'a TestName],
) -> Vec<(&'a Program, Vec<&'a TestName>)> {
    let of = |program: &Program| {
        let is_there =
            |name: &&TestName| name.package == program.package && name.target == program.target;
        tests.iter().copied().filter(is_there).collect::<Vec<_>>()
    };
    let all = programs.iter().map(|program| (program, of(program)));
    all.filter(|(_, wanted)| !wanted.is_empty()).collect()
}

type Outcomes = BTreeMap<TestName, Outcome>;

fn run_program(
    program: &Program,
    wanted: &[&TestName],
    limit: Duration,
) -> Result<Outcomes, RunError> {
    let started = Instant::now();
    let what = program.executable.display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program.executable);
        // As cargo does.
        command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
        command.args(arguments);
        start(&what, &mut command, limit.saturating_sub(started.elapsed()))
    };
    let list = run(&["--list"])?;
    if list.status.is_none() {
        return Ok(wanted.iter().map(|name| ((*name).clone(), outcome(None, &list))).collect());
    }
    let list = list.stdout;
    let listed = output::listed(&list);
    let present: Vec<&TestName> =
        wanted.iter().copied().filter(|name| listed.contains(&name.test.as_str())).collect();
    let at_once = if output::takes_many_names(&list) { present.len().max(1) } else { 1 };
    let mut outcomes = Outcomes::new();
    for names in present.chunks(at_once) {
        let mut arguments = vec!["--exact"];
        arguments.extend(names.iter().map(|name| name.test.as_str()));
        let ran = run(&arguments)?;
        let said: BTreeMap<_, _> = output::results(&ran.stdout).collect();
        outcomes.extend(names.iter().map(|name| {
            let said = said.get(name.test.as_str()).copied();
            ((*name).clone(), outcome(said, &ran))
        }));
    }
    Ok(outcomes)
}

/// What became of a test of which this was said when its program ran.
fn outcome(said: Option<Said>, ran: &Ran) -> Outcome {
    match said {
        Some(Said::Ok) => Outcome::Ok,
        Some(Said::Ignored) => Outcome::Ignored,
        Some(Said::Failed) => Outcome::Failed(printed(ran)),
        None => match ran.status {
            None => Outcome::Failed("its program took too long and was killed".to_owned()),
            Some(status) => {
                Outcome::Failed(format!("nothing was said of it ({status})\n{}", printed(ran)))
            }
        },
    }
}

fn printed(ran: &Ran) -> String {
    format!("\n{}{}", ran.stdout, ran.stderr)
}

fn run_examples(
    workspace: &Path,
    package: &str,
    wanted: &[&TestName],
    limit: Duration,
) -> Result<Outcomes, RunError> {
    let arguments = ["test", "--package", package, "--all-features", "--doc"];
    // Cargo may have to build the package for this first.
    let ran = start("cargo", &mut cargo(workspace, &arguments), limit + BUILD)?;
    let said: Vec<_> = output::results(&ran.stdout).collect();
    if said.is_empty() && ran.status.is_none_or(|status| !status.success()) {
        return Err(RunError::Build(ran.stderr));
    }
    // Of which nothing was said stays out, as is missing.
    let outcome = |name: &&TestName| Some(((*name).clone(), worst(name, &said, &ran)?));
    Ok(wanted.iter().filter_map(outcome).collect())
}

/// What became of all the examples that the name stands for: the first that is not well, else well.
fn worst(name: &TestName, said: &[(&str, Said)], ran: &Ran) -> Option<Outcome> {
    let own = said.iter().filter(|(printed, _)| output::is_example_of(printed, &name.test));
    let mut outcomes: Vec<_> = own.map(|(_, said)| outcome(Some(*said), ran)).collect();
    if ran.status.is_none() {
        outcomes.push(outcome(None, ran));
    }
    let worst = outcomes.iter().position(|outcome| *outcome != Outcome::Ok);
    outcomes.into_iter().nth(worst.unwrap_or_default())
}

#[cfg(test)]
mod tests;
