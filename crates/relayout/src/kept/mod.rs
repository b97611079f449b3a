//! The layer's own triggers: which are declared in `db_service.kept_trigger`, which there are, and what closes the gap.
//!
//! Of a table in leaves, the table and everything below it have them: a write straight to a leaf fires only the leaf's own. Splits and
//! merges give them to new leaves, and a way back takes them off, see `phase::triggers`.

mod bring_about;

use database::Relation;
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use terminal::Finding;

use crate::table::kept_trigger::KeptTrigger;

/// One trigger as it is declared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Declared {
    #[serde(flatten)]
    trigger: KeptTrigger,
    /// What it keeps up to date.
    keeps: String,
    /// What is called in the transaction that puts it on.
    begun_by: String,
    /// Whether readers are told that it is there.
    in_place: bool,
}

/// The triggers of their kind that a relation has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Found {
    relation: Relation,
    triggers: Vec<FoundTrigger>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct FoundTrigger {
    #[serde(flatten)]
    trigger: KeptTrigger,
    old: Option<String>,
    new: Option<String>,
    /// `A` is always.
    enabled: String,
}

/// The triggers of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The table, in `public`.
    pub table: String,
    /// Whether it is stored in leaves, and so is to have what is declared.
    pub is_in_leaves: bool,
    /// Whether leaves are declared for it.
    pub is_to_be_in_leaves: bool,
    role: String,
    lacks: Option<String>,
    declared: Vec<Declared>,
    /// Of the table, then of what is below it.
    found: Vec<Found>,
}

impl Kept {
    /// Those of every table that is laid out; `db_service.kept_trigger` has to be there.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read_all(connection: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let rows = sqlx::query_file!("queries/kept_triggers.sql").fetch_all(connection).await?;
        let kept = rows.into_iter().map(|row| Self {
            table: row.table_name,
            is_in_leaves: row.is_in_leaves,
            is_to_be_in_leaves: row.is_to_be_in_leaves,
            role: row.role,
            lacks: row.lacks,
            declared: row.declared.0,
            found: row.found.0,
        });
        Ok(kept.collect())
    }

    /// Whether any are declared for it.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        !self.declared.is_empty()
    }

    /// Whether it has what it is to have, and readers are told so.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.found.iter().all(|found| self.missing(found).is_empty() && self.superfluous(found).is_empty())
            && self.declared.iter().all(|declared| declared.in_place == self.is_in_leaves)
    }

    /// Why this role cannot bring it about, and what would let it.
    #[must_use]
    pub fn closed(&self) -> Option<(String, String)> {
        let owner = self.lacks.as_ref()?;
        let why = format!("the role `{}` is no member of `{owner}`, to whom it belongs", self.role);
        Some((why, format!("`GRANT {owner} TO {}`", self.role)))
    }

    /// What is declared: `4 for versions`; and where it is, or will be.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut kept: Vec<(&str, usize)> = Vec::new();
        for declared in &self.declared {
            match kept.iter_mut().find(|(keeps, _)| *keeps == declared.keeps) {
                Some((_, count)) => *count += 1,
                None => kept.push((&declared.keeps, 1)),
            }
        }
        let kept: Vec<String> = kept.iter().map(|(keeps, count)| format!("{count} for {keeps}")).collect();
        let place = match (self.is_in_leaves, self.is_to_be_in_leaves) {
            (true, _) => format!("on the table and {} below it", self.found.len() - 1),
            (false, true) => "once it is in leaves".to_owned(),
            (false, false) => "none while it is one plain table".to_owned(),
        };
        if kept.is_empty() { "none are declared".to_owned() } else { format!("{}, {place}", kept.join(", ")) }
    }

    /// What is not as it should be, each relation with its triggers.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut find = |rule, relation: &Relation, name: &str, what: &str| {
            let message = format!("trigger `{name}` of `{}` {what}", relation.plain());
            findings.push(Finding::new(rule, message).help("run `migrations`, which puts it right"));
        };
        for found in &self.found {
            for trigger in self.missing(found) {
                let name = &trigger.name;
                match found.triggers.iter().find(|found| found.trigger.name == *name) {
                    None => find("trigger-missing", &found.relation, name, "is missing"),
                    Some(it) if it.trigger == *trigger && it.enabled != "A" => {
                        find("trigger-disabled", &found.relation, name, "does not fire always");
                    }
                    Some(_) => find("trigger-altered", &found.relation, name, "is another one than is declared"),
                }
            }
            for name in self.superfluous(found) {
                find("trigger-superfluous", &found.relation, name, "is not declared");
            }
        }
        if findings.is_empty() && !self.is_reached() {
            let message = format!("`db_service.kept_trigger` does not tell the truth of table `{}`", self.table);
            findings.push(Finding::new("trigger-claim", message).help("run `migrations`, which puts it right"));
        }
        findings
    }

    /// Those that a relation is to have and has not, or has otherwise.
    fn missing(&self, found: &Found) -> Vec<&KeptTrigger> {
        let is_there = |wanted: &KeptTrigger| {
            let tables = wanted.transition_tables();
            found.triggers.iter().any(|it| {
                it.trigger == *wanted && it.enabled == "A" && (it.old.as_deref(), it.new.as_deref()) == tables
            })
        };
        self.wanted().map(|declared| &declared.trigger).filter(|wanted| !is_there(wanted)).collect()
    }

    /// The names of those that it has and is not to have.
    fn superfluous<'a>(&self, found: &'a Found) -> Vec<&'a String> {
        let names = found.triggers.iter().map(|it| &it.trigger.name);
        names.filter(|name| !self.wanted().any(|declared| declared.trigger.name == **name)).collect()
    }

    fn wanted(&self) -> impl Iterator<Item = &Declared> {
        self.declared.iter().filter(|_| self.is_in_leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(name: &str) -> KeptTrigger {
        KeptTrigger { name: name.into(), event: "INSERT".into(), function: "f.g()".into() }
    }

    fn declared(name: &str) -> Declared {
        Declared { trigger: trigger(name), keeps: "versions".into(), begun_by: "f.begin()".into(), in_place: true }
    }

    fn found(schema: &str, names: &[&str]) -> Found {
        let there = |name: &&str| FoundTrigger {
            trigger: trigger(name),
            old: None,
            new: Some("new_rows".into()),
            enabled: "A".into(),
        };
        Found { relation: Relation::new(schema, "t"), triggers: names.iter().map(there).collect() }
    }

    /// In two leaves, with two triggers, all of it as it should be.
    fn kept() -> Kept {
        Kept {
            table: "t".into(),
            is_in_leaves: true,
            is_to_be_in_leaves: true,
            role: "r".into(),
            lacks: None,
            declared: vec![declared("a"), declared("b")],
            found: ["public", "leaf_2_0", "leaf_2_1"].map(|schema| found(schema, &["a", "b"])).into(),
        }
    }

    fn texts(kept: &Kept) -> Vec<String> {
        kept.statements().into_iter().map(|statement| statement.sql).collect()
    }

    fn rules(kept: &Kept) -> Vec<&'static str> {
        kept.findings().iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn there_is_nothing_to_do_where_all_are_there() {
        let kept = kept();
        assert!(kept.is_reached());
        assert_eq!((texts(&kept), rules(&kept)), (vec![], vec![]));
        assert_eq!(kept.summary(), "2 for versions, on the table and 2 below it");
    }

    #[test]
    fn what_is_missing_is_put_on_and_begun_anew() {
        let mut kept = kept();
        kept.found[2].triggers.remove(0);
        assert_eq!(rules(&kept), ["trigger-missing"]);
        let texts = texts(&kept);
        assert_eq!(texts[0], r#"LOCK TABLE "public"."t" IN SHARE ROW EXCLUSIVE MODE"#);
        assert!(texts[1].starts_with(r#"CREATE OR REPLACE TRIGGER "a" AFTER INSERT ON "leaf_2_1"."t" "#), "{texts:?}");
        assert_eq!(texts[3], "SELECT f.begin()");
        assert_eq!(texts.len(), 5);
    }

    #[test]
    fn what_is_disabled_or_another_one_is_put_right() {
        for (rule, spoil) in [
            ("trigger-disabled", (|it| it.enabled = "D".into()) as fn(&mut FoundTrigger)),
            ("trigger-disabled", |it| it.enabled = "O".into()),
            ("trigger-altered", |it| it.trigger.function = "f.other()".into()),
            ("trigger-altered", |it| it.trigger.event = String::new()),
            ("trigger-altered", |it| it.new = None),
        ] {
            let mut kept = kept();
            spoil(&mut kept.found[0].triggers[1]);
            assert_eq!(rules(&kept), [rule]);
            assert!(texts(&kept)[1].starts_with(r#"CREATE OR REPLACE TRIGGER "b""#));
        }
    }

    #[test]
    fn what_is_not_declared_goes() {
        let mut kept = kept();
        kept.found[1] = found("leaf_2_0", &["a", "b", "c"]);
        assert_eq!(rules(&kept), ["trigger-superfluous"]);
        let texts = texts(&kept);
        assert_eq!(
            texts[..2],
            [r#"LOCK TABLE "public"."t" IN ACCESS EXCLUSIVE MODE"#, r#"DROP TRIGGER "c" ON "leaf_2_0"."t""#]
        );
        assert!(!texts.iter().any(|text| text.contains("begin")), "nothing was missed: {texts:?}");
    }

    #[test]
    fn a_plain_table_has_none_and_says_so() {
        let mut kept = kept();
        kept.is_in_leaves = false;
        kept.found = vec![found("public", &[])];
        assert_eq!(rules(&kept), ["trigger-claim"]);
        assert!(texts(&kept)[1].contains("in_place = false"), "{:?}", texts(&kept));
        kept.declared.iter_mut().for_each(|it| it.in_place = false);
        assert!(kept.is_reached());
        assert_eq!(kept.summary(), "2 for versions, once it is in leaves");
    }

    #[test]
    fn what_nobody_knows_to_be_there_is_begun_anew() {
        let mut kept = kept();
        kept.declared[0].in_place = false;
        assert_eq!(
            texts(&kept)[1..],
            [
                "SELECT f.begin()",
                "UPDATE db_service.kept_trigger SET in_place = true WHERE table_name = 't' AND in_place <> true"
            ]
        );
    }
}
