//! What only others may do: take the table out of their publications, grant what they have granted, own their statistics.

use terminal::Finding;

use super::facts::ServerFacts;

pub(super) fn check(server: &ServerFacts) -> Vec<Finding> {
    let role = &server.role;
    let publication = |it: &String| {
        Finding::new(
            "foreign-publication",
            format!("publication `{it}` belongs to a role that `{role}` is no member of"),
        )
    };
    let act_as = |rule, what: &str, it: &String| {
        Finding::new(rule, format!("{it} {what}, and `{role}` may not act as that role"))
            .fix(format!("GRANT {it} TO {role}"))
    };
    let reference = |it: &String| {
        Finding::new("closed-reference", format!("a foreign key of it refers to {it}, and `{role}` may make none"))
            .fix(format!("GRANT REFERENCES ON {it} TO {role}"))
    };
    let grantors = server.foreign_grantors.iter();
    let statisticians = server.foreign_statisticians.iter();
    let publications = server.foreign_publications.iter().map(publication);
    publications
        .chain(grantors.map(|it| act_as("foreign-grantor", "has granted rights to it", it)))
        .chain(statisticians.map(|it| act_as("foreign-statistics", "owns extended statistics of it", it)))
        .chain(server.closed_references.iter().map(reference))
        .collect()
}
