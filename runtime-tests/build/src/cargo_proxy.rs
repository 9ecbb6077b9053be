//! Makes the contracts' committed lock file count.
//!
//! `contract-build` compiles a rewritten copy of a contract's manifest in a temporary folder. For a
//! member of a workspace it puts the lock file at that folder's root, but the copied manifest, one
//! level below, declares a workspace of its own, so cargo would ignore the lock file and resolve
//! every dependency anew. `contract-build` calls the program named by `CARGO`; this program names
//! itself there, places the lock file where cargo looks for it, and hands over to cargo.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::rustc_proxy;

/// Set in the environment of everything this program starts.
const MARK: &str = "CICADA_BUILD_CARGO";
/// The one target folder of all contracts, in that which the environment names.
pub const SHARED: &str = "ink/shared";
/// How `contract-build` names its temporary folders.
const TEMPORARY_PREFIX: &str = "cargo-contract_";

/// Lets every cargo that `contract-build` starts pass through this program.
pub fn install() -> Result<()> {
    let own = env::current_exe().context("cannot find the path of this program")?;
    env::set_var(MARK, "cargo");
    env::set_var("CARGO", own);
    Ok(())
}

/// Acts as cargo when started as such; `None` for an ordinary start.
pub fn run_if_proxy() -> Option<ExitCode> {
    let cargo = env::var_os(MARK)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let Some(folder) = manifest_folder(&arguments) {
        if let Err(error) = place_lock_file(&folder) {
            eprintln!("warning: cannot use the committed lock file: {error:#}");
        }
    }
    let mut command = Command::new(&cargo);
    command.env_remove(MARK).env_remove("CARGO");
    if let Err(error) = adjust(&mut command, arguments) {
        eprintln!("error: {error:#}");
        return Some(ExitCode::FAILURE);
    }
    let failure = command.exec();
    eprintln!("error: cannot start {}: {failure}", cargo.to_string_lossy());
    Some(ExitCode::FAILURE)
}

/// Gives a cargo that compiles its arguments and environment. The runs that lint a contract and print its
/// metadata share macros and build scripts, by one folder, one profile and no flags.
fn adjust(cargo: &mut Command, mut arguments: Vec<OsString>) -> Result<()> {
    let first = arguments.first().map(|argument| argument.to_string_lossy().into_owned());
    let subcommand = first.as_deref().unwrap_or_default();
    if subcommand == "clippy" {
        let end = arguments.iter().position(|argument| argument == "--");
        arguments.insert(end.unwrap_or(arguments.len()), "--release".into());
        if let Some(target) = env::var_os("CARGO_TARGET_DIR") {
            cargo.env("CARGO_TARGET_DIR", Path::new(&target).join(SHARED));
        }
    }
    if matches!(subcommand, "clippy" | "run") {
        // What prints the metadata runs once, for a moment.
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
        cargo.env_remove("CARGO_ENCODED_RUSTFLAGS");
    }
    if matches!(subcommand, "build" | "clippy" | "run") {
        // A contract's own profile must not reach what runs here.
        for (setting, value) in [("CODEGEN_UNITS", "16"), ("OVERFLOW_CHECKS", "false")] {
            cargo.env(format!("CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_{setting}"), value);
        }
        rustc_proxy::install(cargo)?;
    }
    cargo.args(arguments);
    Ok(())
}

/// The folder of the manifest that this call is about.
fn manifest_folder(arguments: &[OsString]) -> Option<PathBuf> {
    let text: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let named = text.iter().enumerate().find_map(|(index, argument)| {
        match argument.strip_prefix("--manifest-path") {
            Some("") => text.get(index + 1).map(|path| path.to_string()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        }
    });
    match named {
        Some(path) => Path::new(&path).parent().map(Path::to_path_buf),
        None => env::current_dir().ok(),
    }
}

/// Copies the lock file from the root of the temporary folder to the outermost manifest below it.
fn place_lock_file(folder: &Path) -> Result<()> {
    let Some(root) = folder.ancestors().find(|path| is_temporary_root(path)) else {
        return Ok(());
    };
    let outermost = folder
        .ancestors()
        .take_while(|path| *path != root)
        .filter(|path| path.join("Cargo.toml").exists())
        .last();
    if let Some(package) = outermost {
        let (from, to) = (root.join("Cargo.lock"), package.join("Cargo.lock"));
        if from.exists() && !to.exists() {
            fs::copy(&from, &to)
                .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        }
    }
    Ok(())
}

fn is_temporary_root(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_lands_next_to_the_outermost_manifest() {
        let root = env::temp_dir().join(format!("{TEMPORARY_PREFIX}test-{}", std::process::id()));
        let inner = root.join("token/.ink/metadata_gen");
        fs::create_dir_all(&inner).unwrap();
        for folder in [root.join("token"), inner.clone()] {
            fs::write(folder.join("Cargo.toml"), "").unwrap();
        }
        fs::write(root.join("Cargo.lock"), "locked").unwrap();

        let argument = format!("--manifest-path={}", inner.join("Cargo.toml").display());
        place_lock_file(&manifest_folder(&[OsString::from("run"), argument.into()]).unwrap())
            .unwrap();

        assert_eq!(fs::read_to_string(root.join("token/Cargo.lock")).unwrap(), "locked");
        assert!(!inner.join("Cargo.lock").exists());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_manifest_path_is_read_in_both_spellings() {
        let separate = ["build", "--manifest-path", "/a/b/Cargo.toml"].map(OsString::from);
        let joined = ["build", "--manifest-path=/a/b/Cargo.toml"].map(OsString::from);
        assert_eq!(manifest_folder(&separate), Some(PathBuf::from("/a/b")));
        assert_eq!(manifest_folder(&joined), Some(PathBuf::from("/a/b")));
        assert_eq!(manifest_folder(&[OsString::from("build")]), env::current_dir().ok());
    }
}
