//! Builds one contract: from the output folder, from the cache, or with the compiler.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use contract_build::{BuildArtifacts, BuildMode, ExecuteArgs, ManifestPath, Network, Verbosity};
use serde_json::Value;

use crate::{cargo_proxy::SHARED, inputs::Workspace, manifest};

/// The file in the output folder that says of which inputs each bundle is.
const INPUTS: &str = "INPUTS";

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
    code_hash: String,
    origin: Origin,
}

impl Summary {
    fn of(name: &str, bundle: &Path, origin: Origin) -> Result<Self> {
        let json: Value = serde_json::from_str(&fs::read_to_string(bundle)?)
            .with_context(|| format!("{} is no bundle", bundle.display()))?;
        let text = |field: &str| json["source"][field].as_str().unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            // Two hexadecimal digits a byte, after 0x.
            size: text("wasm").len().saturating_sub(2) / 2,
            code_hash: text("hash").to_owned(),
            origin,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {:>7} bytes  {}  ", self.name, self.size, self.code_hash)?;
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
    /// Prepares the folders; `out` defaults to `bundles` of the workspace.
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
        let out = out.unwrap_or_else(|| workspace.root().join("bundles"));
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
        let stored = self.store.join(format!("{}.contract", &fingerprint[..32]));
        let bundle = bundle_file(&self.out, name);
        let known = self.inputs()?.get(name) == Some(&fingerprint);

        let origin = if !force && known && bundle.exists() {
            Origin::Unchanged
        } else if !force && stored.exists() {
            copy(&stored, &bundle)?;
            Origin::Cache
        } else {
            // Until it is copied: another checkout builds into the same folder.
            let lock = File::create(self.target.join(".build-contracts.lock"))?;
            lock.lock().context("waiting for another build of contracts")?;
            let started = Instant::now();
            let built = self.compile(name)?;
            anyhow::ensure!(
                self.workspace.fingerprint(name)? == fingerprint,
                "the sources of {name} changed while they were compiled; build again"
            );
            copy(&built, &stored)?;
            copy(&built, &bundle)?;
            Origin::Built(started.elapsed())
        };
        if !known {
            self.note(name, fingerprint)?;
        }
        Summary::of(name, &bundle, origin)
    }

    /// Of which inputs the bundles in the output folder are: one line `FINGERPRINT  NAME` each.
    fn inputs(&self) -> Result<BTreeMap<String, String>> {
        let text = match fs::read_to_string(self.out.join(INPUTS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.with_context(|| format!("reading {INPUTS}"))?,
        };
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        Ok(lines.map(|(fingerprint, name)| (name.to_owned(), fingerprint.to_owned())).collect())
    }

    fn note(&self, name: &str, fingerprint: String) -> Result<()> {
        let mut inputs = self.inputs()?;
        inputs.insert(name.to_owned(), fingerprint);
        let lines = inputs.iter().map(|(name, fingerprint)| format!("{fingerprint}  {name}\n"));
        let file = self.out.join(INPUTS);
        fs::write(&file, lines.collect::<String>())
            .with_context(|| format!("writing {}", file.display()))
    }

    /// Runs the compiler; returns the bundle's file.
    fn compile(&self, name: &str) -> Result<PathBuf> {
        let shared = self.share_target(name)?;
        let first = !shared.join("release").exists();
        eprintln!(
            "building {name}{}",
            if first { " and, this once, all dependencies (about 3 minutes)" } else { "" }
        );
        let verbosity = if first || self.verbose { Verbosity::Default } else { Verbosity::Quiet };
        let manifest = self.workspace.manifest_of(name)?;
        manifest::check(&manifest)?;
        // contract-build would keep the optimised code of an earlier run.
        for extension in ["wasm", "contract", "json"] {
            let _ = fs::remove_file(bundle_file(&shared, name).with_extension(extension));
        }
        let result = contract_build::execute(ExecuteArgs {
            manifest_path: ManifestPath::new(&manifest)?,
            verbosity,
            build_mode: BuildMode::Release,
            build_artifact: BuildArtifacts::All,
            network: self.network,
            ..ExecuteArgs::default()
        })
        .with_context(|| format!("building {name} ({})", manifest.display()))?;
        Ok(bundle_file(&result.target_directory, name))
    }

    /// `contract-build` gives each member of a workspace a target folder of its own and would compile
    /// all dependencies again in each; a link makes them one.
    fn share_target(&self, name: &str) -> Result<PathBuf> {
        let shared = self.target.join(SHARED);
        fs::create_dir_all(&shared)?;
        let link = shared.with_file_name(name.replace('-', "_"));
        if link.symlink_metadata().is_err() {
            symlink("shared", &link).with_context(|| format!("linking {}", link.display()))?;
        }
        Ok(shared)
    }
}

/// A contract's bundle in a folder; `contract-build` writes `-` as `_`.
fn bundle_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.contract", name.replace('-', "_")))
}

/// Copies through a temporary name, so that a reader never sees half a file.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension(format!("{}.partial", std::process::id()));
    fs::copy(from, &partial).with_context(|| format!("copying {}", from.display()))?;
    Ok(fs::rename(&partial, to)?)
}
