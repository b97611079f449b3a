//! Where bars are drawn.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::edge::Edge;

/// A terminal with bars on it.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) bars: MultiProgress,
    pub(super) columns: fn() -> usize,
    pub(super) colour: bool,
}

impl Terminal {
    pub(super) fn stderr(colour: bool) -> Self {
        let target = ProgressDrawTarget::term_like(Box::new(Edge(console::Term::buffered_stderr())));
        let columns = || usize::from(console::Term::stderr().size().1);
        Self { bars: MultiProgress::with_draw_target(target), columns, colour }
    }

    /// One more bar, below the others.
    pub(super) fn bar(&self) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::no_length());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar
    }
}
