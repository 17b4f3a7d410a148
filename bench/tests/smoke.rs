//! The benchmark runs: one subject of this project and one peer, for a moment, without an error. How fast they are is
//! nothing that a test can tell.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use serde_json::Value;

#[test]
fn a_moment_of_two_subjects_goes_without_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_socketserver-bench"))
        .args(["--workload", "echo-4", "--subject", "pool", "--peer", "epoll"])
        .args(["--rounds", "1", "--millis", "200", "--report"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in ["index.html", "RESULTS.md"] {
        assert!(fs::read_to_string(folder.path().join(file)).unwrap().contains("echo-4"), "{file}");
    }
    let results = fs::read_to_string(folder.path().join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let cells = results["results"]["cells"].as_array().unwrap();
    let subjects: Vec<_> = cells.iter().map(|cell| cell["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["pool", "epoll"]);
    for cell in cells {
        assert_eq!(cell["rounds"][0]["errors"], 0, "{cell}");
        assert!(cell["rounds"][0]["values"]["cpu_micros"].as_f64().unwrap() > 0.0, "{cell}");
    }
}

#[test]
fn a_goal_that_is_not_met_fails_the_check() {
    let output = Command::new(env!("CARGO_BIN_EXE_socketserver-bench"))
        .args(["--workload", "udp-1", "--subject", "sync", "--peer", "recvmmsg", "--check"])
        .args(["--rounds", "1", "--millis", "50"])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("NOT MEASURED"), "{shown}");
}

#[test]
fn a_check_of_nothing_fails() {
    for choice in [
        ["--workload", "udp-1", "--subject", "fork"],
        ["--workload", "stop-0", "--subject", "sync"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_socketserver-bench"))
            .args(choice)
            .args(["--peer", "epoll", "--rounds", "1", "--millis", "50", "--check"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{choice:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("chosen"), "{said}");
    }
}
