//! The two files as values, and reading them. Whether what they say makes sense is decided elsewhere.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::summary::Summary;
use super::test_name::TestName;
use super::validate;

/// One thing that CPython does, and where it is settled.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Statement {
    /// Its number, from 1.
    pub number: u32,
    /// How it is known: `documented`, or only in the `source`; and whether it is a `quirk`.
    pub marks: Vec<String>,
    /// What CPython does.
    pub says: String,
    /// The names of tests that show the same here.
    pub tests: Vec<String>,
    /// Scenarios in which it shows, as `<strategy>/<transport>/<driver>/<scenario>`.
    pub scenarios: Vec<String>,
    /// The entry of `divergences.toml` that says what is different here.
    pub divergence: Option<String>,
    /// Why Rust cannot express it.
    pub not_applicable: Option<String>,
}

impl Statement {
    /// Whether tests or scenarios of its own show it.
    pub fn is_tested(&self) -> bool {
        !self.tests.is_empty() || !self.scenarios.is_empty()
    }
}

/// A deliberate difference, as far as statements are concerned. Its entry may say more.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Divergence {
    /// Its name.
    pub id: String,
    /// The statements it is about.
    pub statements: Vec<u32>,
    /// What is different.
    pub differs: String,
    /// Why that is better.
    pub better: String,
    /// The names of tests that show how it is here.
    pub tests: Vec<String>,
}

/// All statements and all divergences.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Statements {
    /// In the order of the file.
    pub statements: Vec<Statement>,
    /// In the order of the file.
    pub divergences: Vec<Divergence>,
}

#[derive(Deserialize)]
struct StatementsFile {
    #[serde(default)]
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
struct DivergencesFile {
    #[serde(default)]
    divergence: Vec<Divergence>,
}

impl Statements {
    /// Reads `statements.toml` and `divergences.toml` in `folder`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is not what it should be; the error names the file.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let statements: StatementsFile = read(folder.join("statements.toml"))?;
        let divergences: DivergencesFile = read(folder.join("divergences.toml"))?;
        Ok(Self { statements: statements.statement, divergences: divergences.divergence })
    }

    /// Everything that is wrong, in the order of the files; nothing if all is well.
    pub fn problems(&self) -> Vec<Problem> {
        validate::problems(self)
    }

    /// The divergence with this name.
    pub fn divergence(&self, id: &str) -> Option<&Divergence> {
        self.divergences.iter().find(|divergence| divergence.id == id)
    }

    /// Every test that a statement or a divergence names, once. Names that are none are
    /// [problems](Self::problems) and left out.
    pub fn tests(&self) -> BTreeSet<TestName> {
        let statements = self.statements.iter().flat_map(|statement| &statement.tests);
        let divergences = self.divergences.iter().flat_map(|divergence| &divergence.tests);
        statements.chain(divergences).filter_map(|name| name.parse().ok()).collect()
    }

    /// The names of the tests that settle a statement: its own, and its divergence's.
    pub fn tests_of<'a>(&'a self, statement: &'a Statement) -> impl Iterator<Item = &'a String> {
        let divergence = statement.divergence.as_deref().and_then(|id| self.divergence(id));
        statement.tests.iter().chain(divergence.into_iter().flat_map(|entry| &entry.tests))
    }

    /// Every scenario that a statement names, once.
    pub fn scenarios(&self) -> BTreeSet<&str> {
        let scenarios = self.statements.iter().flat_map(|statement| &statement.scenarios);
        scenarios.map(String::as_str).collect()
    }

    /// How many statements are settled in which way.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.statements)
    }
}

fn read<T: DeserializeOwned>(path: PathBuf) -> Result<T, LoadError> {
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| LoadError { path, kind: LoadErrorKind::Parse(Box::new(error)) }),
        Err(error) => Err(LoadError { path, kind: LoadErrorKind::Read(error) }),
    }
}

/// Why a file could not be loaded.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    kind: LoadErrorKind,
}

#[derive(Debug)]
enum LoadErrorKind {
    Read(io::Error),
    Parse(Box<toml::de::Error>),
}

impl LoadError {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            LoadErrorKind::Read(error) => write!(f, "cannot read {path}: {error}"),
            LoadErrorKind::Parse(error) => write!(f, "cannot understand {path}: {error}"),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            LoadErrorKind::Read(error) => Some(error),
            LoadErrorKind::Parse(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(statements: &str, divergences: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("statements.toml"), statements).unwrap();
        if let Some(divergences) = divergences {
            fs::write(folder.path().join("divergences.toml"), divergences).unwrap();
        }
        folder
    }

    #[test]
    fn both_files_are_read_and_what_others_put_into_divergences_is_left_alone() {
        let folder = folder(
            "[[statement]]\nnumber = 1\nmarks = [\"source\"]\nsays = \"x\"\ntests = [\"p::lib::t\"]\n",
            Some(
                "[[divergence]]\nid = \"d\"\nstatements = [1]\nwhen = { any = 1 }\ntests = [\"p::it::u\"]\n",
            ),
        );
        let loaded = Statements::load(folder.path()).unwrap();
        assert_eq!(loaded.statements[0].number, 1);
        assert_eq!(loaded.divergence("d").unwrap().statements, [1]);
        let tests: Vec<_> = loaded.tests().iter().map(ToString::to_string).collect();
        assert_eq!(tests, ["p::it::u", "p::lib::t"]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = folder("", None);
        let error = Statements::load(folder.path()).unwrap_err();
        assert!(error.path().ends_with("divergences.toml"));
        assert!(error.to_string().starts_with("cannot read "), "{error}");
    }

    #[test]
    fn a_misspelt_field_of_a_statement_is_told_with_its_file() {
        let folder = folder("[[statement]]\nnumber = 1\ntest = [\"p::lib::t\"]\n", Some(""));
        let error = Statements::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("statements.toml") && error.contains("`test`"), "{error}");
    }
}
