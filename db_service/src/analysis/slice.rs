//! The shares in which a table is read.

use database::Relation;
use sqlx::PgConnection;

/// Pages that are worth a statement of their own.
const LEAST_PAGES: i64 = 256;

/// Some pages of a table or a leaf, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) relation: Relation,
    /// The first page, and the one behind the last; none: the last page is in it, wherever it is by now.
    range: Option<(i64, Option<i64>)>,
    /// For progress.
    pub(super) bytes: u64,
}

/// A table, or one of its leaves.
struct Leaf {
    relation: Relation,
    pages: i64,
}

impl Slice {
    /// Which rows of the relation, called `t`, are in it.
    pub(super) fn condition(&self) -> String {
        match self.range {
            None => "true".to_owned(),
            Some((first, None)) => format!("t.ctid >= '({first},0)'"),
            Some((first, Some(end))) => format!("t.ctid >= '({first},0)' AND t.ctid < '({end},0)'"),
        }
    }

    /// A table of `public`, in at least so many slices if it is that large. Who is under a policy, or may not read the
    /// leaves by themselves, reads the table as a whole.
    pub(super) async fn of(connection: &mut PgConnection, table: &str, least: usize) -> Result<Vec<Self>, sqlx::Error> {
        let root = Relation::public(table);
        let rows = sqlx::query!(
            r#"SELECT n.nspname AS "schema!", c.relname AS "name!", pg_catalog.pg_relation_size(c.oid) AS "bytes!",
                      pg_catalog.current_setting('block_size')::bigint AS "block!",
                      NOT pg_catalog.row_security_active($1::text::pg_catalog.regclass)
                      AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "is_readable!"
               FROM (SELECT relid FROM pg_catalog.pg_partition_tree($1::text::pg_catalog.regclass) WHERE isleaf
                     UNION SELECT $1::text::pg_catalog.regclass) l
               JOIN pg_catalog.pg_class c ON c.oid = l.relid AND c.relkind IN ('r', 'f')
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               ORDER BY 3 DESC, 1, 2"#,
            root.to_string(),
        )
        .fetch_all(connection)
        .await?;
        let bytes = rows.iter().map(|row| row.bytes).sum::<i64>();
        if !rows.iter().all(|row| row.is_readable) {
            return Ok(vec![Self { relation: root, range: None, bytes: bytes.unsigned_abs() }]);
        }
        let block = rows.first().map_or(1, |row| row.block.max(1));
        let leaves = rows
            .into_iter()
            .map(|row| Leaf { relation: Relation::new(row.schema, row.name), pages: row.bytes / block });
        Ok(divided(leaves.collect(), bytes / block, block, least))
    }
}

fn divided(leaves: Vec<Leaf>, pages: i64, block: i64, least: usize) -> Vec<Slice> {
    let share = (pages / i64::try_from(least.max(1)).unwrap_or(i64::MAX)).max(LEAST_PAGES);
    let mut slices = Vec::new();
    for Leaf { relation, pages } in leaves {
        let mut first = 0;
        loop {
            let end = first + share;
            // Not a last one of a few pages.
            let is_last = pages - end < share / 2;
            let until = if is_last { pages.max(first) } else { end };
            slices.push(Slice {
                relation: relation.clone(),
                range: Some((first, (!is_last).then_some(end))),
                bytes: ((until - first) * block).unsigned_abs(),
            });
            if is_last {
                break;
            }
            first = end;
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_one_slice_and_the_end_is_open() {
        let leaf = |name: &str, pages| Leaf { relation: Relation::new("l", name), pages };
        let slices = divided(vec![leaf("a", 1000), leaf("b", 0), leaf("c", 300)], 1300, 8192, 4);
        let said: Vec<_> = slices.iter().map(|it| (it.relation.name.as_str(), it.condition())).collect();
        assert_eq!(
            said.iter().map(|(name, condition)| (*name, condition.as_str())).collect::<Vec<_>>(),
            [
                ("a", "t.ctid >= '(0,0)' AND t.ctid < '(325,0)'"),
                ("a", "t.ctid >= '(325,0)' AND t.ctid < '(650,0)'"),
                ("a", "t.ctid >= '(650,0)'"),
                ("b", "t.ctid >= '(0,0)'"),
                ("c", "t.ctid >= '(0,0)'"),
            ]
        );
        assert_eq!(slices.iter().map(|it| it.bytes).sum::<u64>(), 1300 * 8192);
    }
}
