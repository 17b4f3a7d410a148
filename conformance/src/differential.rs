//! Generated scenarios, played by both subjects. A difference shrinks to the shortest scenario that shows it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};

use crate::compare::{Difference, Verdict};
use crate::divergence::Rules;
use crate::generate::scenarios;
use crate::judge::Both;
use crate::results::{Case, Layer};
use crate::scenario::{Scenario, Strategy, Transport};
use crate::subject::{Subject, SubjectError};

/// Seeds of scenarios that once showed a difference; they are played first.
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/differential.txt");
/// A scenario takes milliseconds, so shrinking may try many, but not for ever.
const SHRINK_ITERATIONS: u32 = 4000;
/// The same in milliseconds.
const SHRINK_TIME: u32 = 60_000;

/// What to generate.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many scenarios.
    pub cases: u32,
    /// What they are drawn from.
    pub seed: u64,
    /// Which part of the drawing this is, so that parts differ.
    pub part: u32,
    /// Which strategies.
    pub strategies: Vec<Strategy>,
    /// Which transports.
    pub transports: Vec<Transport>,
}

/// Plays generated scenarios and tells `found` of each case. It ends at the first new difference, which comes shrunk, as
/// the last case, and when `stop` is set.
///
/// # Errors
///
/// When a subject could not play at all.
pub fn run(
    plan: &Plan,
    cpython: &mut dyn Subject,
    here: &mut dyn Subject,
    rules: &Rules,
    stop: &AtomicBool,
    found: &dyn Fn(Case),
) -> Result<(), SubjectError> {
    let config = Config {
        cases: plan.cases,
        max_shrink_iters: SHRINK_ITERATIONS,
        max_shrink_time: SHRINK_TIME,
        // Only one part plays the old seeds again.
        failure_persistence: Some(Box::new(if plan.part == 0 {
            FileFailurePersistence::Direct(SEEDS)
        } else {
            FileFailurePersistence::Off
        })),
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, random(plan));
    let pair = RefCell::new(Pair { cpython, here, rules });
    let broken = RefCell::new(None);
    let shrinking = AtomicBool::new(false);
    let drawn = scenarios(plan.strategies.clone(), plan.transports.clone());
    let result = runner.run(&drawn, |scenario| {
        if stop.load(Ordering::Relaxed) && !shrinking.load(Ordering::Relaxed) {
            // Another part found something, or the user is waiting.
            return Ok(());
        }
        let case = match pair.borrow_mut().case(&scenario) {
            Ok(case) => case,
            Err(error) => {
                let reason = error.to_string();
                broken.borrow_mut().get_or_insert(error);
                return Err(TestCaseError::fail(reason));
            }
        };
        if let Verdict::New(difference) = &case.verdict {
            shrinking.store(true, Ordering::Relaxed);
            return Err(TestCaseError::fail(difference.expected.clone()));
        }
        if !shrinking.load(Ordering::Relaxed) {
            found(case);
        }
        Ok(())
    });
    if let Some(error) = broken.into_inner() {
        return Err(error);
    }
    match result {
        Ok(()) => Ok(()),
        Err(TestError::Fail(_, shortest)) => {
            stop.store(true, Ordering::Relaxed);
            found(pair.borrow_mut().again(&shortest)?);
            Ok(())
        }
        Err(TestError::Abort(why)) => Err(SubjectError::Generator(why.to_string())),
    }
}

/// Random numbers that are the same for the same plan.
fn random(plan: &Plan) -> TestRng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
    seed[8..12].copy_from_slice(&plan.part.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
}

/// Both subjects, and the rules to hold them together.
struct Pair<'a> {
    cpython: &'a mut dyn Subject,
    here: &'a mut dyn Subject,
    rules: &'a Rules,
}

impl Pair<'_> {
    fn case(&mut self, scenario: &Scenario) -> Result<Case, SubjectError> {
        let start = Instant::now();
        let (theirs, ours) = (self.cpython.play(scenario)?, self.here.play(scenario)?);
        let played = Both { scenario, theirs: &theirs, ours: &ours };
        let oracle = self.cpython.version().to_owned();
        Ok(played.case(Layer::Differential, "generated", oracle, self.rules, start.elapsed()))
    }

    /// The case that shrinking ended with, played once more. If it does not show the difference any more, that is told,
    /// too: a difference that comes and goes is one.
    fn again(&mut self, shortest: &Scenario) -> Result<Case, SubjectError> {
        let mut case = self.case(shortest)?;
        if !matches!(case.verdict, Verdict::New(_)) {
            case.verdict = Verdict::New(Difference {
                cpython: case.cpython.clone().unwrap_or_default(),
                here: case.here.clone().unwrap_or_default(),
                expected:
                    "the same each time: this scenario has shown a difference and does not any more"
                        .to_owned(),
            });
        }
        Ok(case)
    }
}
