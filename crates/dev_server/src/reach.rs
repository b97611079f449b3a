//! What an account can reach.

use std::io;
use std::path::Path;

use crate::account::Account;
use crate::process;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{self, Owner};
    use crate::accounts::Nss;

    #[test]
    fn the_caller_may_enter_an_open_folder() {
        let account = account::choose(account::caller(), Owner { uid: 0, gid: 0 }, None, &Nss);
        assert!(may_enter(&account, Path::new("/")).unwrap());
        assert!(may_enter(&account, Path::new("/nowhere/at/all")).is_err());
    }
}
