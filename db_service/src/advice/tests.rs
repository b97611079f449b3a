//! The five databases, and what they are advised.

use std::time::Duration;

use super::example::{GB, in_leaves, in_use, large, plain, tiny, with_giant};
use super::*;
use crate::subject::codes::Form;

fn of<'a>(advice: &'a [Advice], rule: &str) -> &'a Advice {
    advice.iter().find(|it| it.finding.rule == rule).unwrap_or_else(|| panic!("no `{rule}` in {advice:#?}"))
}

/// Rules by which something is to be done, in order, each once.
fn to_do(advice: &[Advice]) -> Vec<&str> {
    let mut rules: Vec<&str> =
        advice.iter().filter(|it| it.verdict == Verdict::ToDo).map(|it| it.finding.rule).collect();
    rules.dedup();
    rules
}

fn commands<'a>(advice: &'a [Advice], rule: &str) -> Vec<&'a str> {
    of(advice, rule).commands().collect()
}

#[test]
fn a_tiny_database_needs_nothing() {
    let advice = advise(&tiny());
    assert_eq!(to_do(&advice), [""; 0]);
    let layer = of(&advice, "layer");
    assert_eq!(layer.verdict, Verdict::Fine);
    assert_eq!(
        layer.finding.message,
        "files and vectors take 18 MB of the 30 MB of this database, the layer is for 100 GB and more; about 2000 rows in `embeddings`; 1 other sessions at this \
         moment, the layer is for 10 and more; 50 ms are wanted for a search"
    );
    assert!(layer.finding.help.as_deref().unwrap().contains("takes no more than about 10 ms"), "{layer:#?}");
    assert_eq!(of(&advice, "shared-buffers").verdict, Verdict::Fine);
    // What the machine has is not known, and does not matter.
    assert_eq!(of(&advice, "machine").verdict, Verdict::Fine);
    assert_eq!(of(&advice, "cache").verdict, Verdict::Fine);
}

#[test]
fn a_large_database_is_better_with_all_of_it() {
    let advice = advise(&large());
    assert_eq!(to_do(&advice), ["layer", "leaves", "codes", "cache"]);
    let layer = of(&advice, "layer");
    assert!(
        layer
            .finding
            .message
            .starts_with("files and vectors take 137 GB of the 160 GB of this database, the layer is for 100 GB"),
        "{layer:#?}"
    );
    assert!(
        layer
            .finding
            .message
            .contains("12000 searches took 83 ms on average, 760 ms where they are slowest; 50 ms are wanted")
    );
    assert_eq!(layer.figures["search_milliseconds"], 83.0);
    // That of the codes takes more than two of leaves.
    assert_eq!(commands(&advice, "leaves"), ["migrations --yes --index-memory 35328"]);
    assert_eq!(of(&advice, "leaves").figures["wanted_leaves"], 16);
    assert_eq!(commands(&advice, "codes"), commands(&advice, "leaves")[..1]);
    assert_eq!(of(&advice, "codes").figures["wanted_form"], "halfvec");
    assert_eq!(of(&advice, "machine").verdict, Verdict::Fine);
    assert_eq!(commands(&advice, "cache").len(), 2);
}

#[test]
fn where_the_memory_is_too_small_the_codes_are_and_then_the_machine_is() {
    let with_memory = |memory: u64| {
        let mut measured = in_use(Form::Halfvec);
        measured.wanted.memory = Some(memory);
        measured.settings.shared_buffers = 8 * GB;
        measured.settings.effective_cache_size = 4 * GB;
        advise(&measured)
    };
    let advice = with_memory(96 * GB);
    assert_eq!(to_do(&advice), ["codes", "shared-buffers", "effective-cache-size"]);
    assert_eq!(
        commands(&advice, "codes"),
        ["UPDATE db_service.codes SET form = 'bits'", "migrations --yes --index-memory 11008"]
    );
    assert_eq!(commands(&advice, "shared-buffers"), ["ALTER SYSTEM SET shared_buffers = '38GB'"]);
    assert_eq!(commands(&advice, "effective-cache-size")[0], "ALTER SYSTEM SET effective_cache_size = '72GB'");
    let advice = with_memory(16 * GB);
    let machine = of(&advice, "machine");
    assert_eq!(machine.verdict, Verdict::ToDo);
    assert!(machine.finding.message.contains("this one has 16GB, as `--memory` says"), "{machine:#?}");
    assert!(machine.finding.help.as_deref().unwrap().contains("48 ms"));
    assert!(machine.figures["needed_bytes_bits"].as_u64().unwrap() > 16 * GB);
}

#[test]
fn a_giant_repository_is_split_by_path() {
    let measured = in_use(Form::Halfvec);
    let embeddings = measured.embeddings.map(|table| with_giant(table, 5_000_000));
    let advice = advise(&Measured { embeddings, ..in_use(Form::Halfvec) });
    assert_eq!(to_do(&advice), ["giant", "build-memory"]);
    let giant = of(&advice, "giant");
    assert_eq!(
        giant.finding.to_string(),
        "table `embeddings`: leaf 16/5 holds about 5000000 rows, of which repository `linux` is 90 %; more than 2000000 are too many"
    );
    assert_eq!(commands(&advice, "giant"), ["migrations split --table embeddings --leaf 16/5 --by-path --yes"]);
    assert_eq!((&giant.figures["repository"], &giant.figures["leaf_rows"]), (&"linux".into(), &5_000_000.into()));
    // Of one that is still a plain table, what will be.
    let mut embeddings = plain("embeddings", 15_000_000);
    embeddings.repositories = with_giant(plain("embeddings", 1), 5_000_000).repositories;
    let advice = advise(&Measured { embeddings: Some(embeddings), ..large() });
    assert_eq!(commands(&advice, "giant"), ["migrations split --table embeddings --by-path --yes"]);
}

#[test]
fn one_machine_is_not_enough_for_a_thousand_million_vectors() {
    let measured = Measured {
        embeddings: Some(in_leaves(plain("embeddings", 1_000_000_000))),
        database_bytes: 12_000_000_000_000,
        ..in_use(Form::Bits)
    };
    let advice = advise(&measured);
    let machine = of(&advice, "machine");
    assert_eq!(machine.verdict, Verdict::ToDo);
    assert!(
        machine
            .finding
            .help
            .as_deref()
            .unwrap()
            .starts_with("no ordinary machine has more than 1024GB: shard by `repo_name`")
    );
    assert_eq!(commands(&advice, "machine")[0], "CREATE EXTENSION citus");
    // Whatever is known of the machine.
    let mut unsaid = measured;
    unsaid.wanted.memory = None;
    unsaid.settings = tiny().settings;
    assert_eq!(of(&advise(&unsaid), "machine").verdict, Verdict::ToDo);
    assert_eq!(of(&advise(&unsaid), "shared-buffers").verdict, Verdict::NotKnown);
}

#[test]
fn what_is_in_use_and_fits_is_left_alone() {
    let advice = advise(&in_use(Form::Halfvec));
    assert_eq!(to_do(&advice), [""; 0], "{advice:#?}");
    assert!(of(&advice, "layer").finding.message.starts_with("it is in use; files and vectors take 137 GB"));
    assert_eq!(of(&advice, "cache").finding.message, "40 MB of results are kept in the database");
}

#[test]
fn what_a_role_may_not_see_is_not_known_and_never_absent() {
    let hidden = Unknown::new("7 statements of other roles are hidden").remedy("ask");
    let embeddings = plain("embeddings", 200_000);
    let measured = Measured { embeddings: Some(embeddings), searches: Err(hidden), ..tiny() };
    let advice = advise(&measured);
    let layer = of(&advice, "layer");
    assert_eq!(layer.verdict, Verdict::NotKnown);
    assert!(
        layer.finding.message.ends_with("whether that is enough is not known: 7 statements of other roles are hidden")
    );
    assert_eq!(layer.finding.help.as_deref(), Some("ask"));
    // A leaf that holds too much is to be split, whoever is in it.
    let table = with_giant(in_leaves(plain("embeddings", 15_000_000)), 5_000_000);
    let table = Table { repositories: Err(Unknown::new("nobody may see it")), ..table };
    let advice = advise(&Measured { embeddings: Some(table), ..in_use(Form::Halfvec) });
    assert_eq!(commands(&advice, "split"), ["migrations split --table embeddings --by-path --yes"]);
}

#[test]
fn many_users_or_slow_searches_are_a_reason_too() {
    let of_vectors = |vectors| Measured { embeddings: Some(plain("embeddings", vectors)), ..tiny() };
    let verdict = |measured: &Measured| of(&advise(measured), "layer").verdict;
    let mut many = of_vectors(200_000);
    many.wanted.users = Some(10);
    assert_eq!(verdict(&many), Verdict::ToDo);
    // All of these are compared in 25 ms.
    let mut few_vectors = of_vectors(5_000);
    few_vectors.wanted.users = Some(100);
    assert_eq!(verdict(&few_vectors), Verdict::Fine);
    let searches =
        |mean| Ok(Searches { calls: 9, mean: Duration::from_millis(mean), slowest: Duration::ZERO, hidden: 0 });
    assert_eq!(verdict(&Measured { searches: searches(60), ..of_vectors(200_000) }), Verdict::ToDo);
    assert_eq!(verdict(&Measured { searches: searches(4), ..of_vectors(200_000) }), Verdict::Fine);
}

#[test]
fn an_old_pgvector_builds_with_one_process() {
    let old =
        Extensions { vector: Some("0.8.0".into()), vector_offered: Some("0.8.0".into()), ..Extensions::default() };
    let advice = advise(&Measured { extensions: old, ..tiny() });
    assert_eq!(to_do(&advice), ["parallel-builds", "pgvector"]);
    assert!(of(&advice, "pgvector").finding.message.contains("CVE-2026-3172"));
    assert_eq!(commands(&advice, "parallel-builds")[0], "ALTER SYSTEM SET max_parallel_maintenance_workers = '0'");
}

#[test]
fn a_database_without_tables_has_nothing_to_be_advised() {
    let empty =
        Measured { embeddings: None, code_files: None, statistics: None, extensions: Extensions::default(), ..tiny() };
    let advice = advise(&empty);
    assert!(advice.iter().all(|it| it.verdict == Verdict::Fine), "{advice:#?}");
    assert_eq!(of(&advice, "layer").finding.message, "this database has 30 MB and no table `embeddings`");
    // Vectors without files are a database like another.
    let without_files = advise(&Measured { code_files: None, ..large() });
    assert_eq!(to_do(&without_files), ["layer", "leaves", "codes", "cache"]);
}

#[test]
fn many_statistics_are_kept_in_parts() {
    let statistics = Some(Statistics { rows: 20_000_000, bytes: 6_000_000_000, is_in_parts: false });
    let of_statistics = |extensions: Extensions| advise(&Measured { extensions, statistics, ..tiny() });
    let with = of_statistics(Extensions { timescaledb: Some("2.19.3".into()), ..tiny().extensions });
    let by_week = ["migrations layout --table rag_performance_stats --by-week inserted_at"];
    assert_eq!(commands(&with, "statistics"), by_week);
    assert_eq!(commands(&of_statistics(tiny().extensions), "statistics"), by_week);
    let in_parts = statistics.map(|it| Statistics { is_in_parts: true, ..it });
    assert_eq!(of(&advise(&Measured { statistics: in_parts, ..tiny() }), "statistics").verdict, Verdict::Fine);
}

#[test]
fn every_rule_has_figures_and_every_deed_a_reason() {
    for measured in [tiny(), large(), in_use(Form::Halfvec), in_use(Form::Bits)] {
        for advice in advise(&measured) {
            assert!(advice.figures.as_object().is_some_and(|figures| !figures.is_empty()), "{advice:#?}");
            assert!(advice.verdict != Verdict::ToDo || advice.finding.help.is_some(), "{advice:#?}");
        }
    }
}
