//! What can be wrong in the files, and how it is told.

use std::fmt;

/// Something wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}

/// An entry of one of the files.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// The statement with this number in `statements.toml`.
    Statement(u32),
    /// The entry with this name in `divergences.toml`.
    Divergence(String),
}

/// What is wrong with an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Wrong {
    /// There is no entry.
    Absent,
    /// There is more than one.
    Repeated,
    /// There is no statement of this number.
    NoSuchNumber(u32),
    /// It says nothing in this field.
    SaysNothing(&'static str),
    /// It has no mark that says how the statement is known.
    Unmarked,
    /// Its marks have this, which is no mark or is there twice.
    BadMark(String),
    /// No test, scenario, divergence or reason settles it.
    Unsettled,
    /// It is said not to apply, and settled all the same.
    SettledTwice,
    /// The divergence of this name does not exist.
    NoSuchDivergence(String),
    /// The divergence of this name does not list the statement.
    NotListedBy(String),
    /// The divergence of this name names no test, and the statement has none of its own.
    NothingShows(String),
    /// It names this test more than once.
    RepeatedTest(String),
    /// This is not the name of a test.
    BadTestName(String),
    /// It names this scenario more than once.
    RepeatedScenario(String),
    /// This is not the name of a scenario.
    BadScenario(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.wrong)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(number) => write!(f, "statements.toml: statement {number}"),
            Self::Divergence(id) => write!(f, "divergences.toml: divergence `{id}`"),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("it is missing"),
            Self::Repeated => f.write_str("it is there more than once"),
            Self::NoSuchNumber(number) => write!(f, "there is no statement {number}"),
            Self::SaysNothing(field) => write!(f, "`{field}` says nothing"),
            Self::Unmarked => f.write_str("it is marked neither documented nor source nor quirk"),
            Self::BadMark(mark) => write!(f, "`{mark}` is not a mark, or is there twice"),
            Self::Unsettled => {
                f.write_str("neither tests nor scenarios nor a divergence nor a reason settle it")
            }
            Self::SettledTwice => f.write_str("it does not apply, and is settled all the same"),
            Self::NoSuchDivergence(id) => write!(f, "there is no divergence `{id}`"),
            Self::NotListedBy(id) => write!(f, "divergence `{id}` does not list it"),
            Self::NothingShows(id) => {
                write!(f, "it has no tests, and divergence `{id}` names none either")
            }
            Self::RepeatedTest(name) => write!(f, "test `{name}` is named more than once"),
            Self::BadTestName(name) => {
                write!(f, "`{name}` is not `<package>::<target>::<test>`")
            }
            Self::RepeatedScenario(name) => write!(f, "scenario `{name}` is named more than once"),
            Self::BadScenario(name) => {
                write!(f, "`{name}` is not `<strategy>/<transport>/<driver>/<scenario>`")
            }
        }
    }
}
