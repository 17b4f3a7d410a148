//! The name of a test in the workspace: `<package>::<target>::<test as its program prints it>`.

use std::fmt;
use std::str::FromStr;

/// A test of the workspace.
///
/// The target is `lib` for the unit tests of a library, `bin` for those of a program, `doc` for examples in the
/// documentation, else the name of the integration test. For `doc` the rest is the file or the module as rustdoc
/// prints it, and means all examples there.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct TestName {
    /// The package, such as `socketserver-core`.
    pub package: String,
    /// What of the package: `lib`, `bin`, `doc` or the name of an integration test.
    pub target: String,
    /// The test's name within its program.
    pub test: String,
}

impl TestName {
    /// The target of examples in the documentation.
    pub const DOC: &str = "doc";

    /// Whether it means examples in the documentation.
    pub fn is_doc(&self) -> bool {
        self.target == Self::DOC
    }
}

/// Gives back what is not the name of a test.
impl FromStr for TestName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut parts = name.splitn(3, "::").map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(package), Some(target), Some(test))
                if !package.is_empty()
                    && !target.is_empty()
                    && !test.is_empty()
                    && !name.contains(char::is_whitespace) =>
            {
                Ok(Self { package, target, test })
            }
            _ => Err(name.to_owned()),
        }
    }
}

impl fmt::Display for TestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}::{}", self.package, self.target, self.test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_parts_and_the_last_may_have_more() {
        let name: TestName = "a-b::it::one::two".parse().unwrap();
        assert_eq!((&*name.package, &*name.target, &*name.test), ("a-b", "it", "one::two"));
        assert_eq!(name.to_string(), "a-b::it::one::two");
        assert!(!name.is_doc());
        assert!("a::doc::a/src/b.rs".parse::<TestName>().unwrap().is_doc());
        for bad in ["", "a", "a::b", "a::b::", "::b::c", "a::::c", "a::b::c d"] {
            assert_eq!(bad.parse::<TestName>(), Err(bad.to_owned()));
        }
    }
}
