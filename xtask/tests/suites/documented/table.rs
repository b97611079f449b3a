//! Tables of the pages, as far as tests read them.

/// The cells of the table under a heading, without its first two lines.
pub(super) fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let mut lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let table = lines.by_ref().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = table.skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "there is no table under `{heading}`");
    rows
}

fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\0");
    line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// What stands between as many backticks as before it.
pub(super) fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let opened = &rest[start..];
        let fence = &opened[..opened.len() - opened.trim_start_matches('`').len()];
        let inner = &opened[fence.len()..];
        let end = inner
            .match_indices(fence)
            .map(|(at, _)| at)
            .find(|at| !inner[at + fence.len()..].starts_with('`') && !inner[..*at].ends_with('`'));
        let end = end.unwrap_or_else(|| panic!("a code span has no end: {text}"));
        spans.push(inner[..end].trim().to_owned());
        rest = &inner[end + fence.len()..];
    }
    spans
}

/// Whether a text holds a message, in which `…` stands for anything.
pub(super) fn is_in(message: &str, text: &str) -> bool {
    let mut rest = text;
    message.split('…').map(str::trim).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}
