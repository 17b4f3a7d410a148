//! How many statements are settled in which way.

use std::fmt;

use super::catalogue::Statement;

/// How the statements are settled; each counts once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Here it is as in CPython, which tests or scenarios show.
    pub tested: usize,
    /// It is different on purpose, wholly or in part.
    pub divergent: usize,
    /// Rust cannot express it.
    pub not_applicable: usize,
    /// Nothing settles it: a problem.
    pub unsettled: usize,
}

impl Summary {
    pub(super) fn of(statements: &[Statement]) -> Self {
        let mut summary = Self::default();
        for statement in statements {
            *match statement {
                Statement { not_applicable: Some(_), .. } => &mut summary.not_applicable,
                Statement { divergence: Some(_), .. } => &mut summary.divergent,
                tested if tested.is_tested() => &mut summary.tested,
                _ => &mut summary.unsettled,
            } += 1;
        }
        summary
    }

    /// All statements.
    pub fn total(&self) -> usize {
        self.tested + self.divergent + self.not_applicable + self.unsettled
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tested, divergent, not_applicable, unsettled } = self;
        let total = self.total();
        write!(
            f,
            "{total} statements: {tested} tested, {divergent} divergent, {not_applicable} not applicable"
        )?;
        if *unsettled > 0 {
            write!(f, ", {unsettled} unsettled")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_counts_once() {
        let tests = vec!["p::lib::t".to_owned()];
        let id = Some("d".to_owned());
        let statements = [
            Statement { tests: tests.clone(), ..Statement::default() },
            Statement { scenarios: vec!["s".to_owned()], ..Statement::default() },
            Statement { tests, divergence: id.clone(), ..Statement::default() },
            Statement { not_applicable: id, ..Statement::default() },
            Statement::default(),
        ];
        let summary = Summary::of(&statements);
        assert_eq!(
            summary.to_string(),
            "5 statements: 2 tested, 1 divergent, 1 not applicable, 1 unsettled"
        );
    }
}
