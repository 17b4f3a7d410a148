//! CPython does what it was recorded to do. To record anew: `INSTA_UPDATE=always cargo test -p socketserver-conformance
//! --test golden`, with the CPython in the path that the records should be of.

#![cfg(test)]

use std::path::Path;

use socketserver_conformance::divergence::{Rules, load};
use socketserver_conformance::golden::{Record, groups};
use socketserver_conformance::subject::{Command, Subject, Twin};

fn cpython() -> Option<Twin> {
    match Twin::new(&Command::python(Path::new("python3"))) {
        Ok(cpython) => Some(cpython),
        Err(error) => {
            println!("notice: not compared with CPython itself: {error}");
            None
        }
    }
}

/// Records some of the groups, and compares them with what stands in their files.
fn check(part: &str) {
    let Some(mut cpython) = cpython() else { return };
    let rules = Rules::new(&load().unwrap(), cpython.version());
    let groups: Vec<_> =
        groups().into_iter().filter(|group| group.name.starts_with(part)).collect();
    assert!(!groups.is_empty());
    for group in groups {
        let record = Record::of(&group, &mut cpython, &rules).unwrap();
        insta::with_settings!({
            snapshot_path => "../golden",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => cpython.version(),
        }, {
            insta::assert_snapshot!(group.name.as_str(), record.text());
        });
    }
}

#[test]
fn synchronous_servers() {
    check("synchronous-");
}

#[test]
fn servers_with_threads() {
    check("thread_per_request-");
}

#[test]
fn servers_that_fork() {
    check("fork-");
}
