//! `analyze`: its questions, and how it shows the answers.

use std::fmt::Write as _;

use database::DatabaseUrl;
use database::quote::hexadecimal;
use db_service::analysis::{Analysis, Duplicates, Likeness, MOST_CONNECTIONS, Pair, Pairs, Size};
use ledger::migration::LAYER;
use relayout::layout::Bytes;
use serde_json::json;
use terminal::activity::Watcher;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::search::{Found, Wanted};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Analyze {
    #[command(subcommand)]
    question: Question,
    /// Read over so many connections, all of which see the same moment
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=i64::try_from(MOST_CONNECTIONS).unwrap_or(i64::MAX)))]
    connections: u16,
    /// Show so many answers: the largest, or the nearest
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Question {
    /// How many files there are and how large they are, by repository and language
    Sizes,
    /// Files with the same content, in whatever repository
    Duplicates,
    /// Pairs of vectors that are nearly the same
    Pairs {
        /// The least cosine similarity
        #[arg(long, value_name = "SHARE", default_value_t = 0.98, value_parser = similarity)]
        similarity: f64,
        /// Look at so many of each vector's nearest
        #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=10_000))]
        nearest: u32,
        /// How many of the true nearest are wanted: most, 99 of 100, or all
        #[arg(long, value_name = "RECALL", default_value = "balanced")]
        recall: Wanted,
    },
}

fn similarity(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("it is a share from 0 to 1".to_owned()) }
}

impl Analyze {
    pub(crate) async fn run(&self, url: &DatabaseUrl, watcher: &dyn Watcher) -> Result<Found, Problem> {
        let analysis = Analysis::new(url, watcher).connections(usize::from(self.connections));
        let database = url.database();
        Ok(match &self.question {
            Question::Sizes => {
                let mut most = Most::new(self.limit, |size: &Size| std::cmp::Reverse(size.bytes));
                let (mut entries, mut files, mut bytes) = (0, 0, 0);
                for size in analysis.sizes().await? {
                    (entries, files, bytes) = (entries + 1, files + size.files, bytes + size.bytes);
                    most.offer(size);
                }
                let shown = most.into_sorted();
                let text = text_of_sizes(&shown, entries, files, bytes);
                Found { steps: shown.iter().map(|size| step_of_size(database, size)).collect(), text }
            }
            Question::Duplicates => {
                let mut most = Most::new(self.limit, |it: &Duplicates| std::cmp::Reverse(it.wasted()));
                let (mut groups, mut wasted) = (0_u64, 0);
                analysis
                    .duplicates(|group| {
                        groups += 1;
                        wasted += group.wasted();
                        most.offer(group);
                    })
                    .await?;
                let shown = most.into_sorted();
                let text = text_of_duplicates(&shown, groups, wasted);
                Found { steps: shown.iter().map(|group| step_of_group(database, group)).collect(), text }
            }
            Question::Pairs { similarity, nearest, recall } => {
                let likeness = Likeness { similarity: *similarity, nearest: *nearest, recall: (*recall).into() };
                let mut most = Most::new(self.limit, |pair: &Pair| pair.distance.to_bits());
                let pairs = analysis.pairs(&likeness, |pair| most.offer(pair)).await?;
                let shown = most.into_sorted();
                let text = text_of_pairs(&shown, pairs);
                Found { steps: shown.iter().map(|pair| step_of_pair(database, pair)).collect(), text }
            }
        })
    }
}

/// The first of what is offered, in an order, however much that is.
struct Most<T, K> {
    limit: usize,
    key: fn(&T) -> K,
    kept: Vec<T>,
}

impl<T, K: Ord> Most<T, K> {
    fn new(limit: usize, key: fn(&T) -> K) -> Self {
        Self { limit, key, kept: Vec::new() }
    }

    fn offer(&mut self, item: T) {
        self.kept.push(item);
        if self.kept.len() >= 2 * self.limit.max(1) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.kept.sort_by_key(self.key);
        self.kept.truncate(self.limit);
    }

    fn into_sorted(mut self) -> Vec<T> {
        self.cut();
        self.kept
    }
}

/// The largest, and how much there is in all.
fn text_of_sizes(shown: &[Size], entries: u64, files: u64, bytes: u64) -> String {
    let mut text = String::new();
    let widest = shown.iter().map(|it| it.repository.chars().count()).max().unwrap_or_default();
    for Size { repository, language, files, bytes } in shown {
        let language = language.as_deref().unwrap_or("-");
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{:>9}  {files:>8} files  {repository:widest$}  {language}", Bytes(*bytes).to_string());
    }
    let _ = write!(text, "{files} files, {} in all{}", Bytes(bytes), left_out(entries, shown.len()));
    text
}

fn text_of_duplicates(shown: &[Duplicates], groups: u64, wasted: u64) -> String {
    let mut text = String::new();
    for group in shown {
        let _ = writeln!(text, "{} files of {}", group.count, Bytes(group.bytes));
        for file in &group.files {
            let _ = writeln!(text, "  {}  {}", file.repository, file.path);
        }
        let more = group.count - u64::try_from(group.files.len()).unwrap_or_default();
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
    }
    let left_out = left_out(groups, shown.len());
    let _ = write!(text, "{groups} contents are there more than once: {} for the others{left_out}", Bytes(wasted));
    text
}

fn text_of_pairs(shown: &[Pair], pairs: Pairs) -> String {
    let mut text = String::new();
    for Pair { one, other, distance } in shown {
        let _ = writeln!(text, "{:.4}  {}  {}  {}  {}", 1.0 - distance, one.0, one.1, other.0, other.1);
    }
    let left_out = left_out(pairs.found, shown.len());
    let _ = write!(text, "{} pairs{left_out}", pairs.found);
    if pairs.crowded > 0 {
        let _ = write!(
            text,
            "; {} vectors have more so similar ones than were looked at, `--nearest` looks at more",
            pairs.crowded
        );
    }
    text
}

fn left_out(all: u64, shown: usize) -> String {
    let left_out = all.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    if left_out > 0 { format!("; {left_out} are not shown, `--limit` shows more") } else { String::new() }
}

fn step_of_size(database: &str, size: &Size) -> Step {
    let Size { repository, language, files, bytes } = size;
    let facts = json!({ "repository": repository, "language": language, "files": files, "bytes": bytes });
    Step::new(database, LAYER, "size", repository, Status::Found).facts(facts)
}

fn step_of_group(database: &str, group: &Duplicates) -> Step {
    let files: Vec<_> =
        group.files.iter().map(|file| json!({ "repository": file.repository, "path": file.path })).collect();
    let hash = hexadecimal(&group.hash);
    let facts = json!({ "sha256": hash, "count": group.count, "bytes": group.bytes, "files": files });
    Step::new(database, LAYER, "duplicates", &hash, Status::Found).facts(facts)
}

fn step_of_pair(database: &str, pair: &Pair) -> Step {
    let place = |(repository, path): &(String, String)| json!({ "repository": repository, "path": path });
    let facts = json!({ "one": place(&pair.one), "other": place(&pair.other), "distance": pair.distance });
    Step::new(database, LAYER, "pair", &pair.one.1, Status::Found).facts(facts)
}

#[cfg(test)]
mod tests {
    use db_service::analysis::File;

    use super::*;

    #[test]
    fn the_first_of_many_are_kept() {
        let mut most = Most::new(3, |number: &u32| std::cmp::Reverse(*number));
        (0..1000).for_each(|number| most.offer(number * 7 % 1000));
        assert!(most.kept.len() < 6);
        assert_eq!(most.into_sorted(), [999, 998, 997]);
    }

    #[test]
    fn the_largest_come_first_and_the_rest_is_counted() {
        let size = |repository: &str, bytes| Size { repository: repository.into(), language: None, files: 2, bytes };
        let mut most = Most::new(2, |size: &Size| std::cmp::Reverse(size.bytes));
        for size in [size("a", 100), size("longer", 300), size("c", 200)] {
            most.offer(size);
        }
        assert_eq!(
            text_of_sizes(&most.into_sorted(), 3, 6, 600),
            "   0.3 kB         2 files  longer  -\n   0.2 kB         2 files  c       -\n6 files, 0.6 kB in all; 1 are not shown, `--limit` shows more"
        );
    }

    #[test]
    fn a_group_names_its_first_files() {
        let file = File { repository: "r".into(), path: "a.rs".into() };
        let group = Duplicates { hash: vec![0xab, 1], count: 3, bytes: 10_000, files: vec![file] };
        let said = text_of_duplicates(std::slice::from_ref(&group), 1, group.wasted());
        assert_eq!(
            said,
            "3 files of 10 kB\n  r  a.rs\n  and 2 more\n1 contents are there more than once: 20 kB for the others"
        );
        assert_eq!(step_of_group("d", &group).object, "duplicates");
    }

    #[test]
    fn a_similarity_is_a_share() {
        assert_eq!(similarity("0.5"), Ok(0.5));
        for text in ["", "x", "-0.1", "1.5", "NaN"] {
            assert!(similarity(text).is_err(), "{text}");
        }
    }
}
