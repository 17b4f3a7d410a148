//! temp
use socketserver_conformance::{
    compare::Verdict, differential::*, divergence, scenario::*, subject::*,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
fn main() {
    let seed: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let cases: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
    let harness = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("socketserver-conformance");
    let handles: Vec<_> = (0..4)
        .map(|part| {
            let harness = harness.clone();
            std::thread::spawn(move || {
                let mut here = Twin::new(&Command::here(&harness)).unwrap();
                let mut python = Twin::new(&Command::python("python3".as_ref())).unwrap();
                let rules = divergence::Rules::new(&divergence::load().unwrap(), python.version());
                let hits = RefCell::new(BTreeMap::new());
                let stop = std::sync::atomic::AtomicBool::new(false);
                let plan = Plan {
                    cases: cases / 4,
                    seed,
                    part,
                    strategies: Strategy::ALL.to_vec(),
                    transports: Transport::ALL.to_vec(),
                };
                let start = std::time::Instant::now();
                let r = run(&plan, &mut python, &mut here, &rules, &stop, &|case| {
                    let key = match &case.verdict {
                        Verdict::Same => "same".to_owned(),
                        Verdict::Listed(_) => "listed".to_owned(),
                        Verdict::Unsupported(w) => format!("unsupported {w}"),
                        Verdict::New(d) => {
                            println!(
                                "NEW {}\npython {}\nhere {}\nexpected {}",
                                serde_json::to_string(&case.scenario).unwrap(),
                                d.cpython,
                                d.here,
                                d.expected
                            );
                            "NEW".to_owned()
                        }
                    };
                    *hits.borrow_mut().entry(key).or_insert(0) += 1;
                    if case.time.as_millis() > 1000 {
                        println!(
                            "SLOW {:?} {}",
                            case.time,
                            serde_json::to_string(&case.scenario).unwrap()
                        );
                    }
                });
                println!("part {part} {r:?} {:?} {:?}", hits.borrow(), start.elapsed());
            })
        })
        .collect();
    for h in handles {
        h.join().unwrap();
    }
}
