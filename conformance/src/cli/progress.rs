//! Shows how far a run has come, where somebody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for one layer after another. Where standard error is no terminal, nothing is shown.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        // A template that makes no sense would show as the default one.
        if let Ok(style) =
            ProgressStyle::with_template("{msg:<28} {wide_bar} {pos}/{len} {elapsed}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// The next thing that is done, in so many steps.
    pub(super) fn begin(&self, what: &'static str, steps: usize) {
        self.bar.reset();
        self.bar.set_message(what);
        self.bar.set_length(steps as u64);
    }

    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
