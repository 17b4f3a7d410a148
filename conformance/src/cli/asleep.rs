//! What checked nothing must not pass for success.

use clap::ValueEnum;

use super::{Failure, LayerName, Options};
use crate::results::{Layer, Results};

/// A layer that checked nothing is a fault.
///
/// # Errors
///
/// When none checked anything.
pub(super) fn check(options: &Options, results: &mut Results) -> Result<(), Failure> {
    if results.cases.is_empty() {
        let why = match &*options.filter {
            "" => "see --layer, --cases and --python".to_owned(),
            filter => format!("nothing in these layers has {filter:?} in its name"),
        };
        return Err(format!("nothing was checked: {why}").into());
    }
    for name in LayerName::value_variants() {
        let layer = name.layer();
        // Without a CPython these are left out, which is told elsewhere.
        let can_be_left_out = matches!(layer, Layer::Live | Layer::Differential);
        let asleep = !results.cases.iter().any(|case| case.layer == layer);
        if asleep && options.wants(layer) && options.filter.is_empty() && !can_be_left_out {
            results.faults.push(format!("the layer {layer:?} checked nothing"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::compare::Verdict;
    use crate::results::Case;

    fn checked(arguments: &[&str], layers: &[Layer]) -> Result<usize, String> {
        let options = Options::parse_from([&["conformance"], arguments].concat());
        let case = |layer: &Layer| Case {
            layer: *layer,
            name: String::new(),
            strategy: None,
            transport: None,
            oracle: None,
            verdict: Verdict::Same,
            cpython: None,
            here: None,
            scenario: None,
            time: Duration::ZERO,
        };
        let cases = layers.iter().map(case).collect();
        let mut results = Results { cases, ..Results::default() };
        check(&options, &mut results).map_err(|error| error.to_string())?;
        Ok(results.faults.len())
    }

    #[test]
    fn a_run_that_checks_nothing_is_an_error_that_says_what_was_asked_for() {
        let error = checked(&["--filter", "nonsense"], &[]).unwrap_err();
        assert!(error.contains("has \"nonsense\" in its name"), "{error}");
        assert!(checked(&["--layer", "live", "--no-python"], &[]).is_err());
    }

    #[test]
    fn a_layer_that_is_asked_for_and_checks_nothing_is_a_fault() {
        assert_eq!(checked(&["--layer", "golden,ported"], &[Layer::Golden]), Ok(1));
        let without_python = [Layer::Golden, Layer::Properties, Layer::Ported, Layer::Statements];
        assert_eq!(checked(&[], &without_python), Ok(0));
        assert_eq!(checked(&["--filter", "fork"], &[Layer::Golden]), Ok(0));
    }
}
