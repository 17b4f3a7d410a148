//! Changing what clients saw and what came out: the other tools that faults are made with.

use crate::trace::Trace;

/// Changes what the first client that is as `is` says saw.
pub(super) fn seen(
    trace: &mut Trace,
    is: impl Fn(&[String]) -> bool,
    change: impl Fn(&mut Vec<String>),
) -> bool {
    let Some(words) = trace.clients.values_mut().find(|words| is(words)) else { return false };
    change(words);
    true
}

/// Whether a word stands for data.
pub(super) fn is_data(word: &str) -> bool {
    word.starts_with('"')
}

/// A client that got data.
pub(super) fn with_data(words: &[String]) -> bool {
    words.iter().any(|word| is_data(word))
}

/// A client that saw the end of its connection.
pub(super) fn with_end(words: &[String]) -> bool {
    words.last().is_some_and(|word| word == "end")
}

/// Gives one word for another.
pub(super) fn say_instead(words: &mut [String], before: &str, after: &str) {
    for word in words.iter_mut().filter(|word| *word == before) {
        after.clone_into(word);
    }
}

/// Changes the first outcome that is as `is` says.
pub(super) fn outcome(trace: &mut Trace, is: impl Fn(&str) -> bool, after: &str) -> bool {
    let Some(outcome) = trace.outcomes.iter_mut().find(|outcome| is(outcome)) else { return false };
    after.clone_into(outcome);
    true
}
