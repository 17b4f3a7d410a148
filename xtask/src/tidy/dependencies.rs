//! Which package may reach which. Read from `Cargo.lock`: it holds every dependency of the members
//! under its real name (development, build, one platform only, optional), and needs no network.

use std::collections::BTreeMap;

use super::Violation;
use super::files::{SourceFile, find};

const LOCK: &str = "Cargo.lock";
const CORE: &str = "socketserver-core";
const FACADE: &str = "socketserver";
const PEERS: [&str; 3] = ["socketserver-bench", "tokio", "hdrhistogram"];
const SIBLINGS: [&str; 3] =
    ["socketserver-transports", "socketserver-concurrency", "socketserver-handlers"];
/// These may only depend on themselves, for a feature in their own tests.
const WITHOUT_DEPENDENCIES: [&str; 2] = [CORE, "xtask"];
/// But for the model checker, which only builds with `--cfg loom` have.
const MODEL_CHECKER: [&str; 2] = [CORE, "loom"];
/// Runtimes, thread pools and sockets: choices that are not the core's to make. `*` ends a prefix.
const NOT_IN_CORE: [&str; 7] =
    ["rayon", "crossbeam*", "tokio", "async-std", "mio", "socket2", "rustix"];

/// The siblings do not reach one another, not even through a third package.
pub(super) fn siblings(files: &[SourceFile]) -> Vec<Violation> {
    judge(files, &SIBLINGS, |chain| {
        let sibling = chain.last().is_some_and(|end| SIBLINGS.contains(end));
        sibling.then_some("siblings do not depend on one another")
    })
}

/// The packages that are kept without dependencies have none.
pub(super) fn without_dependencies(files: &[SourceFile]) -> Vec<Violation> {
    judge(files, &WITHOUT_DEPENDENCIES, |chain| {
        let is_one = chain.len() == 2 && *chain != MODEL_CHECKER;
        is_one.then_some("this package is kept without dependencies")
    })
}

/// The core knows no runtime, no pool and no socket, however far away.
pub(super) fn core_stays_clear(files: &[SourceFile]) -> Vec<Violation> {
    judge(files, &[CORE], |chain| {
        let matches = |end: &str| {
            NOT_IN_CORE.iter().any(|name| match name.strip_suffix('*') {
                Some(prefix) => end.starts_with(prefix),
                None => end == *name,
            })
        };
        chain.last().is_some_and(|end| matches(end)).then_some("not to be reached from the core")
    })
}

/// What the servers are held against stays where it is: nobody who uses them builds a runtime, nor do their tests.
pub(super) fn peers_stay_outside(files: &[SourceFile]) -> Vec<Violation> {
    judge(files, &[FACADE], |chain| {
        let is_peer = chain.last().is_some_and(|end| PEERS.contains(end));
        is_peer.then_some("for the benchmark only")
    })
}

/// A package of the lock file: where it stands there, and what it depends on.
#[derive(Debug, Default)]
struct Package<'a> {
    line: usize,
    dependencies: Vec<&'a str>,
}

/// Packages by name; several versions of one are taken together.
fn parse(lock: &SourceFile) -> BTreeMap<&str, Package<'_>> {
    let mut packages: BTreeMap<_, Package<'_>> = BTreeMap::new();
    let mut current = "";
    for (number, line) in lock.lines() {
        if let Some(name) = line.strip_prefix("name = ") {
            current = name.trim_matches('"');
            packages.entry(current).or_default().line = number;
        } else if let Some(dependency) = line.strip_prefix(" \"") {
            // `"name",`, or `"name version",` if there are several.
            let end = dependency.find([' ', '"']).unwrap_or(dependency.len());
            packages.entry(current).or_default().dependencies.push(&dependency[..end]);
        }
    }
    packages
}

/// Asks about everything that each of the packages reaches, with the chain that leads there.
fn judge(
    files: &[SourceFile],
    names: &[&str],
    fault: impl Fn(&[&str]) -> Option<&'static str>,
) -> Vec<Violation> {
    let Some(lock) = find(files, LOCK) else {
        return vec![Violation::new(LOCK, 1, "missing: the dependencies cannot be checked")];
    };
    let packages = parse(lock);
    let mut violations = Vec::new();
    for name in names {
        let Some(package) = packages.get(name) else {
            violations.push(Violation::new(LOCK, 1, format!("{name} is missing: was it renamed?")));
            continue;
        };
        for chain in reached(&packages, name) {
            if let Some(fault) = fault(&chain) {
                let message = format!("{}: {fault}", chain.join(" -> "));
                violations.push(Violation::new(LOCK, package.line, message));
            }
        }
    }
    violations
}

/// The shortest chain from a package to each other package that it reaches.
fn reached<'a>(packages: &BTreeMap<&'a str, Package<'a>>, name: &'a str) -> Vec<Vec<&'a str>> {
    let mut chains = vec![vec![name]];
    let mut next = 0;
    while let Some(chain) = chains.get(next).cloned() {
        next += 1;
        let package = chain.last().and_then(|end| packages.get(end));
        for dependency in package.map_or(&[][..], |package| &package.dependencies) {
            if chains.iter().all(|chain| chain.last() != Some(dependency)) {
                chains.push([&chain[..], &[*dependency]].concat());
            }
        }
    }
    chains.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock file in which the given package has one more dependency.
    fn lock(package: &str, dependency: &str) -> [SourceFile; 1] {
        let mut lines = vec!["version = 4\n".to_owned()];
        for (name, dependencies) in [
            ("mio", &[][..]),
            ("tokio", &[]),
            ("socketserver", &SIBLINGS[..]),
            ("socketserver-concurrency", &[CORE]),
            (CORE, &[CORE]),
            ("socketserver-handlers", &[CORE]),
            ("socketserver-transports", &["socket2", CORE]),
            ("socket2", &[]),
            ("timer", &["mio 1.0.0"]),
            ("xtask", &[]),
        ] {
            lines.push(format!("[[package]]\nname = \"{name}\"\ndependencies = ["));
            let more = (name == package).then_some(&dependency);
            let all = dependencies.iter().chain(more);
            lines.extend(all.map(|name| format!(" \"{name}\",")));
            lines.push("]\n".to_owned());
        }
        [SourceFile::new(LOCK, &lines.join("\n"))]
    }

    fn messages(violations: &[Violation]) -> Vec<&str> {
        violations.iter().map(|violation| violation.message.as_str()).collect()
    }

    #[test]
    fn the_intended_layers_pass() {
        let files = lock("", "");
        for check in [siblings, without_dependencies, core_stays_clear] {
            assert_eq!(check(&files), []);
        }
    }

    #[test]
    fn a_sibling_is_found_directly_and_through_another_package() {
        let direct = siblings(&lock("socketserver-handlers", "socketserver-transports 0.1.0"));
        assert_eq!(
            messages(&direct),
            [
                "socketserver-handlers -> socketserver-transports: siblings do not depend on one another"
            ]
        );
        let through = siblings(&lock("socketserver-handlers", "socketserver"));
        let chain = "socketserver-handlers -> socketserver -> socketserver-transports: ";
        assert!(messages(&through).iter().any(|message| message.starts_with(chain)), "{through:?}");
    }

    #[test]
    fn a_dependency_of_the_core_or_of_this_program_is_found() {
        for name in WITHOUT_DEPENDENCIES {
            assert_eq!(without_dependencies(&lock(name, "timer")).len(), 1, "{name}");
        }
    }

    #[test]
    fn the_model_checker_may_stand_in_the_core_and_nowhere_else() {
        assert_eq!(without_dependencies(&lock(CORE, "loom")), []);
        assert_eq!(without_dependencies(&lock("xtask", "loom")).len(), 1);
    }

    #[test]
    fn what_the_core_must_not_know_is_found_at_any_distance() {
        let far = core_stays_clear(&lock(CORE, "timer"));
        assert_eq!(
            messages(&far),
            ["socketserver-core -> timer -> mio: not to be reached from the core"]
        );
        for name in ["rayon", "crossbeam-channel", "crossbeam", "rustix 1.0.0"] {
            assert_eq!(core_stays_clear(&lock(CORE, name)).len(), 1, "{name}");
        }
        assert_eq!(core_stays_clear(&lock(CORE, "rayon-like")), []);
    }

    #[test]
    fn a_peer_of_the_benchmark_in_the_product_is_found() {
        assert_eq!(peers_stay_outside(&lock("", "")), []);
        for package in [FACADE, "socket2"] {
            assert_eq!(peers_stay_outside(&lock(package, "tokio")).len(), 1, "{package}");
        }
    }

    #[test]
    fn a_lock_file_that_cannot_tell_is_a_violation() {
        assert_eq!(siblings(&[]).len(), 1);
        assert_eq!(siblings(&[SourceFile::new(LOCK, "version = 4\n")]).len(), SIBLINGS.len());
    }
}
