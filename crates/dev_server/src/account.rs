//! Which account the server runs as.
//!
//! PostgreSQL refuses to run as root. Anyone else runs it as themselves; root runs it as the owner of the project,
//! or, where that is root too, as a system account.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use crate::accounts::Accounts;

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

/// Chooses the account: the caller; for root the owner of an existing `cluster`, the owner of the `project`, then the
/// system accounts. initdb refuses an account without a name, so an owner that `accounts` does not know will not do.
pub(crate) fn choose(caller: u32, project: Owner, cluster: Option<Owner>, accounts: &impl Accounts) -> Account {
    if caller != 0 {
        return named(Owner { uid: caller, gid: project.gid }, accounts, false);
    }
    if let Some(owner) = cluster.filter(|owner| owner.uid != 0) {
        return named(owner, accounts, true);
    }
    if project.uid != 0 && accounts.by_uid(project.uid).is_some() {
        return named(project, accounts, true);
    }
    let system = SYSTEM_ACCOUNTS
        .iter()
        .find_map(|name| accounts.by_name(name).filter(|user| user.uid != 0))
        .map_or(NOBODY, |user| Owner { uid: user.uid, gid: user.gid });
    named(system, accounts, true)
}

const SYSTEM_ACCOUNTS: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// What nearly every system means by `nobody`, for those whose account list does not say.
const NOBODY: Owner = Owner { uid: 65534, gid: 65534 };

fn named(owner: Owner, accounts: &impl Accounts, switch: bool) -> Account {
    let known = accounts.by_uid(owner.uid);
    Account {
        uid: owner.uid,
        gid: known.as_ref().map_or(owner.gid, |user| user.gid),
        name: known.map_or_else(|| format!("uid {}", owner.uid), |user| user.name),
        switch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::User;

    /// In the form of `/etc/passwd`.
    struct List(&'static str);

    impl List {
        fn find(&self, wanted: impl Fn(&User) -> bool) -> Option<User> {
            // macOS writes `nobody` as -2, and has comments.
            let number = |field: &str| field.parse().or_else(|_| field.parse().map(i32::cast_unsigned)).unwrap();
            let lines = self.0.lines().filter(|line| !line.starts_with('#'));
            let users = lines.map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                User { name: fields[0].to_owned(), uid: number(fields[2]), gid: number(fields[3]) }
            });
            users.into_iter().find(wanted)
        }
    }

    impl Accounts for List {
        fn by_uid(&self, uid: u32) -> Option<User> {
            self.find(|user| user.uid == uid)
        }

        fn by_name(&self, name: &str) -> Option<User> {
            self.find(|user| user.name == name)
        }
    }

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1001::/home/alice:/bin/sh\n\
                          postgres:x:101:104::/var/lib/postgresql:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n";
    const ROOT: Owner = Owner { uid: 0, gid: 0 };
    const ALICE: Owner = Owner { uid: 1000, gid: 5 };

    fn chosen(caller: u32, project: Owner, cluster: Option<Owner>, passwd: &'static str) -> (String, u32, u32, bool) {
        let account = choose(caller, project, cluster, &List(passwd));
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
}
