//! What was seen of a database, for people: a line for each object, in columns.

use terminal::report::ServerReport;
use terminal::step::{Status, Step};

use super::job::Jobs;
use super::look::Seen;

/// Its cells; the last one has no width.
struct Row {
    layer: &'static str,
    object: &'static str,
    name: String,
    rest: String,
}

pub(super) fn of(seen: &Seen, server: Option<&ServerReport>, jobs: &Jobs, verbose: bool) -> String {
    let mut lines = vec![heading(seen, server)];
    if !seen.exists {
        lines.push("  there is no database of that name".to_owned());
        return lines.join("\n") + "\n";
    }
    if let Some(runner) = &seen.runner {
        lines.push(format!("  a run is at work on it: {runner}"));
    }
    let rows = rows(seen, jobs, verbose);
    let width = |cell: fn(&Row) -> &str| rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or_default();
    let (objects, names) = (width(|row| row.object), width(|row| &row.name));
    let mut layer = "";
    for row in &rows {
        let shown = if row.layer == layer { "" } else { row.layer };
        layer = row.layer;
        let line = format!("  {shown:9}  {:objects$}  {:names$}  {}", row.object, row.name, row.rest);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

/// `singularity_dev, marked as dev, PostgreSQL 18.6 (embedded)`
fn heading(seen: &Seen, server: Option<&ServerReport>) -> String {
    let mark = seen.steps.iter().find(|step| step.object == "environment" && step.status == Status::Found);
    let mark = mark.map(|step| format!(", marked as {}", step.name)).unwrap_or_default();
    let version = seen.steps.iter().find(|step| step.object == "server").and_then(|step| step.detail.as_ref());
    let kind = server.map(|server| format!(" ({})", server.kind)).unwrap_or_default();
    let version = version.map(|version| format!(", PostgreSQL {version}{kind}")).unwrap_or_default();
    format!("{}{mark}{version}", seen.name)
}

fn rows(seen: &Seen, jobs: &Jobs, verbose: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut steps = seen.steps.iter().filter(|step| !is_in_heading(step)).peekable();
    while let Some(step) = steps.next() {
        let mut alike = vec![step];
        while !verbose
            && is_folded(step)
            && let Some(next) = steps.next_if(|next| is_folded(next) && next.layer == step.layer)
        {
            alike.push(next);
        }
        rows.push(match alike[..] {
            [one] => row(one),
            _ => folded(&alike),
        });
        if let Some(line) = jobs.line(step) {
            let alone = if seen.runner.is_none() { "; nobody is at it, the next run goes on" } else { "" };
            let rest = format!("{line}{alone}");
            rows.push(Row { layer: step.layer, object: "job", name: step.name.clone(), rest });
        }
    }
    rows
}

/// Said at the top.
fn is_in_heading(step: &Step) -> bool {
    matches!(step.object, "server" | "database" | "environment") && step.status == Status::Found
}

/// Of migrations that have been applied the last one is enough.
fn is_folded(step: &Step) -> bool {
    step.object == "migration" && step.status == Status::Found
}

fn folded(steps: &[&Step]) -> Row {
    let last = steps[steps.len() - 1];
    let detail = last.detail.as_deref().unwrap_or_default();
    let rest = format!("the last one is {}, {detail}", last.name);
    Row {
        layer: last.layer,
        object: "migrations",
        name: steps.len().to_string(),
        rest: rest.trim_end_matches(", ").into(),
    }
}

fn row(step: &Step) -> Row {
    let detail = step.detail.as_deref().unwrap_or_default();
    let rest = match step.status {
        Status::Found => detail.to_owned(),
        status => {
            let status = status.to_string().to_lowercase();
            if detail.is_empty() { status } else { format!("{status}: {detail}") }
        }
    };
    Row { layer: step.layer, object: step.object, name: step.name.clone(), rest }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;

    fn seen() -> Seen {
        let step = |layer, object, name: &str, status| Step::new("dev", layer, object, name, status);
        let steps = vec![
            step("bootstrap", "server", "PostgreSQL", Status::Found).detail("18.6"),
            step("bootstrap", "database", "dev", Status::Found),
            step("bootstrap", "environment", "dev", Status::Found),
            step("bootstrap", "extension", "vector", Status::Found).detail("0.8.6"),
            step("bootstrap", "extension", "vchord", Status::LeftOut).detail("not offered"),
            step("ecto", "migration", "1_one", Status::Found).detail("applied yesterday"),
            step("ecto", "migration", "2_two", Status::Found).detail("applied today"),
            step("ecto", "migration", "3_three", Status::Pending),
            step("sqlx", "migration", "002_rag", Status::Found),
            step("sqlx", "layout", "code_files", Status::Pending)
                .detail("16 hash leaves")
                .facts(json!({ "phase": "backfilling", "rows": 10, "rows_copied": 4 })),
        ];
        Seen { name: "dev".into(), exists: true, runner: Some("pid 7".into()), steps }
    }

    #[test]
    fn a_layer_is_named_once_and_what_is_applied_is_counted() {
        let (seen, mut jobs) = (seen(), Jobs::default());
        jobs.look_at(seen.steps.iter(), Instant::now());
        insta::assert_snapshot!(of(&seen, None, &jobs, false), @r"
        dev, marked as dev, PostgreSQL 18.6
          a run is at work on it: pid 7
          bootstrap  extension   vector      0.8.6
                     extension   vchord      left out: not offered
          ecto       migrations  2           the last one is 2_two, applied today
                     migration   3_three     pending
          sqlx       migration   002_rag
                     layout      code_files  pending: 16 hash leaves
                     job         code_files  backfilling: 4 of about 10 rows copied
        ");
        assert!(of(&seen, None, &jobs, true).contains("migration  1_one       applied yesterday"));
        let absent = Seen { exists: false, runner: None, steps: Vec::new(), ..seen };
        assert_eq!(of(&absent, None, &jobs, false), "dev\n  there is no database of that name\n");
    }
}
