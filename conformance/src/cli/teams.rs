//! Subjects that are ready to play: each scenario takes a team, and gives it back.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::interpreters::Interpreter;
use crate::subject::{Command, SubjectError, Twin};

/// This project, and every CPython.
#[derive(Debug)]
pub(super) struct Team {
    pub(super) here: Twin,
    pub(super) cpythons: Vec<Twin>,
}

/// All teams. Another one is made when none is idle.
#[derive(Debug)]
pub(super) struct Teams<'a> {
    here: Command,
    pub(super) interpreters: &'a [Interpreter],
    idle: Mutex<Vec<Team>>,
}

impl<'a> Teams<'a> {
    pub(super) fn new(harness: &Path, interpreters: &'a [Interpreter]) -> Self {
        Self { here: Command::here(harness), interpreters, idle: Mutex::default() }
    }

    /// Lets a team do something.
    pub(super) fn with<T>(
        &self,
        play: impl FnOnce(&mut Team) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut team = match idle {
            Some(team) => team,
            None => self.make()?,
        };
        let result = play(&mut team);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(team);
        result
    }

    fn make(&self) -> Result<Team, SubjectError> {
        let cpythons = self.interpreters.iter().map(|interpreter| Twin::new(&interpreter.command));
        Ok(Team { here: Twin::new(&self.here)?, cpythons: cpythons.collect::<Result<_, _>>()? })
    }
}
