//! `clean-cache`: removes what was fetched.

use dev_server::Cached;
use terminal::Exit;
use terminal::console::Console;

use crate::cli::CleanOptions;
use crate::error::Error;
use crate::server::ServerError;

pub(crate) fn run(options: &CleanOptions, console: &Console) -> Result<Exit, Error> {
    let job = console.job("cache");
    let folders = if options.dry_run { dev_server::cached() } else { dev_server::clean(&|text| job.announce(text)) };
    drop(job);
    let folders = folders.map_err(ServerError::from)?;
    let (kept, removed): (Vec<&Cached>, Vec<&Cached>) = folders.iter().partition(|folder| folder.user.is_some());
    let bytes: u64 = removed.iter().map(|folder| folder.bytes).sum();
    let exit = if options.dry_run && !removed.is_empty() { Exit::Pending } else { Exit::Done };
    if options.json {
        let listed = |folders: &[&Cached]| -> Vec<_> { folders.iter().map(|folder| described(folder)).collect() };
        console.json(&serde_json::json!({
            "version": 1,
            "command": "clean-cache",
            "exit_code": exit,
            "dry_run": options.dry_run,
            "bytes": bytes,
            "removed": listed(&removed),
            "kept": listed(&kept),
        }));
        return Ok(exit);
    }
    for folder in &kept {
        let process = folder.user.unwrap_or_default();
        console.note(&format!(
            "Kept `{}`: a server runs from it (process {process}); stop it with `cargo xtask db-server stop` in its project",
            folder.path.display()
        ));
    }
    for folder in &removed {
        let verb = if options.dry_run { "Pending removal of" } else { "Removed" };
        console.note(&format!("{verb} `{}` ({} bytes)", folder.path.display(), folder.bytes));
    }
    console.result(&match (removed.is_empty(), options.dry_run) {
        (true, _) => "Unchanged: there is nothing to remove".to_owned(),
        (false, true) => format!("Would free {bytes} bytes"),
        (false, false) => format!("Freed {bytes} bytes"),
    });
    Ok(exit)
}

fn described(folder: &Cached) -> serde_json::Value {
    serde_json::json!({ "path": folder.path, "bytes": folder.bytes, "process": folder.user })
}
