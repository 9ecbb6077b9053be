//! What `contract-build` (and `cargo contract`, the same crate) cannot read in a contract's manifest.
//!
//! It compiles a copy of the manifest outside the workspace, so that `edition.workspace = true` has
//! nothing to inherit from, and it reads the path of an inherited dependency relative to the wrong
//! folder. Both end in errors that do not name the cause; this check does.

use std::{fs, path::Path};

use anyhow::{ensure, Context, Result};
use toml::{Table, Value};

/// Fails with what to write instead when a manifest inherits from its workspace.
pub fn check(manifest: &Path) -> Result<()> {
    let text =
        fs::read_to_string(manifest).with_context(|| format!("reading {}", manifest.display()))?;
    let table: Table = text.parse().with_context(|| format!("parsing {}", manifest.display()))?;
    let inherited = inherited(&table);
    ensure!(
        inherited.is_empty(),
        "{} inherits from its workspace, which cargo-contract cannot follow; write these out: {}",
        manifest.display(),
        inherited.join(", ")
    );
    Ok(())
}

/// The keys with `workspace = true`, as `package.edition` or `dependencies.ink`.
fn inherited(manifest: &Table) -> Vec<String> {
    let sections = ["package", "dependencies", "dev-dependencies", "build-dependencies"];
    let of_section = |section: &&str| {
        let entries = manifest.get(*section).and_then(Value::as_table).into_iter().flatten();
        let inherits =
            |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
        entries
            .filter(|(_, value)| inherits(value))
            .map(|(key, _)| format!("{section}.{key}"))
            .collect::<Vec<_>>()
    };
    sections.iter().flat_map(of_section).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherited_keys_are_found_in_every_spelling() {
        let manifest = r#"
            [package]
            name = "token"
            edition.workspace = true
            version = { workspace = true }
            [dependencies]
            ink = { workspace = true, default-features = false }
            core = { path = "../../core" }
        "#;
        let found = inherited(&manifest.parse().unwrap());
        assert_eq!(found, ["package.edition", "package.version", "dependencies.ink"]);
    }

    #[test]
    fn a_manifest_that_stands_alone_passes() {
        let manifest =
            "[package]\nname = \"token\"\nedition = \"2021\"\n[dependencies]\nink = \"=5.1.1\"\n";
        assert_eq!(inherited(&manifest.parse().unwrap()), Vec::<String>::new());
    }
}
