//! Which cases the page shows, and which it only counts: the same scenario is shown once, however often it was checked.

use std::collections::{HashMap, HashSet};

use crate::compare::Verdict;
use crate::results::{Case, Results};
use crate::scenario::Scenario;

use super::words;

/// So many generated cases with the same listed differences are shown. The others would show nothing else.
const MOST_GENERATED: usize = 10;

/// Cases with one name, and one scenario if they have any.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// Their name.
    pub(super) name: &'a str,
    /// What links to them lead to, after the `#`.
    pub(super) anchor: String,
    /// Their scenario.
    pub(super) scenario: Option<&'a Scenario>,
    /// The cases; those that found the same stand together.
    pub(super) findings: Vec<Vec<&'a Case>>,
}

/// All cases.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    /// Those to show, in the order in which they came.
    pub(super) shown: Vec<Group<'a>>,
    /// How many generated cases are not shown, and what came out of them.
    pub(super) counted: Vec<(String, usize)>,
}

impl<'a> Groups<'a> {
    /// Sorts the cases out.
    pub(super) fn of(results: &'a Results) -> Self {
        let mut groups = Self { shown: Vec::new(), counted: Vec::new() };
        let mut places = HashMap::new();
        let mut anchors = HashSet::new();
        let mut generated: HashMap<String, usize> = HashMap::new();
        for case in &results.cases {
            if let Some(outcome) = not_worth_showing(case, &mut generated) {
                groups.count(outcome);
                continue;
            }
            let place = *places.entry((&case.name, &case.scenario)).or_insert_with(|| {
                groups.shown.push(Group {
                    name: &case.name,
                    anchor: anchor(&case.name, &mut anchors),
                    scenario: case.scenario.as_ref(),
                    findings: Vec::new(),
                });
                groups.shown.len() - 1
            });
            groups.shown[place].add(case);
        }
        groups
    }

    fn count(&mut self, outcome: String) {
        match self.counted.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, count)) => *count += 1,
            None => self.counted.push((outcome, 1)),
        }
    }

    /// The groups by name; the first, if several bear it.
    pub(super) fn by_name(&self) -> HashMap<&'a str, &Group<'a>> {
        let mut groups = HashMap::new();
        for group in &self.shown {
            groups.entry(group.name).or_insert(group);
        }
        groups
    }
}

impl<'a> Group<'a> {
    fn add(&mut self, case: &'a Case) {
        let same = |other: &&Case| {
            (&other.verdict, &other.cpython, &other.here)
                == (&case.verdict, &case.cpython, &case.here)
        };
        match self.findings.iter_mut().find(|cases| cases.iter().any(same)) {
            Some(cases) => cases.push(case),
            None => self.findings.push(vec![case]),
        }
    }

    /// All its cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = &'a Case> {
        self.findings.iter().flatten().copied()
    }

    /// What was found, each verdict once.
    pub(super) fn verdicts(&self) -> Vec<&'static str> {
        let mut verdicts = words::VERDICTS.to_vec();
        verdicts.retain(|word| self.cases().any(|case| words::verdict(&case.verdict) == *word));
        verdicts
    }

    /// Whether there is a new difference among them.
    pub(super) fn is_new(&self) -> bool {
        self.cases().any(|case| matches!(case.verdict, Verdict::New(_)))
    }
}

/// What came out of a generated case, if it is enough to count it.
fn not_worth_showing(case: &Case, shown: &mut HashMap<String, usize>) -> Option<String> {
    let outcome = match &case.verdict {
        _ if !words::is_generated(case) => return None,
        Verdict::New(_) => return None,
        Verdict::Same => return Some("the same as in CPython".to_owned()),
        Verdict::Listed(ids) => format!("the same but for {}", ids.join(", ")),
        Verdict::Unsupported(why) => format!("not compared: {why}"),
    };
    let count = shown.entry(outcome.clone()).or_default();
    *count += 1;
    (*count > MOST_GENERATED).then_some(outcome)
}

/// A name for links, unlike any other.
fn anchor(name: &str, taken: &mut HashSet<String>) -> String {
    let plain = |char: char| if char.is_alphanumeric() || char == '_' { char } else { '-' };
    let first = format!("case-{}", name.chars().map(plain).collect::<String>());
    let mut anchor = first.clone();
    let mut number = 1;
    while !taken.insert(anchor.clone()) {
        number += 1;
        anchor = format!("{first}-{number}");
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::results::Layer;
    use crate::scenario::{Strategy, Transport};

    #[test]
    fn what_found_the_same_stands_together() {
        let results = sample::results();
        let groups = Groups::of(&results);
        assert_eq!(groups.shown[0].findings.len(), 1);
        assert_eq!(groups.shown[0].cases().count(), 3);
    }

    #[test]
    fn generated_cases_that_are_the_same_are_counted_but_those_of_the_catalogue_are_shown() {
        let case =
            |layer, name: String| sample::case(layer, &name, Strategy::Synchronous, Transport::Tcp);
        let mut results = Results::default();
        results.cases.extend((0..50).map(|n| case(Layer::Differential, format!("case {n}"))));
        results.cases.extend((0..50).map(|n| case(Layer::Properties, format!("case {n}"))));
        results.cases.extend((0..7).map(|n| case(Layer::Golden, format!("a/{n}"))));
        let groups = Groups::of(&results);
        assert_eq!(groups.shown.len(), 7);
        assert_eq!(groups.counted, [("the same as in CPython".to_owned(), 100)]);
    }

    #[test]
    fn of_generated_cases_that_say_the_same_some_are_shown() {
        let mut results = sample::results();
        let listed = results.cases.iter().rfind(|case| matches!(case.verdict, Verdict::Listed(_)));
        let listed = listed.unwrap().clone();
        results.cases =
            (0..30).map(|n| Case { name: format!("case {n}"), ..listed.clone() }).collect();
        let groups = Groups::of(&results);
        assert_eq!(groups.shown.len(), MOST_GENERATED);
        assert_eq!(groups.counted, [("the same but for reaping-is-no-hook".to_owned(), 20)]);
    }

    #[test]
    fn anchors_are_unique() {
        let mut taken = HashSet::new();
        assert_eq!(anchor("a/b c_d", &mut taken), "case-a-b-c_d");
        assert_eq!(anchor("a b/c_d", &mut taken), "case-a-b-c_d-2");
    }
}
