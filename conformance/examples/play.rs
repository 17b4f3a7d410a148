//! Plays scenarios of the catalogue with both subjects and prints what they showed.
use socketserver_conformance::catalogue::catalogue;
use socketserver_conformance::subject::{Command, Subject, Twin};
fn main() {
    let pattern = std::env::args().nth(1).unwrap_or_default();
    let verbose = std::env::args().nth(2).is_some();
    let harness = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("socketserver-conformance");
    let mut here = Twin::new(&Command::here(&harness)).unwrap();
    let mut python = Twin::new(&Command::python("python3".as_ref())).unwrap();
    let rules = socketserver_conformance::divergence::Rules::new(
        &socketserver_conformance::divergence::load().unwrap(),
        python.version(),
    );
    let mut hits = std::collections::BTreeMap::new();
    let (mut same, mut other) = (0, 0);
    for entry in catalogue().into_iter().filter(|e| e.name.contains(&pattern)) {
        let start = std::time::Instant::now();
        let a = python.play(&entry.scenario);
        let t1 = start.elapsed();
        let b = here.play(&entry.scenario);
        let t2 = start.elapsed() - t1;
        let v = match (&a, &b) {
            (Ok(a), Ok(b)) => {
                Some(socketserver_conformance::compare::compare(&rules, &entry.scenario, a, b))
            }
            _ => None,
        };
        use socketserver_conformance::compare::Verdict as V;
        let eq = matches!(v, Some(V::Same | V::Listed(_) | V::Unsupported(_)));
        if let Some(V::Listed(ids)) = &v {
            for id in ids {
                *hits.entry(id.clone()).or_insert(0) += 1;
            }
        }
        if eq {
            same += 1
        } else {
            other += 1
        }
        println!("{} {} {:?} {:?}", if eq { "same" } else { "DIFF" }, entry.name, t1, t2);
        if !eq || verbose {
            for (w, x) in [("python", &a), ("here  ", &b)] {
                match x {
                    Ok(p) => match p.trace() {
                        Some(t) => println!(
                            "  {w} {} {}",
                            if matches!(p, socketserver_conformance::subject::Played::Hung(_)) {
                                "HUNG"
                            } else {
                                ""
                            },
                            serde_json::to_string(t).unwrap()
                        ),
                        None => println!("  {w} {p:?}"),
                    },
                    Err(e) => println!("  {w} ERROR {e}"),
                }
            }
        }
    }
    println!("{hits:#?}");
    println!("{same} same, {other} differ");
}
