//! Who plays a scenario: this project, or CPython. Both are processes that speak the same protocol, so the clients are the
//! same code for both, and one that hangs can be killed.

mod process;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::{Scenario, Strategy};
use crate::trace::Trace;

pub use process::Process;

/// Plays scenarios.
pub trait Subject {
    /// What it is, with its version.
    fn version(&self) -> &str;

    /// Plays one.
    ///
    /// # Errors
    ///
    /// When it could not be played for a reason that says nothing about the subject's server.
    fn play(&mut self, scenario: &Scenario) -> Result<Played, SubjectError>;
}

/// What came of playing a scenario.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Played {
    /// It was played to its end.
    Trace(Trace),
    /// It did not end in time, and was killed. The trace is what was seen up to then.
    Hung(Trace),
    /// It was not played to its end: the server could not be made or reached, or the subject's process ended on the way.
    Failed {
        /// What happened.
        why: String,
        /// What was seen up to then.
        trace: Trace,
    },
    /// The subject cannot play it, for this reason. Never a pass.
    Unsupported(String),
}

impl Played {
    /// What was seen, if anything.
    pub const fn trace(&self) -> Option<&Trace> {
        match self {
            Self::Trace(trace) | Self::Hung(trace) | Self::Failed { trace, .. } => Some(trace),
            Self::Unsupported(_) => None,
        }
    }
}

/// Why a scenario could not be played at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum SubjectError {
    /// The subject's program could not be started, or ended when it should not.
    Process {
        /// Which program.
        program: String,
        /// What it was asked to do.
        doing: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It said something that makes no sense.
    Protocol {
        /// Which program.
        program: String,
        /// What it said.
        said: String,
    },
    /// Scenarios could not be generated, for this reason.
    Generator(String),
    /// A client of the scenario could not do its part.
    Client {
        /// Which step.
        step: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { program, doing, source } => {
                write!(f, "{program}, asked to {doing}: {source}")
            }
            Self::Protocol { program, said } => write!(f, "{program} said {said:?}"),
            Self::Generator(why) => write!(f, "no scenario could be generated: {why}"),
            Self::Client { step, source } => write!(f, "a client could not {step}: {source}"),
        }
    }
}

impl std::error::Error for SubjectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Process { source, .. } | Self::Client { source, .. } => Some(source),
            Self::Protocol { .. } | Self::Generator(_) => None,
        }
    }
}

/// How a subject's process is started.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Command {
    /// This project: the harness's own program, told to be the subject.
    pub fn here(harness: &Path) -> Self {
        Self { program: harness.to_owned(), arguments: vec!["subject".into()] }
    }

    /// CPython, with the oracle's source given on the command line: nothing of it has to be installed.
    pub fn python(interpreter: &Path) -> Self {
        let oracle = include_str!("../../python/oracle.py");
        Self {
            program: interpreter.to_owned(),
            arguments: vec!["-I".into(), "-c".into(), oracle.into()],
        }
    }
}

/// A subject that keeps forking apart from threads: a process that has started threads must not fork.
#[derive(Debug)]
pub struct Twin {
    threads: Process,
    forks: Process,
}

impl Twin {
    /// Two processes of `command`, started when they are needed.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn new(command: &Command) -> Result<Self, SubjectError> {
        Ok(Self { threads: Process::start(command)?, forks: Process::start(command)? })
    }
}

impl Subject for Twin {
    fn version(&self) -> &str {
        self.threads.version()
    }

    fn play(&mut self, scenario: &Scenario) -> Result<Played, SubjectError> {
        match scenario.strategy {
            Strategy::Fork => self.forks.play(scenario),
            _ => self.threads.play(scenario),
        }
    }
}
