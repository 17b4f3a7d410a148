//! What the filter picks of the scenarios, the tests and the statements.

use std::collections::BTreeSet;

use super::{Failure, Options, settle};
use crate::catalogue::{Entry, catalogue};
use crate::statements::{Statement, Statements, TestName};

impl Options {
    /// The scenarios that have the filter in their name, or that settle a statement that has.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let all = Statements::load(&settle::folder())?;
        let own: BTreeSet<&str> =
            self.statements(&all).flat_map(|it| &it.scenarios).map(String::as_str).collect();
        let picked =
            |entry: &Entry| entry.name.contains(&self.filter) || own.contains(entry.name.as_str());
        Ok(catalogue().into_iter().filter(picked).collect())
    }

    /// The statements that have the filter in their name, `statement 42`.
    pub(super) fn statements<'a>(
        &'a self,
        all: &'a Statements,
    ) -> impl Iterator<Item = &'a Statement> {
        all.statements.iter().filter(|it| statement_name(it).contains(&self.filter))
    }

    /// The tests for statements and divergences that have the filter in their name, or settle a statement that has.
    pub(super) fn tests_of_statements(&self, all: &Statements) -> BTreeSet<TestName> {
        let own = self.statements(all).flat_map(|it| all.tests_of(it));
        let own = own.filter_map(|name| name.parse().ok());
        all.tests().into_iter().filter(|name| self.picks(name)).chain(own).collect()
    }

    /// Whether the test has the filter in its name.
    pub(super) fn picks(&self, name: &TestName) -> bool {
        name.to_string().contains(&self.filter)
    }
}

/// What a statement is called on the command line.
pub(super) fn statement_name(statement: &Statement) -> String {
    format!("statement {}", statement.number)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn picked(filter: &str) -> (usize, usize, usize) {
        let options = Options::parse_from(["conformance", "--filter", filter]);
        let all = Statements::load(&settle::folder()).unwrap();
        let tests = options.tests_of_statements(&all).len();
        (options.entries().unwrap().len(), options.statements(&all).count(), tests)
    }

    #[test]
    fn a_statement_comes_with_what_settles_it() {
        let all = Statements::load(&settle::folder()).unwrap();
        let settled = all.statements.iter().filter(|it| it.number > 99 && !it.scenarios.is_empty());
        let mut seen = 0;
        for statement in settled {
            let tests: BTreeSet<_> = all.tests_of(statement).collect();
            let expected = (statement.scenarios.len(), 1, tests.len());
            assert_eq!(picked(&statement_name(statement)), expected, "{}", statement.number);
            seen += 1;
        }
        assert!(seen > 5);
    }

    #[test]
    fn nothing_is_picked_by_a_name_that_nothing_has() {
        assert_eq!(picked("no such thing"), (0, 0, 0));
        let (entries, statements, tests) = picked("");
        assert_eq!((entries, statements > 100), (catalogue().len(), true));
        assert!(tests > 100);
    }
}
