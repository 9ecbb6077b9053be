//! Files of settings.

use anyhow::{Context, Result};
use std::path::Path;

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

#[cfg(test)]
mod tests {
    use super::*;

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
