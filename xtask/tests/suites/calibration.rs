//! `migrations calibrate`, and what `migrations verify` says of the codes.

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::oracle::filled;
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    the_least_that_finds_enough_is_kept,
    where_all_is_exact_there_is_nothing_to_calibrate,
    codes_that_are_not_those_of_the_vectors_are_found,
];

const SETTING: &str = "SELECT concat_ws(' ', way, recall, ef_search, measured >= 0.95) FROM db_service.search_setting ORDER BY way, recall";

fn the_least_that_finds_enough_is_kept(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    let json = migrations(&url, &["calibrate", "--searches", "20", "--json"]).succeeds().json();
    let steps = json["steps"].as_array().unwrap();
    let ways: Vec<_> = steps.iter().map(|step| (step["name"].as_str().unwrap(), &step["facts"]["recall"])).collect();
    assert_eq!(
        ways,
        [
            ("halfvec", &"fast".into()),
            ("halfvec", &"balanced".into()),
            ("hnsw", &"fast".into()),
            ("hnsw", &"balanced".into()),
        ]
    );
    for step in steps {
        let least = if step["facts"]["recall"] == "fast" { 0.95 } else { 0.99 };
        assert!(step["facts"]["measured"].as_f64().unwrap() >= least, "{step}");
    }
    // What no search takes is as it was.
    let kept = database.column(SETTING);
    assert_eq!((kept[0].as_str(), kept[1].as_str()), ("bits balanced 300", "bits fast 100"));
    assert_eq!(kept[6..], ["vchordrq balanced 80", "vchordrq fast 20"]);
    assert!(kept[2..6].iter().all(|setting| setting.ends_with(" t")), "{kept:#?}");
    // Where more candidates are asked for again, more of them are compared.
    let more = "SELECT more::text FROM db_service.search_setting ORDER BY way, recall";
    let compared = database.column(more);
    database.execute("UPDATE db_service.search_setting SET more = 0 WHERE way IN ('halfvec', 'hnsw')");
    let again = migrations(&url, &["calibrate", "--searches", "20", "--json"]).succeeds().json();
    assert_eq!(again["outcome"], "unchanged", "the same rows have the same outcome: {again:#}");
    assert_eq!(database.column(more), compared);
    migrations(&url, &["calibrate", "--searches", "0"]).exits(2);
    let role = Role::new(server);
    database.execute(&format!("GRANT SELECT ON embeddings TO {}", role.name));
    migrations(&url, &[]).succeeds();
    migrations(&role.url(&database), &["calibrate"]).exits(1).says("permission denied");
    assert_eq!(database.column(SETTING), kept);
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

fn where_all_is_exact_there_is_nothing_to_calibrate(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("UPDATE db_service.codes SET form = 'none'");
    migrations(&database.url_text(), &[]).succeeds();
    migrations(&database.url_text(), &["calibrate"]).succeeds().says("Left out recall `all`");
    let without = Database::at(server, Stage::Ecto);
    migrations(&without.url_text(), &["calibrate"]).exits(1).says("this database has no search functions");
    Passed
}

fn codes_that_are_not_those_of_the_vectors_are_found(server: &TestServer) -> Verdict {
    for (spoil, said) in [
        ("DELETE FROM db_service.embedding_codes WHERE path = 'src/file1'", "1 vectors have no code"),
        (
            "INSERT INTO db_service.embedding_codes SELECT 'r', 'surplus', model, half FROM db_service.embedding_codes LIMIT 1",
            "1 codes have no vector",
        ),
        (
            "UPDATE db_service.embedding_codes SET model = 'another' WHERE path = 'src/file1'",
            "1 codes are not those of their vectors",
        ),
    ] {
        let database = filled(server);
        database.execute(spoil);
        migrations(&database.url_text(), &["verify"]).exits(4).says(said);
    }
    let database = filled(server);
    let url = database.url_text();
    database.execute(
        "UPDATE db_service.embedding_codes SET half = (SELECT half FROM db_service.embedding_codes WHERE path = 'src/file3')
         WHERE path = 'src/file1'",
    );
    migrations(&url, &["verify"]).exits(4).says("1 codes are not those of their vectors");
    database.execute("SELECT db_service.begin_codes()");
    migrations(&url, &[]).succeeds().says("Created codes `embeddings` 2000 vectors copied");
    // What was written since holds instead.
    database.execute(
        "DELETE FROM embeddings WHERE path = 'src/file1'; UPDATE embeddings SET model = 'n' WHERE path = 'src/file3'",
    );
    migrations(&url, &["verify", "--verbose"]).succeeds().says("1999 compared with their vectors; 20 searches found ");
    Passed
}
