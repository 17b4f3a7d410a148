//! The results for other programs.

use std::io;

use serde::Serialize;

use crate::results::Results;

/// Goes up when a field goes away or changes its meaning; not when one is added.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    good: bool,
    #[serde(flatten)]
    results: &'a Results,
}

/// The results as JSON, with the number of the format and whether they are good.
pub(super) fn json(results: &Results) -> io::Result<String> {
    let document = Document { format: FORMAT, good: results.is_good(), results };
    Ok(serde_json::to_string(&document)?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    #[test]
    fn it_reads_back() {
        let results = sample::results();
        let value: Value = serde_json::from_str(&json(&results).unwrap()).unwrap();
        assert_eq!(value["format"], 1);
        assert_eq!(value["good"], false);
        assert_eq!(value["seed"], 42);
        assert_eq!(value["time"]["secs"], 12);
        assert_eq!(value["cases"].as_array().unwrap().len(), results.cases.len());
        let first = &value["cases"][0];
        assert_eq!(first["layer"], "golden");
        assert_eq!(first["verdict"], "same");
        assert_eq!(first["scenario"]["transport"], "tcp");
        let new = &value["cases"][5]["verdict"]["new"];
        assert!(new["cpython"].as_str().unwrap().contains("service_actions"));
        assert_eq!(value["statements"][1]["settled"], "divergent");
        assert_eq!(value["divergences"][0][0], "reaping-is-no-hook");
        assert_eq!(value["notices"].as_array().unwrap().len(), results.notices.len());
        assert_eq!(value["faults"].as_array().unwrap().len(), results.faults.len());
    }
}
