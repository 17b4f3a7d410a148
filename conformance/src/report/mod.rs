//! Shows what a run found: a table for the terminal. Judges nothing itself.

mod difference;
#[cfg(test)]
mod sample;
mod side_by_side;
mod table;
mod tally;
mod words;

pub use difference::difference;
pub use side_by_side::side_by_side;
pub use table::table;

/// How many characters wide a report in plain text is.
pub const WIDTH: usize = 100;
