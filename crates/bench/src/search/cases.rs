//! What is searched, and by whom.

use database::quote::literal;

use super::contender::{Contender, K, Side};
use super::ground::{Ground, Setting};

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) work: Work,
    /// What is searched.
    pub(crate) name: String,
    /// Which rows qualify, as SQL.
    pub(crate) condition: String,
    pub(crate) contenders: Vec<Contender>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Large,
    Middle,
    Small,
    /// Across all repositories, by the codes in this form.
    Across(&'static str),
    Filtered,
}

/// What the peers try, to be as good as is asked for.
const EF_SEARCH: [u32; 5] = [40, 60, 100, 200, 400];

/// Across the leaves, each of which is asked for so many.
const EF_SEARCH_OF_LEAVES: [u32; 4] = [10, 20, 40, 60];

/// All but the searches across, which take the codes.
pub(crate) fn without_codes(ground: &Ground) -> Vec<Case> {
    let mut cases = Vec::new();
    for (work, repository) in
        [(Work::Large, &ground.large), (Work::Middle, &ground.middle), (Work::Small, &ground.small)]
    {
        cases.push(in_repository(work, &repository.name, repository.rows, ground.of_leaf));
    }
    for (name, rows) in [("a hundredth", ground.rows / 100), ("a thousandth", ground.rows / 1000), ("ten rows", 10)] {
        cases.push(filtered(name, rows));
    }
    cases
}

fn in_repository(work: Work, repository: &str, rows: i64, setting: Setting) -> Case {
    let name = literal(repository);
    let condition = format!("repo_name = {name}");
    let mut contenders = vec![Contender::ours(&format!("search_in_repository({name}, $1, {K})"))];
    for ef_search in EF_SEARCH {
        contenders.push(Contender::nearest(Side::Flat, "peer.flat", &condition, ef_search));
    }
    for ef_search in EF_SEARCH {
        contenders.push(Contender::nearest(Side::Partial, "peer.partial", &condition, ef_search));
    }
    contenders.push(Contender::comparing_all(&condition));
    let Setting { ef_search, .. } = setting;
    contenders.push(Contender::nearest(Side::ByHand, "public.embeddings", &condition, ef_search));
    let size = match work {
        Work::Large => "the largest",
        Work::Middle => "a middle",
        _ => "a small",
    };
    Case { work, name: format!("in {size} repository ({rows} rows)"), condition, contenders }
}

fn filtered(name: &str, rows: i64) -> Case {
    let key = name.replace(' ', "_");
    let condition = format!("metadata @> '{{\"{key}\": true}}'");
    let call = format!("search_across($1, {K}, metadata => '{{\"{key}\": true}}')");
    let mut contenders = vec![Contender::ours(&call)];
    for ef_search in EF_SEARCH {
        contenders.push(Contender::nearest(Side::Flat, "peer.flat", &condition, ef_search));
        contenders.push(Contender::nearest(Side::Iterative, "peer.flat", &condition, ef_search));
    }
    contenders.push(Contender::comparing_all(&condition));
    let name = if rows == 10 { name.to_owned() } else { format!("{name} ({rows} rows)") };
    Case { work: Work::Filtered, name: format!("across, of which {name} pass the filter"), condition, contenders }
}

/// Across all repositories, while the codes have this form.
pub(crate) fn across_by(form: &'static str, ground: &Ground) -> Case {
    let mut contenders = vec![Contender::ours(&format!("search_across($1, {K})"))];
    for ef_search in EF_SEARCH_OF_LEAVES {
        contenders.push(Contender::nearest(Side::Leaves, "public.embeddings", "true", ef_search));
    }
    for ef_search in EF_SEARCH {
        contenders.push(Contender::nearest(Side::Flat, "peer.flat", "true", ef_search));
    }
    if form == "halfvec" {
        contenders.push(codes_by_hand(ground.of_codes));
    }
    Case { work: Work::Across(form), name: format!("across, by {form}"), condition: "true".to_owned(), contenders }
}

/// The same index, asked for as many, and the same comparison with the stored vectors.
fn codes_by_hand(setting: Setting) -> Contender {
    let Setting { ef_search, more } = setting;
    let candidates = K + usize::try_from(more).unwrap_or_default();
    let sql = format!(
        "SELECT e.repo_name, e.path, e.distance, '' AS way
         FROM (SELECT repo_name, path FROM db_service.embedding_codes
               ORDER BY half <=> $1::public.halfvec LIMIT {candidates}) c
         CROSS JOIN LATERAL (
             SELECT e.repo_name, e.path, e.embedding <=> $1 AS distance FROM public.embeddings e
             WHERE e.repo_name = c.repo_name AND e.path = c.path LIMIT 1) e
         ORDER BY e.distance LIMIT {K}"
    );
    let settings = format!("SET hnsw.ef_search = {ef_search}; SET plan_cache_mode = force_generic_plan");
    Contender::new(Side::ByHand, format!("ef_search {ef_search}"), settings, sql)
}
