//! Files of settings.

use anyhow::{bail, ensure, Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroizing;

/// Reads a file of settings that `--config` names. `parse` gets its text, and its folder, to which the
/// paths in it are relative.
///
/// # Errors
/// In words: if it cannot be read, with the `example` after which one is written, and those of `parse`.
pub fn load<T>(
    path: &Path,
    example: &str,
    parse: impl FnOnce(&str, &Path) -> Result<T>,
) -> Result<T> {
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("{}: write one after {example}, or name another with --config", place())
    })?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).with_context(place)
}

/// A port of this machine that others do not reach, as a default in a file of settings.
pub fn local<const PORT: u16>() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PORT).into()
}

/// What is wrong with a file of settings, and in which line. The line itself is not repeated: a secret
/// may stand in it.
pub fn wrong_at(text: &str, place: Option<Range<usize>>, why: &str) -> anyhow::Error {
    let before = place.and_then(|place| text.get(..place.start)).unwrap_or_default();
    anyhow::anyhow!("line {}: {why}", before.matches('\n').count() + 1)
}

/// Checks that a file of settings in which a secret stands is readable by its owner only. Development
/// accounts such as `//Bob` are no secret.
///
/// # Errors
/// In words.
pub fn secret_is_kept(path: &Path, secret: Option<&str>) -> Result<()> {
    if secret.is_none_or(|secret| secret.starts_with("//")) {
        return Ok(());
    }
    ensure!(
        cicada_files::is_secret(path)?,
        "{}: a secret stands in it, and others may read it: 'chmod 600' it",
        path.display()
    );
    Ok(())
}

/// The secret of an account: as it stands in a file of settings, or in the file that is named there.
///
/// # Errors
/// In words that do not repeat the secret.
pub fn secret_of(secret: Option<&str>, file: Option<&Path>) -> Result<Zeroizing<String>> {
    match (secret, file) {
        (Some(secret), None) => Ok(Zeroizing::new(secret.into())),
        (None, Some(path)) => Ok(Zeroizing::new(cicada_files::read_secret(path)?.trim().into())),
        _ => bail!("give one of suri and account"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_stands_in_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        mode(0o644);
        let said = secret_is_kept(&path, Some("a b c")).unwrap_err().to_string();
        assert!(said.contains("chmod 600") && !said.contains("a b c"), "{said}");
        assert!(
            secret_is_kept(&path, Some("//Bob")).is_ok() && secret_is_kept(&path, None).is_ok()
        );
        mode(0o600);
        assert!(secret_is_kept(&path, Some("a b c")).is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let loaded = |parse: fn(&str, &Path) -> Result<String>| load(&path, "the example", parse);
        let said = format!("{:#}", loaded(|text, _| Ok(text.into())).unwrap_err());
        assert!(said.contains("a.toml: write one after the example"), "{said}");
        std::fs::write(&path, "x = 1").unwrap();
        let read = loaded(|text, folder| Ok(format!("{text} in {}", folder.display()))).unwrap();
        assert_eq!(read, format!("x = 1 in {}", folder.path().display()));
        let said = format!("{:#}", loaded(|_, _| anyhow::bail!("no y")).unwrap_err());
        assert!(said.ends_with("a.toml: no y"), "{said}");
    }
}
