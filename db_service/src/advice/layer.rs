//! Is the layer worth its while here?

use relayout::layout::Bytes;
use serde_json::json;
use terminal::elapsed::{Elapsed, as_milliseconds};

use super::measured::{Measured, Table};
use super::need::{is_in_use, is_needed, users};
use super::point::Advice;
use super::threshold::{EXACT_VECTORS, LARGE, USERS, compared};
use super::unknown::Unknown;
use super::way;

const RULE: &str = "layer";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    let figures = json!({
        "bytes": measured.searched_bytes(),
        "database_bytes": measured.database_bytes,
        "vectors": measured.vectors(),
        "users": users(measured),
        "search_milliseconds": measured.searches.as_ref().ok().map(|searches| as_milliseconds(searches.mean)),
        "wanted_milliseconds": as_milliseconds(measured.wanted.latency),
    });
    let Some(table) = &measured.embeddings else {
        let message = format!("this database has {} and no table `embeddings`", Bytes(measured.database_bytes));
        return vec![Advice::fine(RULE, message, figures).why("there is nothing that the layer could speed up")];
    };
    let said = said(measured, table);
    if is_in_use(measured) {
        return vec![Advice::fine(RULE, format!("it is in use; {said}"), figures)];
    }
    if is_needed(measured) {
        let why = "in leaves, a search in one repository reads one of them and not the whole table; one across all takes one \
                   index with half of the memory; results can be kept until a repository changes";
        return vec![Advice::to_do(RULE, said, figures).why(why).run(&way::into_leaves(measured, table))];
    }
    match &measured.searches {
        // However long they take: no index would be asked.
        _ if table.rows() <= EXACT_VECTORS => {
            let all = Elapsed(compared(table.rows(), table.is_inline));
            let why =
                format!("to compare a question with every vector takes no more than about {all}: a plain table does");
            vec![Advice::fine(RULE, said, figures).why(why)]
        }
        Ok(_) => vec![Advice::fine(RULE, said, figures).why("one plain table with one vector index does")],
        Err(unknown) => {
            let unknown =
                Unknown { why: format!("{said}; whether that is enough is not known: {unknown}"), ..unknown.clone() };
            vec![Advice::not_known(
                RULE,
                "one plain table with one vector index does, if it is fast enough",
                figures,
                &unknown,
            )]
        }
    }
}

fn said(measured: &Measured, table: &Table) -> String {
    let (these, all) = (Bytes(measured.searched_bytes()), Bytes(measured.database_bytes));
    let size = format!(
        "files and vectors take {these} of the {all} of this database, the layer is for {} and more",
        Bytes(LARGE)
    );
    let vectors = format!("{} in `embeddings`", table.about());
    let users = match measured.wanted.users {
        Some(users) => format!("{users} search at once, the layer is for {USERS} and more"),
        None => format!("{} other sessions at this moment, the layer is for {USERS} and more", measured.sessions),
    };
    let wanted = Elapsed(measured.wanted.latency);
    let searches = match &measured.searches {
        Ok(it) => {
            let hidden = if it.hidden > 0 { ", as far as this role may see" } else { "" };
            let (mean, slowest) = (Elapsed(it.mean), Elapsed(it.slowest));
            format!(
                "{} searches took {mean} on average, {slowest} where they are slowest{hidden}; {wanted} are wanted",
                it.calls
            )
        }
        Err(_) => format!("{wanted} are wanted for a search"),
    };
    format!("{size}; {vectors}; {users}; {searches}")
}
