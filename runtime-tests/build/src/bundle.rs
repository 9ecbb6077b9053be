//! Builds one contract: from the output folder, from the cache, or with the compiler.

use std::{
    fmt,
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use contract_build::{
    code_hash, BuildArtifacts, BuildMode, ExecuteArgs, ManifestPath, Network, Verbosity,
};

use crate::{inputs::Workspace, manifest};

const EXTENSIONS: [&str; 3] = ["contract", "json", "wasm"];

/// Where a bundle came from.
enum Origin {
    /// The output folder already held it.
    Unchanged,
    /// An earlier build with the same inputs, perhaps of another checkout.
    Cache,
    /// The compiler, in this time.
    Built(Duration),
}

/// One line of the report.
pub struct Summary {
    name: String,
    size: usize,
    code_hash: [u8; 32],
    origin: Origin,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {:>7} bytes  0x{}  ", self.name, self.size, hex::encode(self.code_hash))?;
        match self.origin {
            Origin::Unchanged => f.write_str("unchanged"),
            Origin::Cache => f.write_str("from the cache"),
            Origin::Built(time) => write!(f, "built in {:.1} s", time.as_secs_f64()),
        }
    }
}

/// Builds the contracts of one workspace.
pub struct Builder<'a> {
    workspace: &'a Workspace,
    out: PathBuf,
    store: PathBuf,
    target: PathBuf,
    network: Network,
    verbose: bool,
}

impl<'a> Builder<'a> {
    /// Prepares the folders; `out` defaults to `target/ink` of the workspace.
    pub fn new(
        workspace: &'a Workspace,
        cache: &Path,
        out: Option<PathBuf>,
        offline: bool,
        verbose: bool,
    ) -> Result<Self> {
        let cache = std::path::absolute(cache)?;
        // Cargo rebuilds what a changed lock file touches; only another compiler needs another folder.
        let target = cache.join("target").join(format!("contracts-{}", workspace.compiler_key()));
        let out = out.unwrap_or_else(|| workspace.root().join("target/ink"));
        let store = cache.join("bundles");
        for folder in [&target, &out, &store] {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        std::env::set_var("CARGO_TARGET_DIR", &target);
        let network = if offline { Network::Offline } else { Network::Online };
        Ok(Self { workspace, out, store, target, network, verbose })
    }

    /// Brings the bundle of a contract up to date.
    pub fn build(&self, name: &str, force: bool) -> Result<Summary> {
        let fingerprint = self.workspace.fingerprint(name)?;
        let note = self.out.join(format!(".{name}.inputs"));
        let stored = self.store.join(&fingerprint[..32]);
        let complete = |folder: &Path| {
            EXTENSIONS.iter().all(|extension| file(folder, name, extension).exists())
        };

        let known = fs::read_to_string(&note).is_ok_and(|inputs| inputs == fingerprint);
        let origin = if !force && known && complete(&self.out) {
            Origin::Unchanged
        } else if !force && complete(&stored) {
            copy_bundle(name, &stored, &self.out)?;
            Origin::Cache
        } else {
            let started = Instant::now();
            let built = self.compile(name)?;
            anyhow::ensure!(
                self.workspace.fingerprint(name)? == fingerprint,
                "the sources of {name} changed while they were compiled; build again"
            );
            fs::create_dir_all(&stored)?;
            copy_bundle(name, &built, &stored)?;
            copy_bundle(name, &built, &self.out)?;
            Origin::Built(started.elapsed())
        };
        fs::write(&note, &fingerprint)?;
        let code = fs::read(file(&self.out, name, "wasm"))?;
        Ok(Summary { name: name.to_owned(), size: code.len(), code_hash: code_hash(&code), origin })
    }

    /// Runs the compiler; returns the folder with the bundle.
    fn compile(&self, name: &str) -> Result<PathBuf> {
        let lock = File::create(self.target.join(".build-contracts.lock"))?;
        lock.lock().context("waiting for another build of contracts")?;
        let shared = self.share_target(name)?;
        let first = !shared.join("release").exists();
        eprintln!(
            "building {name}{}",
            if first { " and, this once, all dependencies (about 3 minutes)" } else { "" }
        );
        let verbosity = if first || self.verbose { Verbosity::Default } else { Verbosity::Quiet };
        let manifest = self.workspace.manifest_of(name)?;
        manifest::check(&manifest)?;
        let result = contract_build::execute(ExecuteArgs {
            manifest_path: ManifestPath::new(&manifest)?,
            verbosity,
            build_mode: BuildMode::Release,
            build_artifact: BuildArtifacts::All,
            network: self.network,
            ..ExecuteArgs::default()
        })
        .with_context(|| format!("building {name} ({})", manifest.display()))?;
        Ok(result.target_directory)
    }

    /// `contract-build` gives each member of a workspace a target folder of its own and would compile
    /// all dependencies again in each; a link makes them one.
    fn share_target(&self, name: &str) -> Result<PathBuf> {
        let ink = self.target.join("ink");
        let shared = ink.join("shared");
        fs::create_dir_all(&shared)?;
        let link = ink.join(name.replace('-', "_"));
        if link.symlink_metadata().is_err() {
            symlink("shared", &link).with_context(|| format!("linking {}", link.display()))?;
        }
        Ok(shared)
    }
}

/// The path of one file of a bundle; `contract-build` writes `-` as `_`.
fn file(folder: &Path, name: &str, extension: &str) -> PathBuf {
    folder.join(format!("{}.{extension}", name.replace('-', "_")))
}

/// Copies through a temporary name, so that a reader never sees half a file.
fn copy_bundle(name: &str, from: &Path, to: &Path) -> Result<()> {
    for extension in EXTENSIONS {
        let (source, target) = (file(from, name, extension), file(to, name, extension));
        let partial = target.with_extension(format!("{extension}.partial"));
        fs::copy(&source, &partial).with_context(|| format!("copying {}", source.display()))?;
        fs::rename(&partial, &target)?;
    }
    Ok(())
}
