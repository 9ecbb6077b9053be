//! Builds the contracts of this repository into `.contract` bundles.
//!
//! The build step itself is the crate `contract-build`, the same that `cargo contract build --release`
//! runs; this program adds what a repository with many contracts needs: one shared target folder, the
//! committed lock file, nothing rebuilt whose inputs are the same, one line per contract.

mod bundle;
mod cargo_proxy;
mod inputs;
mod manifest;
mod recipe;
mod rustc_proxy;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{bail, Context, Result};
use clap::Parser;

/// Builds ink! contracts in release mode.
///
/// Writes NAME.contract of each contract to the output folder.
#[derive(Parser)]
#[command(
    name = "build-contracts",
    version,
    after_help = "Examples:\n  scripts/build-contracts\n  scripts/build-contracts token validators\n  \
                  scripts/build-contracts --force --verbose exchange"
)]
struct Args {
    /// Contracts to build (package names); all contracts of the workspace when none is given.
    names: Vec<String>,
    /// Manifest of the contracts' workspace.
    #[arg(long, default_value = "contracts/Cargo.toml")]
    manifest: PathBuf,
    /// Output folder [default: bundles next to the manifest].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Cache folder for compiled dependencies and finished bundles [default: ~/.cache/cicada71].
    #[arg(long, env = "CICADA_CACHE")]
    cache: Option<PathBuf>,
    /// The rustup toolchain that compiles the contracts.
    #[arg(long, env = "CICADA_CONTRACT_TOOLCHAIN", default_value = "cicada-1.85")]
    toolchain: String,
    /// Never touch the network.
    #[arg(long)]
    offline: bool,
    /// Build even when nothing has changed.
    #[arg(long)]
    force: bool,
    /// Show the compiler's progress.
    #[arg(long, short)]
    verbose: bool,
    /// Only list the contracts.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    if let Some(status) = cargo_proxy::run_if_proxy().or_else(rustc_proxy::run_if_proxy) {
        return status;
    }
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let manifest = args.manifest.canonicalize().with_context(|| {
        format!(
            "no contracts' workspace at {}; run this from the repository or pass --manifest",
            args.manifest.display()
        )
    })?;
    std::env::set_var("RUSTUP_TOOLCHAIN", &args.toolchain);
    // Flags meant for native code would also reach the contracts.
    let native = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER"];
    for variable in native.into_iter().chain(["RUSTC_WORKSPACE_WRAPPER"]) {
        std::env::remove_var(variable);
    }
    cargo_proxy::install()?;

    let workspace = inputs::Workspace::load(&manifest, &args.toolchain, args.offline)?;
    let names = selected(&workspace, &args.names)?;
    if args.list {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(());
    }
    let cache = match args.cache {
        Some(folder) => folder,
        None => PathBuf::from(std::env::var_os("HOME").context("no HOME: pass --cache")?)
            .join(".cache/cicada71"),
    };
    let builder = bundle::Builder::new(&workspace, &cache, args.out, args.offline, args.verbose)?;
    for name in names {
        println!("{}", builder.build(&name, args.force)?);
    }
    Ok(())
}

/// The contracts asked for, or all; unknown names are an error that lists the known ones.
fn selected(workspace: &inputs::Workspace, asked: &[String]) -> Result<Vec<String>> {
    let known = workspace.contracts();
    if asked.is_empty() {
        return Ok(known);
    }
    for name in asked {
        if !known.contains(name) {
            bail!("no contract named '{name}'; there are: {}", known.join(", "));
        }
    }
    Ok(asked.to_vec())
}
