//! What a terminal shows, with what has scrolled off it: one long sheet of lines.

use std::collections::BTreeMap;

use crate::recording::Terminal;

/// How many lines may scroll off.
const LONGEST: usize = 10_000;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) colour: vt100::Color,
    pub(crate) bold: bool,
    pub(crate) dim: bool,
}

/// Text of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// A line of the terminal, without the blanks at its end, unless it goes on in the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) spans: Vec<Span>,
    /// It was too long: the next one is the rest of it.
    pub(crate) is_wrapped: bool,
}

impl Line {
    pub(crate) fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

pub(crate) struct Canvas {
    parser: vt100::Parser,
    /// All that were ever shown, as they are now.
    lines: Vec<Line>,
}

impl Canvas {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self { parser: vt100::Parser::new(terminal.rows, terminal.columns, LONGEST), lines: Vec::new() }
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many lines have scrolled off.
    pub(crate) fn top(&self) -> usize {
        self.parser.screen().scrollback_len()
    }

    /// The line and the column in which the next character comes to stand.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        let (row, column) = self.parser.screen().cursor_position();
        (self.top() + usize::from(row), usize::from(column))
    }

    pub(crate) fn is_cursor_hidden(&self) -> bool {
        self.parser.screen().hide_cursor()
    }

    /// Shows what was printed, and says which lines are others than before. `looked_at` is called whenever a line is done.
    pub(crate) fn print(&mut self, bytes: &[u8], mut looked_at: impl FnMut(&[Line])) -> Vec<usize> {
        let mut before = BTreeMap::new();
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            self.parser.process(piece);
            let (top, screen) = (self.top(), self.parser.screen());
            for row in 0..screen.size().0.get() {
                let (number, line) = (top + usize::from(row), line(screen, row));
                if number >= self.lines.len() {
                    self.lines.resize(number + 1, Line::default());
                }
                if self.lines[number] != line {
                    let last = std::mem::replace(&mut self.lines[number], line);
                    before.entry(number).or_insert(last);
                }
            }
            looked_at(&self.lines);
        }
        before.into_iter().filter(|(number, line)| self.lines[*number] != *line).map(|(number, _)| number).collect()
    }
}

fn line(screen: &vt100::Screen, row: u16) -> Line {
    let mut spans: Vec<Span> = Vec::new();
    let mut blanks = 0;
    for column in 0..screen.size().1.get() {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        if cell.contents().trim().is_empty() {
            blanks += 1;
            continue;
        }
        let style = Style { colour: cell.fgcolor(), bold: cell.bold(), dim: cell.dim() };
        let text = " ".repeat(std::mem::take(&mut blanks)) + cell.contents();
        match spans.last_mut() {
            Some(last) if last.style == style => last.text += &text,
            _ => spans.push(Span { text, style }),
        }
    }
    let is_wrapped = screen.row_wrapped(row);
    if let Some(last) = spans.last_mut().filter(|_| is_wrapped) {
        last.text += &" ".repeat(blanks);
    }
    Line { spans, is_wrapped }
}

/// The text of these lines as it was printed: what was wrapped is one line again. Each with whether it was too long;
/// one that was filled up with blanks, so that the next begins below it, was not.
pub(crate) fn unwrapped(lines: &[Line]) -> Vec<(String, bool)> {
    let mut whole: Vec<(String, bool)> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        match whole.last_mut() {
            Some((text, _)) if goes_on => *text += &line.text(),
            _ => {
                let text = line.text();
                let is_too_long = line.is_wrapped && !text.ends_with(' ');
                whole.push((text, is_too_long));
            }
        }
        goes_on = line.is_wrapped;
    }
    whole
}
