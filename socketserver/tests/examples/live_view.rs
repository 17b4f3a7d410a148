//! The example `live_view`: that it measures, with few clients.

use crate::program::{Program, example, runner};

#[test]
fn live_view_tells_what_it_measured() {
    if runner().is_some() {
        println!(
            "notice: an example that starts itself does not know the emulator, so it was left out"
        );
        return;
    }
    let (status, stdout, stderr) =
        Program::start(example("live_view").args(["20", "30"])).unwrap().wait();
    assert_eq!((status.code(), &stderr[..]), (Some(0), &[][..]));
    let begins = ["20 connections", "nobody looks", "all are listed", "a list", "drained in"];
    assert_eq!(stdout.len(), begins.len(), "{stdout:?}");
    assert!(stdout.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{stdout:?}");
}
