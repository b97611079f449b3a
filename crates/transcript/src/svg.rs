//! A run as an animated picture: one file, no script, text that can be selected.
//!
//! The picture is a long sheet of lines behind a window. A line that changes is there once for each of its contents, and
//! style sheets show each in its time; the sheet moves up when lines scroll off.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::canvas::{Line, Span, Style};
use crate::film::Film;
use crate::recording::Recording;

const MARGIN: u32 = 16;
const LINE: u32 = 20;
/// Above the first line: the frame of the window.
const HEAD: u32 = 40;
/// The width of a character in thousandths of a pixel, at 14 px in the usual fonts.
const CHARACTER: u32 = 8430;

/// The 16 colours, as dark terminals show them.
const PALETTE: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#6e7681", "#ffa198",
    "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];

/// Draws it. `title` is the command as people type it.
#[must_use]
pub fn draw(recording: &Recording, title: &str) -> String {
    let film = Film::of(recording);
    let shown = film.lines.len().min(usize::from(recording.terminal.rows.get())) + 1;
    let window = LINE * u32::try_from(shown).unwrap_or_default();
    let height = HEAD + window + MARGIN;
    let width = 2 * MARGIN + u32::from(recording.terminal.columns.get()) * CHARACTER / 1000;
    let mut sheet = Sheet { film: &film, rules: String::new(), names: BTreeMap::new() };
    let body = sheet.body(title);
    let camera = sheet.camera();
    let (seconds, rules) = (film.length.as_secs_f64(), sheet.rules);
    let colours: String = PALETTE
        .iter()
        .enumerate()
        .fold(String::new(), |css, (number, colour)| css + &format!(".c{number}{{fill:{colour}}}"));
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" xml:space="preserve">
<title>{title}</title>
<style>
text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}}
.b{{font-weight:700}}.d{{fill-opacity:.6}}{colours}
g{{animation:{seconds:.2}s step-end infinite}}
{rules}@media(prefers-reduced-motion){{g{{animation:none!important}}}}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="20" r="6" fill="#ff5f57"/><circle cx="40" cy="20" r="6" fill="#febc2e"/><circle cx="60" cy="20" r="6" fill="#28c840"/>
<svg y="{HEAD}" width="{width}" height="{window}"><g{camera}>
{body}</g></svg>
</svg>
"##,
        title = escaped(title),
    )
}

struct Sheet<'a> {
    film: &'a Film,
    /// When what is shown.
    rules: String,
    /// What is shown at the same times has one rule.
    names: BTreeMap<(Duration, Option<Duration>), String>,
}

impl Sheet<'_> {
    fn body(&mut self, title: &str) -> String {
        let prompt = Line {
            spans: vec![
                Span { text: "$ ".into(), style: Style { dim: true, ..Style::default() } },
                Span { text: title.into(), style: Style { bold: true, ..Style::default() } },
            ],
            is_wrapped: false,
        };
        let mut body = Self::text(0, &prompt);
        let mut groups: BTreeMap<(Duration, Option<Duration>), String> = BTreeMap::new();
        for (number, versions) in self.film.lines.iter().enumerate() {
            for (position, (from, line)) in versions.iter().enumerate() {
                let until = versions.get(position + 1).map(|(until, _)| *until);
                if !line.spans.is_empty() {
                    *groups.entry((*from, until)).or_default() += &Self::text(number + 1, line);
                }
            }
        }
        for ((from, until), lines) in groups {
            let class = self.class(from, until);
            let _ = writeln!(body, "<g{class}>\n{lines}</g>");
        }
        body
    }

    /// The rule by which something is seen in that time alone; none where that is always.
    fn class(&mut self, from: Duration, until: Option<Duration>) -> String {
        if from.is_zero() && until.is_none() {
            return String::new();
        }
        let number = self.names.len();
        let name = self.names.entry((from, until)).or_insert_with(|| format!("t{number}")).clone();
        let mut frames = String::new();
        if !from.is_zero() {
            frames += "0%{visibility:hidden}";
        }
        let _ = write!(frames, "{}{{visibility:visible}}", self.part(from));
        if let Some(until) = until {
            let _ = write!(frames, "{}{{visibility:hidden}}", self.part(until));
        }
        // Where nothing moves, the end is seen.
        let otherwise = if until.is_some() { ";visibility:hidden" } else { "" };
        let _ = writeln!(self.rules, "@keyframes {name}{{{frames}}}.{name}{{animation-name:{name}{otherwise}}}");
        format!(r#" class="{name}""#)
    }

    /// The rule by which the sheet moves up.
    fn camera(&mut self) -> String {
        let [(_, first), rest @ ..] = self.film.tops.as_slice() else { return String::new() };
        if rest.is_empty() {
            return String::new();
        }
        let moved = |top: usize| format!("transform:translateY(-{}px)", top * LINE as usize);
        let mut frames = format!("0%{{{}}}", moved(*first));
        for (at, top) in rest {
            let _ = write!(frames, "{}{{{}}}", self.part(*at), moved(*top));
        }
        let last = moved(rest.last().map_or(*first, |(_, top)| *top));
        let _ = writeln!(self.rules, "@keyframes up{{{frames}}}.up{{animation-name:up;{last}}}");
        r#" class="up""#.into()
    }

    fn part(&self, at: Duration) -> String {
        let percent = at.as_secs_f64() / self.film.length.as_secs_f64() * 100.0;
        format!("{}%", format!("{percent:.3}").trim_end_matches('0').trim_end_matches('.'))
    }

    fn text(number: usize, line: &Line) -> String {
        let y = (number + 1) * LINE as usize - 5;
        let spans: String = line.spans.iter().map(Self::span).collect();
        format!("<text x=\"{MARGIN}\" y=\"{y}\">{spans}</text>\n")
    }

    fn span(span: &Span) -> String {
        let text = escaped(&span.text);
        let Style { colour, bold, dim } = span.style;
        let (class, fill) = match colour {
            vt100::Color::Default => (None, String::new()),
            vt100::Color::Idx(index) if usize::from(index) < PALETTE.len() => {
                (Some(format!("c{index}")), String::new())
            }
            vt100::Color::Idx(index) => (None, fill(of_256(index))),
            vt100::Color::Rgb(red, green, blue) => (None, fill([red, green, blue])),
        };
        let classes: Vec<String> =
            [class, bold.then(|| "b".into()), dim.then(|| "d".into())].into_iter().flatten().collect();
        match (classes.is_empty(), fill.is_empty()) {
            (true, true) => text,
            (true, false) => format!("<tspan{fill}>{text}</tspan>"),
            (false, _) => format!(r#"<tspan class="{}"{fill}>{text}</tspan>"#, classes.join(" ")),
        }
    }
}

fn fill([red, green, blue]: [u8; 3]) -> String {
    format!(r#" style="fill:#{red:02x}{green:02x}{blue:02x}""#)
}

/// Above the first 16, of 256: a cube of 6 by 6 by 6, then greys.
fn of_256(index: u8) -> [u8; 3] {
    match index.saturating_sub(16) {
        grey @ 216.. => [8 + 10 * (grey - 216); 3],
        place => [place / 36, place / 6 % 6, place % 6].map(|step| if step == 0 { 0 } else { 55 + 40 * step }),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::printed;

    #[test]
    fn a_run_is_drawn() {
        let recording = printed(&[
            (0, "⠁ working"),
            (1, "\r\u{1b}[2K\u{1b}[1;32mCreated\u{1b}[0m ~/<a> & b\r\n\u{1b}[2mtwo\u{1b}[0m\r\n"),
            (2, "\u{1b}[38;5;208mthree\u{1b}[38;2;1;2;3m!\u{1b}[0m\r\nfour\r\n"),
        ]);
        insta::assert_snapshot!(draw(&recording, "do <it>"));
    }

    #[test]
    fn the_colours_of_256_are_those_of_xterm() {
        assert_eq!([16, 208, 231, 232, 255].map(of_256), [[0; 3], [255, 135, 0], [255; 3], [8; 3], [238; 3]]);
    }
}
