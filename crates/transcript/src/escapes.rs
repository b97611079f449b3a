//! The control sequences in what a program printed.

use std::collections::BTreeSet;

use vte::{Params, Parser, Perform};

use crate::recording::Recording;

/// What they are used for, each once: `"CSI 1;32 m"` paints, say.
#[must_use]
pub fn all(recording: &Recording) -> BTreeSet<String> {
    let (mut parser, mut found) = (Parser::new(), Found::default());
    for chunk in &recording.chunks {
        parser.advance(&mut found, &chunk.bytes);
    }
    found.0
}

/// Those that neither move the cursor nor show or hide it nor clear something: colours, titles, links.
#[must_use]
pub fn beyond_movement(recording: &Recording) -> Vec<String> {
    let is_movement = |sequence: &String| {
        let last = sequence.chars().last().unwrap_or_default();
        sequence.starts_with("CSI") && (matches!(last, 'A'..='H' | 'J' | 'K' | 'f') || sequence.starts_with("CSI ?25 "))
    };
    all(recording).into_iter().filter(|sequence| !is_movement(sequence)).collect()
}

#[derive(Default)]
struct Found(BTreeSet<String>);

impl Perform for Found {
    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        let parameters: Vec<String> =
            params.iter().map(|parts| parts.iter().map(u16::to_string).collect::<Vec<_>>().join(":")).collect();
        let marks = String::from_utf8_lossy(intermediates);
        self.0.insert(format!("CSI {marks}{} {action}", parameters.join(";")));
    }

    fn esc_dispatch(&mut self, _intermediates: &[u8], _ignore: bool, byte: u8) {
        self.0.insert(format!("ESC {}", char::from(byte)));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell_terminated: bool) {
        let name = params.first().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
        self.0.insert(format!("OSC {name}"));
    }

    fn hook(&mut self, _params: &Params, _intermediates: &[u8], _ignore: bool, action: char) {
        self.0.insert(format!("DCS {action}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::printed;

    #[test]
    fn colours_are_told_from_movement() {
        let recording =
            printed(&[(0, "\u{1b}[?25l\u{1b}[2K\u{1b}[1A\rx\u{1b}[1;3"), (1, "2mgreen\u{1b}[0m\u{1b}[?25h")]);
        assert_eq!(beyond_movement(&recording), ["CSI 0 m", "CSI 1;32 m"]);
        assert!(all(&recording).contains("CSI ?25 l"), "{:?}", all(&recording));
        assert_eq!(beyond_movement(&printed(&[(0, "\u{1b}]0;title\u{7}")])), ["OSC 0"]);
    }
}
