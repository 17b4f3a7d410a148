//! What a run showed, with all that differs from run to run taken out: no ports, paths, process numbers, thread names
//! or durations.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::scenario::Hook;

/// What a run showed.
///
/// Inside one actor the order is exact. Between actors there is only what caused what, and a breach of that is in
/// [`disorder`](Self::disorder).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trace {
    /// What came out of each verb.
    pub outcomes: Vec<String>,
    /// The hooks that the serving thread called, in order.
    pub main: Calls,
    /// The hooks that other threads or processes called, by request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workers: BTreeMap<usize, Calls>,
    /// The hooks called by closing, and what came out of that if anything did.
    pub close: Calls,
    /// What each client saw.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<usize, Vec<String>>,
    /// What happened before its cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disorder: Vec<String>,
    /// Threads, children and callers of `shutdown` that were still there at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// A sequence of calls, written as words with blanks between them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Calls(pub Vec<Call>);

/// One call, or another thing that happened to an actor.
///
/// Written `name:request!note`, as in `verify_request:0!refuse`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The hook, or `exit`, `escaped`, ….
    pub name: String,
    /// The request, where the actor serves more than one.
    pub request: Option<usize>,
    /// What is special about it.
    pub note: Option<String>,
}

impl Call {
    /// A call of `hook` for nothing special.
    pub fn new(name: impl fmt::Display) -> Self {
        Self { name: name.to_string(), request: None, note: None }
    }

    /// The same with a request.
    #[must_use]
    pub const fn of(mut self, request: Option<usize>) -> Self {
        self.request = request;
        self
    }

    /// The same with a note.
    #[must_use]
    pub fn noting(mut self, note: impl fmt::Display) -> Self {
        // One word, or it could not be read back.
        self.note = Some(note.to_string().replace(char::is_whitespace, "_"));
        self
    }

    /// Whether it is a call of `hook`.
    pub fn is(&self, hook: Hook) -> bool {
        self.name == hook.to_string()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(request) = self.request {
            write!(f, ":{request}")?;
        }
        if let Some(note) = &self.note {
            write!(f, "!{note}")?;
        }
        Ok(())
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, note) = match text.split_once('!') {
            Some((rest, note)) => (rest, Some(note.to_owned())),
            None => (text, None),
        };
        let (name, request) = match rest.split_once(':') {
            Some((name, request)) => {
                let number = request.parse().map_err(|_| format!("not a request: {text:?}"))?;
                (name, Some(number))
            }
            None => (rest, None),
        };
        if name.is_empty() {
            return Err(format!("not a call: {text:?}"));
        }
        Ok(Self { name: name.to_owned(), request, note })
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, call) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{call}")?;
        }
        Ok(())
    }
}

impl FromStr for Calls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Calls {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
