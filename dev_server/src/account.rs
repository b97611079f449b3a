//! Which account the server runs as.
//!
//! PostgreSQL refuses to run as root. Anyone else runs it as themselves; root runs it as the owner of the project,
//! or, where that is root too, as a system account.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::process;

/// The account that a server runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
    /// Whether the caller is somebody else, that is root.
    pub(crate) switch: bool,
}

impl Account {
    /// The owner to give to the server's files; `None` where they belong to the caller by themselves.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.switch.then_some(Owner { uid: self.uid, gid: self.gid })
    }
}

/// Who a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { uid: metadata.uid(), gid: metadata.gid() }
    }
}

/// The user who runs this program.
pub(crate) fn caller() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The list of accounts; empty where the machine has none in a file.
pub(crate) fn passwd() -> String {
    std::fs::read_to_string("/etc/passwd").unwrap_or_default()
}

/// Chooses the account: the caller; for root the owner of an existing `cluster`, the owner of the `project`, then the
/// system accounts. `passwd` is the text of `/etc/passwd`; initdb refuses an account without a name, so an owner that
/// is not listed there will not do.
pub(crate) fn choose(caller: u32, project: Owner, cluster: Option<Owner>, passwd: &str) -> Account {
    let users: Vec<User> = passwd.lines().filter_map(user).collect();
    if caller != 0 {
        return named(Owner { uid: caller, gid: project.gid }, &users, false);
    }
    if let Some(owner) = cluster.filter(|owner| owner.uid != 0) {
        return named(owner, &users, true);
    }
    if project.uid != 0 && users.iter().any(|user| user.owner.uid == project.uid) {
        return named(project, &users, true);
    }
    let system = SYSTEM_ACCOUNTS
        .iter()
        .find_map(|name| users.iter().find(|user| user.name == *name && user.owner.uid != 0))
        .map_or(NOBODY, |user| user.owner);
    named(system, &users, true)
}

/// Whether `account` may enter `folder`: asked of the kernel, because groups and access lists decide as well as modes.
///
/// Only a refusal is `false`; a folder that is not there is an error.
pub(crate) fn may_enter(account: &Account, folder: &Path) -> Result<bool, io::Error> {
    let mut probe = process::command_as(account, "/bin/sh", folder);
    match probe.args(["-c", ":"]).status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}

const SYSTEM_ACCOUNTS: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// What nearly every system means by `nobody`, for those whose account list does not say.
const NOBODY: Owner = Owner { uid: 65534, gid: 65534 };

struct User<'text> {
    name: &'text str,
    owner: Owner,
}

fn user(line: &str) -> Option<User<'_>> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.starts_with('#'))?;
    let uid = number(fields.nth(1)?)?;
    let gid = number(fields.next()?)?;
    Some(User { name, owner: Owner { uid, gid } })
}

/// macOS writes `nobody` as -2.
fn number(field: &str) -> Option<u32> {
    field.parse().ok().or_else(|| field.parse::<i32>().ok().map(i32::cast_unsigned))
}

fn named(owner: Owner, users: &[User<'_>], switch: bool) -> Account {
    let known = users.iter().find(|user| user.owner.uid == owner.uid);
    Account {
        uid: owner.uid,
        gid: known.map_or(owner.gid, |user| user.owner.gid),
        name: known.map_or_else(|| format!("uid {}", owner.uid), |user| user.name.to_owned()),
        switch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1001::/home/alice:/bin/sh\n\
                          postgres:x:101:104::/var/lib/postgresql:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n";
    const ROOT: Owner = Owner { uid: 0, gid: 0 };
    const ALICE: Owner = Owner { uid: 1000, gid: 5 };

    fn chosen(caller: u32, project: Owner, cluster: Option<Owner>, passwd: &str) -> (String, u32, u32, bool) {
        let account = choose(caller, project, cluster, passwd);
        (account.name, account.uid, account.gid, account.switch)
    }

    #[test]
    fn anyone_but_root_stays_themselves() {
        assert_eq!(chosen(1000, ROOT, None, PASSWD), ("alice".to_owned(), 1000, 1001, false));
        assert_eq!(chosen(7, ALICE, Some(ALICE), PASSWD), ("uid 7".to_owned(), 7, 5, false));
    }

    #[test]
    fn root_becomes_the_owner_of_the_project() {
        assert_eq!(chosen(0, ALICE, None, PASSWD), ("alice".to_owned(), 1000, 1001, true));
        let unlisted = Owner { uid: 4242, gid: 17 };
        assert_eq!(chosen(0, unlisted, None, PASSWD).0, "postgres");
    }

    #[test]
    fn an_existing_cluster_keeps_its_owner() {
        assert_eq!(chosen(0, ROOT, Some(ALICE), PASSWD), ("alice".to_owned(), 1000, 1001, true));
        assert_eq!(chosen(0, ALICE, Some(ROOT), PASSWD).0, "alice");
    }

    #[test]
    fn root_in_its_own_project_takes_a_system_account() {
        assert_eq!(chosen(0, ROOT, None, PASSWD), ("postgres".to_owned(), 101, 104, true));
        let mac = "# comment\nnobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";
        assert_eq!(chosen(0, ROOT, None, mac), ("nobody".to_owned(), 4_294_967_294, 4_294_967_294, true));
        assert_eq!(chosen(0, ROOT, None, ""), ("uid 65534".to_owned(), 65534, 65534, true));
    }

    #[test]
    fn the_caller_may_enter_an_open_folder() {
        let account = choose(caller(), ROOT, None, &passwd());
        assert!(may_enter(&account, Path::new("/")).unwrap());
        assert!(may_enter(&account, Path::new("/nowhere/at/all")).is_err());
    }
}
