//! The accounts of this machine, as its name service has them: files, a directory server, systemd's, macOS's own.

use std::path::PathBuf;

use uzers::os::unix::UserExt as _;

/// What is asked of them.
pub(crate) trait Accounts {
    fn by_uid(&self, uid: u32) -> Option<User>;
    fn by_name(&self, name: &str) -> Option<User>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    /// Of its own group.
    pub(crate) gid: u32,
}

/// The name service switch, by `getpwuid_r` and `getpwnam_r`. A file would lack whoever logs in by a directory server.
pub(crate) struct Nss;

impl Accounts for Nss {
    fn by_uid(&self, uid: u32) -> Option<User> {
        uzers::get_user_by_uid(uid).map(|user| user_of(&user))
    }

    fn by_name(&self, name: &str) -> Option<User> {
        uzers::get_user_by_name(name).map(|user| user_of(&user))
    }
}

/// The home folder of the account with that number; none where that does not exist, as for system accounts.
pub(crate) fn home_of(uid: u32) -> Option<PathBuf> {
    let home = uzers::get_user_by_uid(uid)?.home_dir().to_owned();
    (home.is_absolute() && home.is_dir()).then_some(home)
}

fn user_of(user: &uzers::User) -> User {
    User { name: user.name().to_string_lossy().into_owned(), uid: user.uid(), gid: user.primary_group_id() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_number_and_by_name() {
        let root = Nss.by_uid(0).unwrap();
        assert_eq!(Nss.by_name(&root.name), Some(root));
        assert_eq!(Nss.by_name("no-such-account"), None);
    }

    #[test]
    fn an_account_has_its_home_unless_that_is_not_there() {
        assert!(home_of(0).is_some_and(|home| home.is_dir()));
        assert_eq!(home_of(u32::MAX - 7), None);
    }
}
