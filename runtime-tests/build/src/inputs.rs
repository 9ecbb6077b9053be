//! What a contract is made of: the packages of the workspace, and a hash of everything that can
//! change a bundle.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use sha2::{Digest, Sha256};

use crate::recipe::{RECIPE, SALT};

/// A feature of every contract, and of no other crate.
const CONTRACT_FEATURE: &str = "ink-as-dependency";
/// Folders that do not go into a bundle.
const IGNORED: [&str; 4] = ["target", "tests", "benches", "examples"];

/// The contracts' workspace as cargo sees it.
pub struct Workspace {
    metadata: Metadata,
    /// Compiler and recipe: common to all contracts.
    common: Sha256,
    compiler_key: String,
}

impl Workspace {
    /// Reads the workspace of a manifest.
    pub fn load(manifest: &Path, toolchain: &str, offline: bool) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command.manifest_path(manifest);
        if offline {
            command.other_options(vec!["--offline".into()]);
        }
        let metadata =
            command.exec().with_context(|| format!("cargo cannot read {}", manifest.display()))?;
        let mut common = Sha256::new();
        common.update(RECIPE);
        common.update(SALT);
        common.update(compiler_version(toolchain)?);
        let compiler_key = hex::encode(&common.clone().finalize()[..8]);
        Ok(Self { metadata, common, compiler_key })
    }

    /// Names of the members that are contracts, sorted.
    pub fn contracts(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| package.features.contains_key(CONTRACT_FEATURE))
            .map(|package| package.name.clone())
            .collect();
        names.sort();
        names
    }

    /// The manifest of a contract.
    pub fn manifest_of(&self, contract: &str) -> Result<PathBuf> {
        Ok(self.member(contract)?.manifest_path.clone().into())
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Short name of compiler and recipe, for folders that hold what they compiled.
    pub fn compiler_key(&self) -> &str {
        &self.compiler_key
    }

    /// Digest of everything that can change the bundle of a contract, as 64 hex digits.
    pub fn fingerprint(&self, contract: &str) -> Result<String> {
        let mut hash = self.common.clone();
        for package in self.closure(&self.member(contract)?.id)? {
            hash.update(&package.name);
            if package.source.is_some() {
                // Registries never change what a version contains.
                hash.update(package.version.to_string());
                continue;
            }
            let folder = package.manifest_path.parent().context("a manifest has a folder")?;
            let mut files = Vec::new();
            collect_files(folder.as_std_path(), &mut files)?;
            files.sort();
            for file in files {
                let name =
                    file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
                hash_file(&mut hash, &name, &file)?;
            }
        }
        Ok(hex::encode(hash.finalize()))
    }

    fn member(&self, name: &str) -> Result<&Package> {
        self.metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name == name)
            .with_context(|| format!("no package named '{name}' in {}", self.root().display()))
    }

    /// A package and all packages that it is compiled from, in a fixed order.
    fn closure(&self, start: &PackageId) -> Result<Vec<&Package>> {
        let resolve = self.metadata.resolve.as_ref().context("cargo resolved no dependencies")?;
        let mut open = vec![start];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = resolve
                .nodes
                .iter()
                .find(|node| node.id == *id)
                .context("a package without a node")?;
            let used = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            open.extend(used.map(|dependency| &dependency.pkg));
        }
        let mut packages: Vec<_> = seen.into_iter().map(|id| &self.metadata[id]).collect();
        packages.sort_by_key(|package| (package.name.as_str(), &package.version));
        Ok(packages)
    }
}

/// The compiler's version without who built it and where: that does not change what it compiles.
fn compiler_version(toolchain: &str) -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    anyhow::ensure!(
        output.status.success(),
        "the toolchain '{toolchain}' does not work: run scripts/setup contracts\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let release = text.lines().find_map(|line| line.strip_prefix("release: "));
    Ok(release.context("the compiler does not say its version")?.to_owned())
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || IGNORED.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            // A package inside a package is not part of it.
            if !path.join("Cargo.toml").exists() {
                collect_files(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Adds a file's name, length and contents, so that no two sets of files give the same bytes.
fn hash_file(hash: &mut Sha256, name: &str, path: &Path) -> Result<()> {
    let contents = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name);
    hash.update((contents.len() as u64).to_le_bytes());
    hash.update(contents);
    Ok(())
}
