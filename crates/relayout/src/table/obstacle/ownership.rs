//! The role that runs the job has to own the table.

use terminal::Finding;

use super::facts::ServerFacts;

pub(super) fn check(server: &ServerFacts) -> Vec<Finding> {
    if server.owns {
        return Vec::new();
    }
    let message = format!("the role `{}` neither owns it nor is a member of its owner", server.role);
    vec![Finding::new("not-the-owner", message).fix(format!("GRANT {} TO {}", server.owner, server.role))]
}
