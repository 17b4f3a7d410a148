//! The example `slow_drip`: it says by itself whether all slow clients were cut in time.

use crate::program::{Program, example};

#[test]
fn slow_clients_are_cut_in_time_and_honest_ones_are_answered() {
    let program = Program::start(example("slow_drip").args(["40", "1"])).unwrap();
    let (status, said, errors) = program.wait();
    assert!(status.success(), "{said:?} {errors:?}");
    for line in ["not cut: 0", "honest requests that were not answered: 0"] {
        assert!(said.iter().any(|it| it == line), "{said:?}");
    }
}
