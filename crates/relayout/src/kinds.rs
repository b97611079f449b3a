//! The closed world: every kind of thing that PostgreSQL can hang on a table, and what becomes of it when the table's storage
//! is changed, whichever way: converted, split, merged or reverted.
//!
//! What is *carried* is the same afterwards, which is proven under the swap's lock. What is *refused* is named before anything is
//! touched. Something that depends on a table and is of none of these kinds is refused, and named, too. `docs/kinds.md` shows the
//! table to people, and the suite `kinds` tries every row.

/// What becomes of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is there afterwards, as it was.
    Carried,
    /// The table is left as it is, and this is said.
    Refused,
}

/// One kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, in words with hyphens.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// What becomes of it.
    pub verdict: Verdict,
    /// How it is carried, or why it is not.
    pub why: &'static str,
}

const fn carried(name: &'static str, what: &'static str, why: &'static str) -> Kind {
    Kind { name, what, verdict: Verdict::Carried, why }
}

const fn refused(name: &'static str, what: &'static str, why: &'static str) -> Kind {
    Kind { name, what, verdict: Verdict::Refused, why }
}

/// All of them.
pub const KINDS: &[Kind] = &[
    carried("owner", "the owner", "leaves and their schemas belong to the owner as well"),
    carried("grants", "rights, with their grantors and grant options", "granted anew, by whom they were granted"),
    carried("column-grants", "rights on columns", ""),
    carried("default-privileges", "default privileges", "what they give to the new form is taken from it"),
    carried("table-comment", "a comment on the table", ""),
    carried("tablespace", "the table's tablespace", "leaves lie in it, too"),
    carried("column-comment", "comments on columns", ""),
    carried("column-default", "defaults", ""),
    carried("generated-column", "generated columns", ""),
    carried("column-statistics", "`SET STATISTICS`, `n_distinct`", "leaves have them, too"),
    carried(
        "column-storage",
        "`SET STORAGE`, `SET COMPRESSION`",
        "vectors of up to 4 KB are kept in the pages of leaves",
    ),
    carried("column-collation", "collations", ""),
    carried("column-type", "enums, domains, arrays", ""),
    carried("sequence", "sequences that belong to a column", "the same sequences, with their values"),
    carried("identity", "identity columns", "since PostgreSQL 17; their sequences are made anew, with their values"),
    carried("check", "checks, and comments on constraints", ""),
    carried("check-not-validated", "checks that not all rows were asked", "they come in the swap, after the rows"),
    carried(
        "foreign-key",
        "foreign keys that lead out",
        "the rows are asked after the swap, beside the writers; in a split, those of its leaves under the lock",
    ),
    carried(
        "unique",
        "unique constraints and indexes with the partition key",
        "also where values change hands meanwhile",
    ),
    carried("key-options", "`INCLUDE`, `fillfactor` of the primary key", ""),
    carried("index", "indexes of every method, partial, on expressions, with options and comments", ""),
    carried("index-statistics", "statistics targets of expressions in indexes", ""),
    carried("row-trigger", "row triggers, their comments, and whether they are enabled", ""),
    carried("statement-trigger", "statement triggers, with transition tables", ""),
    carried("row-security", "row security and its policies", "where it is forced, run by a role with BYPASSRLS"),
    carried("extended-statistics", "extended statistics", "gathered anew before the swap"),
    carried("view", "views", "replaced under the lock; whoever runs it has to be a member of their owner"),
    carried("parsed-function", "functions with a parsed body", "replaced under the lock"),
    carried(
        "publication",
        "publications that send changes under the table's name",
        "with `publish_via_partition_root`",
    ),
    refused("foreign-key-in", "foreign keys into the table", "they would hold the old form"),
    refused("foreign-key-not-validated", "foreign keys that not all rows were asked", "validate them first"),
    refused(
        "unique-without-key",
        "unique constraints and indexes without the partition key",
        "PostgreSQL cannot keep them over leaves",
    ),
    refused("deferrable-unique", "deferrable unique constraints", ""),
    refused("exclusion", "exclusion constraints", "before PostgreSQL 17 a partitioned table has none"),
    refused("not-null-not-validated", "NOT NULL that not all rows were asked", "validate it first; PostgreSQL 18"),
    refused("no-inherit", "`NO INHERIT` constraints", "a partitioned table has none"),
    refused("row-trigger-transition", "row triggers with transition tables", "a partitioned table has none"),
    refused(
        "trigger-changes-key",
        "BEFORE row triggers that may change the partition key",
        "PostgreSQL refuses the row then",
    ),
    refused("invalid-index", "invalid indexes", "`REINDEX INDEX CONCURRENTLY` first"),
    refused("clustered", "`CLUSTER ON`", "a partitioned table has no such mark"),
    refused("index-tablespace", "indexes in a tablespace of their own", ""),
    refused("replica-identity", "a replica identity of its own", ""),
    refused(
        "storage-parameters",
        "storage parameters, those of its TOAST table as well",
        "a partitioned table has none",
    ),
    refused("unlogged", "unlogged and temporary tables", ""),
    refused("access-method", "another access method than `heap`", ""),
    refused("typed", "tables of a type", "a partitioned table can be none"),
    refused("extension-member", "members of an extension", ""),
    refused("inheritance", "parents and children by inheritance", "a partitioned table has none"),
    refused("rule", "rules", ""),
    refused("subscription", "subscriptions", "changes that arrive would be lost"),
    refused("security-label", "security labels", "only their provider knows what they mean"),
    refused("publication-all", "publications of all tables", "they take the new form as well, while it is made"),
    refused(
        "publication-of-leaves",
        "publications that would send the names of leaves",
        "set `publish_via_partition_root`",
    ),
    refused("publication-filtered", "publications of some rows or columns", ""),
    refused("event-trigger", "event triggers of others that fire for tables", "disable them for the run"),
    refused("materialized-view", "materialized views", "they cannot be replaced"),
    refused(
        "row-type",
        "functions, columns, domains, views that use the table's row type",
        "they would keep the old one",
    ),
    refused("foreign-policy", "policies of other tables that read this one", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/kinds.md` is made from the table: this says how it should read.
    #[test]
    fn the_page_shows_every_kind() {
        let page = include_str!("../../../docs/kinds.md");
        let row = |kind: &Kind| {
            let verdict = match kind.verdict {
                Verdict::Carried => "carried",
                Verdict::Refused => "refused",
            };
            format!("| `{}` | {} | {verdict} | {} |", kind.name, kind.what, kind.why).replace("|  |", "| |")
        };
        let table: Vec<String> = KINDS.iter().map(row).collect();
        let written: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(written, table, "the table of docs/kinds.md should be\n{}", table.join("\n"));
    }
}
