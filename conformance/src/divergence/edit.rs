//! What becomes of CPython's trace: a sequence in it that is replaced.

use serde::Deserialize;

use super::when::Concerned;
use crate::trace::{Call, Calls, Trace};

/// A part of a trace.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// What the serving thread called.
    Main,
    /// What other threads and processes called.
    Workers,
    /// What closing called.
    Close,
    /// What clients saw.
    Clients,
    /// What came out of the verbs.
    Outcomes,
}

/// Replaces one sequence by another, wherever it stands.
///
/// Calls are written as in a trace, without requests; all calls of a match belong to the same one. `*` in a note stands for
/// any text. In `to`, `$1` is the first call that matched. In what clients saw, `"*` is any data, and `to` may leave a
/// choice: `end or reset`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    #[serde(rename = "in")]
    place: Vec<Place>,
    from: String,
    to: String,
}

impl Edit {
    /// Edits CPython's trace, of workers and clients only what is about those concerned, if not about all.
    pub(super) fn apply(&self, trace: &mut Trace, seen: &Trace, concerned: Option<&Concerned>) {
        for place in &self.place {
            match place {
                Place::Main => self.replace(&mut trace.main),
                Place::Workers => {
                    for (request, calls) in &mut trace.workers {
                        if concerned.is_none_or(|it| it.requests.contains(request)) {
                            self.replace(calls);
                        }
                    }
                }
                Place::Close => self.replace(&mut trace.close),
                Place::Clients => {
                    for (number, words) in &mut trace.clients {
                        if concerned.is_none_or(|it| it.clients.contains(number)) {
                            let here = seen.clients.get(number).map_or(&[][..], Vec::as_slice);
                            self.replace_words(words, here);
                        }
                    }
                }
                Place::Outcomes => self.replace_words(&mut trace.outcomes, &seen.outcomes),
            }
        }
    }

    fn replace(&self, calls: &mut Calls) {
        let pattern: Vec<&str> = self.from.split_whitespace().collect();
        let mut start = 0;
        while start + pattern.len() <= calls.0.len() {
            let found = &calls.0[start..start + pattern.len()];
            let request = found.iter().find_map(|call| call.request);
            let matches = found.iter().zip(&pattern).all(|(call, pattern)| is_like(call, pattern));
            let of_one = found.iter().all(|call| call.request.is_none() || call.request == request);
            if !(matches && of_one) {
                start += 1;
                continue;
            }
            let to: Vec<Call> =
                self.to.split_whitespace().filter_map(|word| made(word, found, request)).collect();
            let next = start + to.len().max(1);
            calls.0.splice(start..start + pattern.len(), to);
            start = next;
        }
    }

    fn replace_words(&self, words: &mut Vec<String>, here: &[String]) {
        let choices: Vec<&str> = self.to.split(" or ").collect();
        *words = words
            .iter()
            .enumerate()
            .flat_map(|(place, word)| {
                let data = self.from == "\"*" && word.starts_with('"');
                if !data && *word != self.from {
                    return vec![word.clone()];
                }
                let seen = here.get(place).map(String::as_str);
                let choice =
                    choices.iter().find(|choice| Some(**choice) == seen).or(choices.first());
                choice.into_iter().flat_map(|choice| split_words(choice)).collect()
            })
            .collect();
    }
}

/// The words of what a client saw: data in quotes is one.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in text.split_inclusive('"').enumerate() {
        if number % 2 == 1 {
            words.push(format!("\"{part}"));
        } else {
            words.extend(part.trim_end_matches('"').split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The call that a word of `to` stands for.
fn made(word: &str, found: &[Call], request: Option<usize>) -> Option<Call> {
    match word.strip_prefix('$').map(str::parse::<usize>) {
        Some(Ok(number)) => found.get(number.checked_sub(1)?).cloned(),
        _ => word.parse().ok().map(|call: Call| call.of(request)),
    }
}

fn is_like(call: &Call, pattern: &str) -> bool {
    let (name, note) = match pattern.split_once('!') {
        Some((name, note)) => (name, Some(note)),
        None => (pattern, None),
    };
    call.name == name
        && match (&call.note, note) {
            (None, None) => true,
            (Some(note), Some(pattern)) => match pattern.split_once('*') {
                Some((start, end)) => {
                    note.len() >= start.len() + end.len()
                        && note.starts_with(start)
                        && note.ends_with(end)
                }
                None => note == pattern,
            },
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(from: &str, to: &str, text: &str) -> String {
        let edit = Edit { place: vec![Place::Main], from: from.to_owned(), to: to.to_owned() };
        let mut trace = Trace { main: text.parse().unwrap(), ..Trace::default() };
        edit.apply(&mut trace, &Trace::default(), None);
        trace.main.to_string()
    }

    #[test]
    fn calls_of_one_request_are_replaced() {
        assert_eq!(edited("a!x", "$1 b c", "a:0 a:1!x d:1"), "a:0 a:1!x b:1 c:1 d:1");
        assert_eq!(edited("a b", "", "a:0 b:1 a:2 b:2 |"), "a:0 b:1 |");
        assert_eq!(edited("a!*-y", "b", "a!x-y a!x"), "b a!x");
        assert_eq!(edited("a", "a a", "a a"), "a a a a", "what was put there is not edited again");
    }

    #[test]
    fn what_clients_saw_is_replaced() {
        let edit = |from: &str, to: &str| Edit {
            place: vec![Place::Clients],
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let trace = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Trace { clients: [(0, words)].into(), ..Trace::default() }
        };
        let only = |client| Concerned { requests: Vec::new(), clients: vec![client] };
        let mut open = trace(&["\"a b\"", "open"]);
        edit("open", "end or reset").apply(&mut open, &trace(&["\"a b\"", "reset"]), None);
        assert_eq!(open, trace(&["\"a b\"", "reset"]));
        edit("\"*", "").apply(&mut open, &Trace::default(), Some(&only(1)));
        assert_eq!(open, trace(&["\"a b\"", "reset"]), "not its client");
        edit("\"*", "").apply(&mut open, &Trace::default(), Some(&only(0)));
        assert_eq!(open, trace(&["reset"]));
        edit("reset", "\"hi there\" end").apply(&mut open, &Trace::default(), None);
        assert_eq!(open, trace(&["\"hi there\"", "end"]));
    }
}
