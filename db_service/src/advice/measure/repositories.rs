//! The largest repositories, by what ANALYZE has noted.

use std::collections::BTreeMap;

use relayout::adaptive::{SEED, partition_hash};
use sqlx::PgConnection;

use crate::advice::measured::Repository;
use crate::advice::unknown::Unknown;

/// What was noted of one table or leaf, and of one of its most common repositories.
struct Row {
    root: String,
    is_parent: bool,
    rows: i64,
    is_visible: bool,
    is_analyzed: bool,
    name: Option<String>,
    share: Option<f32>,
    hash: Option<i64>,
}

pub(super) struct Noted(Vec<Row>);

impl Noted {
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_file_as!(Row, "queries/advice/repositories.sql", SEED).fetch_all(connection).await.map(Self)
    }

    /// Those of a table, the largest first. What was noted of its leaves and what was noted of itself are of different times, so
    /// the larger figure counts.
    pub(super) fn of(&self, table: &str) -> Result<Vec<Repository>, Unknown> {
        let of_table = || self.0.iter().filter(|row| row.root == table);
        if !of_table().any(|row| row.is_analyzed) {
            let is_hidden = of_table().any(|row| !row.is_visible);
            return Err(if is_hidden {
                Unknown::new(format!("this role may not see what ANALYZE has noted of `{table}`"))
                    .remedy(format!("`GRANT SELECT ON {table} TO CURRENT_ROLE`, by its owner"))
            } else {
                Unknown::new(format!("`{table}` was never analyzed")).remedy(format!("`ANALYZE {table}`"))
            });
        }
        let mut found: BTreeMap<&str, Rows> = BTreeMap::new();
        for row in of_table() {
            let (Some(name), Some(share), Some(hash)) = (&row.name, row.share, row.hash) else { continue };
            let rows = found.entry(name).or_insert(Rows { hash: partition_hash(hash), ..Rows::default() });
            if row.is_parent {
                rows.by_parent = part(row.rows, share);
            } else {
                rows.by_leaves += part(row.rows, share);
            }
        }
        let repository = |(name, rows): (&str, Rows)| Repository {
            // It is shown; whoever named it may have meant the terminal.
            name: name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
            hash: rows.hash,
            rows: rows.by_parent.max(rows.by_leaves),
        };
        let mut found: Vec<Repository> = found.into_iter().map(repository).collect();
        found.sort_by_key(|repository| std::cmp::Reverse(repository.rows));
        Ok(found)
    }
}

#[derive(Clone, Copy, Default)]
struct Rows {
    hash: u64,
    by_parent: u64,
    by_leaves: u64,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "an estimate")]
fn part(rows: i64, share: f32) -> u64 {
    (rows.max(0) as f64 * f64::from(share)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(is_parent: bool, rows: i64, common: Option<(&str, f32)>) -> Row {
        Row {
            root: "embeddings".into(),
            is_parent,
            rows,
            is_visible: true,
            is_analyzed: true,
            name: common.map(|(name, _)| name.to_owned()),
            share: common.map(|(_, share)| share),
            hash: common.map(|_| 7),
        }
    }

    #[test]
    fn parts_of_a_repository_count_together_and_the_larger_figure_counts() {
        let leaves =
            [row(true, 100, Some(("a", 0.25))), row(false, 200, Some(("a", 0.5))), row(false, 40, Some(("a", 0.5)))];
        let noted = Noted(leaves.into_iter().chain([row(false, 60, Some(("b", 1.0)))]).collect());
        let found = noted.of("embeddings").unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.rows)).collect();
        assert_eq!(found, [("a", 120), ("b", 60)]);
    }

    #[test]
    fn what_a_role_may_not_see_is_told_from_what_nobody_has_noted() {
        let noted = |is_visible| Noted(vec![Row { is_visible, is_analyzed: false, ..row(false, 9, None) }]);
        let why = |noted: Noted| noted.of("embeddings").unwrap_err().why;
        assert_eq!(why(noted(true)), "`embeddings` was never analyzed");
        assert_eq!(why(noted(false)), "this role may not see what ANALYZE has noted of `embeddings`");
        // Analyzed, and no name is more common than others.
        assert_eq!(Noted(vec![row(false, 9, None)]).of("embeddings"), Ok(Vec::new()));
    }
}
