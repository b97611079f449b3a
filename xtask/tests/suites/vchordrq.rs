//! Codes by VectorChord's index: where the server offers it, and where it does not.

use crate::Verdict::{self, Passed, Skipped};
use crate::command::migrations;
use crate::database::Database;
use crate::oracle::{filled, forms_of_codes, found, nearest};
use crate::server::TestServer;

crate::tests![
    without_the_extension_the_codes_are_halfvec_and_it_is_said,
    searches_by_it_find_the_nearest_and_leave_settings_alone,
    the_extension_may_be_dropped_and_come_again,
];

const ACROSS: &str = "search_across($1::text::public.vector)";

fn declare(database: &Database<'_>, form: &str) {
    database.execute(&format!("UPDATE db_service.codes SET form = '{form}'"));
}

fn without_the_extension_the_codes_are_halfvec_and_it_is_said(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    database.execute("DROP EXTENSION IF EXISTS vchord CASCADE");
    declare(&database, "vchordrq");
    for command in [&[][..], &["status"]] {
        migrations(&url, command)
            .succeeds()
            .says("needs the extension `vchord`, which this database lacks: indexed as halfvec")
            .says("`CREATE EXTENSION vchord`, where the server offers it, and run this again");
    }
    assert_eq!(found(&database, ACROSS, 77).1, "halfvec");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn offered(server: &TestServer) -> bool {
    forms_of_codes(server).contains(&"vchordrq")
}

fn not_offered() -> Verdict {
    Skipped("this server does not offer VectorChord".into())
}

fn searches_by_it_find_the_nearest_and_leave_settings_alone(server: &TestServer) -> Verdict {
    if !offered(server) {
        return not_offered();
    }
    let database = filled(server);
    let url = database.url_text();
    declare(&database, "vchordrq");
    migrations(&url, &[]).succeeds().says("searches across repositories use them, as vchordrq");
    migrations(&url, &["calibrate", "--searches", "20"]).succeeds().says("`balanced` probes");
    let (rows, way) = found(&database, ACROSS, 77);
    let oracle = nearest(&database, "true", 10, 77);
    assert_eq!((rows.len(), way.as_str()), (10, "vchordrq"));
    assert!(rows.iter().filter(|row| oracle.contains(row)).count() >= 9, "{rows:#?} {oracle:#?}");
    migrations(&url, &["verify", "--verbose"]).succeeds().says("vchordrq; ");
    let probes: String = database.with(async |connection| {
        let search = "BEGIN;
             SET LOCAL vchordrq.probes = '7';
             SELECT count(*) FROM db_service.search_across((SELECT embedding FROM embeddings LIMIT 1))";
        sqlx::raw_sql(search).execute(&mut *connection).await.unwrap();
        sqlx::query_scalar("SHOW vchordrq.probes").fetch_one(connection).await.unwrap()
    });
    assert_eq!(probes, "7");
    Passed
}

fn the_extension_may_be_dropped_and_come_again(server: &TestServer) -> Verdict {
    if !offered(server) {
        return not_offered();
    }
    let database = filled(server);
    let url = database.url_text();
    declare(&database, "vchordrq");
    migrations(&url, &[]).succeeds();
    let wanted = nearest(&database, "true", 10, 77);
    database.execute("DROP EXTENSION vchord CASCADE");
    assert_eq!(found(&database, ACROSS, 77).0, wanted, "without an index, all codes are compared");
    migrations(&url, &["plan"]).exits(3).says("to be indexed as halfvec");
    migrations(&url, &[]).succeeds().says("as halfvec").says("needs the extension `vchord`");
    assert_eq!(found(&database, ACROSS, 77).1, "halfvec");
    database.execute("CREATE EXTENSION vchord");
    migrations(&url, &[]).succeeds().says("as vchordrq");
    assert_eq!(found(&database, ACROSS, 77).1, "vchordrq");
    migrations(&url, &[]).succeeds().changes_nothing();
    Passed
}
