//! What CPython was recorded to do in every scenario of the catalogue: reviewable files, and a layer that needs no Python.
//!
//! The files are snapshots of insta's. Their header says which CPython showed it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::catalogue::{Entry, catalogue};
use crate::compare::without;
use crate::divergence::Rules;
use crate::scenario::Strategy;
use crate::subject::{Played, Subject, SubjectError};

/// Scenarios that are recorded in one file, and the file's name without its ending.
#[derive(Debug)]
pub struct Group {
    /// `strategy-transport-driver`.
    pub name: String,
    /// The scenarios.
    pub entries: Vec<Entry>,
}

/// What CPython showed in the scenarios of a group, by the last part of their names.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Record(pub BTreeMap<String, Played>);

/// All that was recorded.
#[derive(Clone, Debug, Default)]
pub struct Golden {
    /// The records of each group, with the version of CPython that showed them.
    groups: BTreeMap<String, (String, Record)>,
    /// What is wrong with the files.
    pub faults: Vec<String>,
}

/// Where the files are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The scenarios that CPython can play as they are, by the files they are recorded in.
pub fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in catalogue() {
        if recorded_as(entry.scenario.strategy) != entry.scenario.strategy {
            continue;
        }
        let name = group_of(&entry).0;
        match groups.last_mut() {
            Some(group) if group.name == name => group.entries.push(entry),
            _ => groups.push(Group { name, entries: vec![entry] }),
        }
    }
    groups
}

/// CPython has no pools: what its threads do is what a pool's must.
const fn recorded_as(strategy: Strategy) -> Strategy {
    if strategy.is_threads() { Strategy::ThreadPerRequest } else { strategy }
}

/// The group and the name there.
fn group_of(entry: &Entry) -> (String, &str) {
    let mut parts = entry.name.rsplitn(3, '/');
    let (what, driver) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let strategy = recorded_as(entry.scenario.strategy);
    (format!("{strategy}-{}-{driver}", entry.scenario.transport), what)
}

impl Record {
    /// Has a subject play all scenarios of a group, without what is a matter of luck.
    ///
    /// # Errors
    ///
    /// When it could not play.
    pub fn of(
        group: &Group,
        cpython: &mut dyn Subject,
        rules: &Rules,
    ) -> Result<Self, SubjectError> {
        let mut record = BTreeMap::new();
        for entry in &group.entries {
            let luck = rules.luck(&entry.scenario);
            let played = match cpython.play(&entry.scenario)? {
                Played::Trace(trace) => Played::Trace(without(&trace, &luck)),
                Played::Hung(trace) => Played::Hung(without(&trace, &luck)),
                Played::Failed { why, trace } => {
                    Played::Failed { why, trace: without(&trace, &luck) }
                }
                Played::Unsupported(why) => Played::Unsupported(why),
            };
            record.insert(group_of(entry).1.to_owned(), played);
        }
        Ok(Self(record))
    }

    /// As it stands in its file.
    pub fn text(&self) -> String {
        // Strings, lists and maps with strings or numbers for keys.
        serde_json::to_string_pretty(self).unwrap_or_else(|error| error.to_string())
    }
}

impl Golden {
    /// Reads all files.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read. What is wrong with single files is in [`faults`](Self::faults).
    pub fn load(folder: &Path) -> io::Result<Self> {
        let mut golden = Self::default();
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match name.strip_suffix(".snap") {
                Some(group) => match parse(&fs::read_to_string(&path)?) {
                    Ok(record) => drop(golden.groups.insert(group.to_owned(), record)),
                    Err(error) => golden.faults.push(format!("golden/{name}: {error}")),
                },
                None => golden.faults.push(format!("golden/{name}: pending, or not a record")),
            }
        }
        golden.compare_with_catalogue();
        Ok(golden)
    }

    fn compare_with_catalogue(&mut self) {
        let groups = groups();
        for (name, (_, record)) in &self.groups {
            let group = groups.iter().find(|group| group.name == *name);
            let known = |what: &String| {
                group.is_some_and(|group| group.entries.iter().any(|it| group_of(it).1 == what))
            };
            for orphan in record.0.keys().filter(|what| !known(what)) {
                self.faults.push(format!("golden/{name}.snap: {orphan} is not in the catalogue"));
            }
        }
    }

    /// What CPython did in this scenario, and which.
    pub fn find(&self, entry: &Entry) -> Option<(&str, &Played)> {
        let (group, what) = group_of(entry);
        let (version, record) = self.groups.get(&group)?;
        Some((version, record.0.get(what)?))
    }

    /// The version that the records are of, if they are all of one.
    pub fn version(&self) -> Option<&str> {
        let mut versions = self.groups.values().map(|(version, _)| version.as_str());
        let first = versions.next()?;
        versions.all(|version| version == first).then_some(first)
    }
}

/// A file of insta's: a header between two lines of dashes, then the text.
fn parse(text: &str) -> Result<(String, Record), String> {
    let (header, text) = text
        .strip_prefix("---\n")
        .and_then(|text| text.split_once("\n---\n"))
        .ok_or("it has no header")?;
    let version = header
        .lines()
        .find_map(|line| line.strip_prefix("description: "))
        .ok_or("its header names no CPython")?;
    let record = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok((version.trim_matches('"').to_owned(), record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_catalogue_is_recorded() {
        let golden = Golden::load(&folder()).unwrap();
        assert_eq!(golden.faults, Vec::<String>::new());
        assert!(golden.version().is_some_and(|version| version.starts_with("CPython 3.")));
        let missing: Vec<_> =
            catalogue().into_iter().filter(|entry| golden.find(entry).is_none()).collect();
        assert!(missing.is_empty(), "not recorded: {:?}", missing[0].name);
    }

    #[test]
    fn strange_files_are_faults() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("a.snap.new", "");
        write("b.snap", "nothing");
        write("c.snap", "---\ndescription: CPython 3.11.7\n---\n{\"d\": {\"unsupported\": \"\"}}");
        let mut faults = Golden::load(folder.path()).unwrap().faults;
        faults.sort();
        assert_eq!(
            faults,
            [
                "golden/a.snap.new: pending, or not a record",
                "golden/b.snap: it has no header",
                "golden/c.snap: d is not in the catalogue",
            ]
        );
    }
}
