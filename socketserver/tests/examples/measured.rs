//! The example `slow_drip`: it says by itself whether all slow clients were cut in time. What else it measures is not
//! judged here: on a busy machine honest clients are slow too.

use crate::program::{Program, example, runner};

#[test]
fn slow_clients_are_cut_in_time() {
    if runner().is_some() {
        println!("notice: the example starts itself, which an emulator cannot, so it was left out");
        return;
    }
    let program = Program::start(example("slow_drip").args(["40", "1"])).unwrap();
    let (status, said, errors) = program.wait();
    assert!(status.success(), "{said:?} {errors:?}");
    assert!(said.iter().any(|line| line == "not cut: 0"), "{said:?}");
    let cut = said.iter().find(|line| line.starts_with("cut by the server: ")).unwrap();
    assert!(!cut.contains(" 0 by first byte"), "{cut}");
}

#[test]
fn arguments_that_make_no_sense_are_answered_with_the_usage() {
    let nonsense = [
        ("churn", &["many"][..]),
        ("churn", &["1", "2"]),
        ("slow_drip", &["1", "-1"]),
        ("slow_drip", &["1", "2", "3", "4", "5", "6"]),
        ("soak", &["--seconds"]),
    ];
    for (name, arguments) in nonsense {
        let (status, said, _) = Program::start(example(name).args(arguments)).unwrap().wait();
        assert_eq!(status.code(), Some(2), "{name} {arguments:?}");
        assert!(said[0].starts_with(&format!("usage: {name} ")), "{said:?}");
    }
}
