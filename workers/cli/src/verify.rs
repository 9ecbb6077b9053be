//! Whether the code on a chain is what comes of the sources here.

use crate::args;
use crate::context::Settings;
use crate::reply::{Failure, Outcome, Reply};
use cicada_chain::Bundle;
use cicada_core::hash::Digest;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says whether the code of a contract on the chain is what comes of the sources of this checkout.
///
/// The code hash on the chain is compared with that of the bundle, and the bundle's sources with
/// those of the checkout that it lies in. Exit status 1 if anything differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cicada71 verify leaderboard
  cicada71 verify 5Grw… --as token --rebuild
  cicada71 verify 5Grw… --json")]
pub struct VerifyArgs {
    /// A contract of the network file, or an address.
    contract: String,
    /// Which contract it should be; without it, an address is that of the bundle with its code.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Builds the contract from the sources first, and compares the bundle with that.
    #[arg(long)]
    rebuild: bool,
    /// Folder of the built contracts. [default: contracts/bundles]
    #[arg(long, env = "CICADA_BUNDLES", value_name = "FOLDER")]
    bundles: Option<PathBuf>,
}

/// `cicada71 verify`.
pub async fn verify(settings: &Settings, args: &VerifyArgs) -> Outcome {
    let account = args::account(&args.contract).ok();
    let file = settings.deployment(account.is_none())?;
    let known = file.as_ref().map(|file| file.contracts.clone()).unwrap_or_default();
    let named = || known.get(args.contract.parse().ok()?);
    let Some(account) = account.or_else(named) else {
        let names: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("no contract '{}'; known are: {}", args.contract, names.join(", "));
        return Err(Failure::Usage(text));
    };
    let chain = settings.chain(file.as_ref()).await?;
    let at = account.to_string();
    let code = chain.code_hash(&account).await?;
    let code = code.ok_or_else(|| Failure::NotFound(format!("there is no contract at {at}")))?;

    let folder = settings.bundles(args.bundles.as_deref());
    let named = known.iter().find(|(_, known)| *known == account).map(|(name, _)| name.as_str());
    let bundle = match args.name.as_deref().or(named) {
        Some(name) => Some(Bundle::find(folder, name)?),
        None => with_code(folder, &code)?,
    };
    let sources = match &bundle {
        Some(bundle) => Sources::of(folder, bundle.name(), args.rebuild)?,
        None => Sources::NotHere,
    };
    Ok(reply(&at, &code, bundle.as_ref(), &sources))
}

/// The bundle of a folder that has this code.
fn with_code(folder: &Path, code: &Digest) -> Result<Option<Bundle>, Failure> {
    let unreadable = |error| Failure::Refused(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "contract") {
            let bundle = Bundle::load(path)?;
            if bundle.code_hash() == code {
                return Ok(Some(bundle));
            }
        }
    }
    Ok(None)
}

/// Whether a bundle is of the sources of the checkout around it.
#[derive(Debug, PartialEq, Eq)]
enum Sources {
    /// There is no checkout.
    NotHere,
    /// The sources are those that the bundle was made of.
    Same,
    /// The bundle is what has just been built.
    Rebuilt,
    /// What differs.
    Differ(String),
}

impl Sources {
    fn of(bundles: &Path, name: &str, rebuild: bool) -> Result<Self, Failure> {
        let script = bundles.join("../../scripts/build-contracts");
        if !script.exists() {
            return match rebuild {
                true => Err(Failure::Usage(format!("--rebuild: {} is missing", script.display()))),
                false => Ok(Self::NotHere),
            };
        }
        let arguments: &[&str] = if rebuild { &["--check", name] } else { &["--status"] };
        let run = Command::new(&script).args(arguments).stderr(Stdio::inherit()).output();
        let run = run.map_err(|e| Failure::Refused(format!("{}: {e}", script.display())))?;
        let said = String::from_utf8_lossy(&run.stdout).trim().to_owned();
        match run.status.code() {
            Some(0) if rebuild => Ok(Self::Rebuilt),
            Some(0) => Ok(Self::Same),
            Some(1) => Ok(Self::Differ(said)),
            _ => Err(Failure::Refused(format!("{}: {}", script.display(), run.status))),
        }
    }
}

fn reply(at: &str, code: &Digest, bundle: Option<&Bundle>, sources: &Sources) -> Reply {
    let same = bundle.is_some_and(|bundle| bundle.code_hash() == code);
    let expected = bundle.map(Bundle::code_hash);
    let mut text = format!("{at} has the code {code}\n");
    text += &match (bundle, &expected) {
        (Some(bundle), Some(_)) if same => format!("which is that of {}", bundle.name()),
        (Some(bundle), Some(hash)) => format!("NOT that of {}, {hash}", bundle.name()),
        _ => "which NO BUNDLE has".into(),
    };
    text += &match sources {
        Sources::NotHere => String::new(),
        Sources::Same => "\nthe bundle is of the sources of this checkout".into(),
        Sources::Rebuilt => "\nthe bundle is what comes of the sources of this checkout".into(),
        Sources::Differ(what) => format!("\nthe bundle is NOT OF THE SOURCES here\n{what}"),
    };
    let of_sources = match sources {
        Sources::NotHere => None,
        Sources::Same | Sources::Rebuilt => Some(true),
        Sources::Differ(_) => Some(false),
    };
    let json = json!({
        "address": at, "code_hash": code, "contract": bundle.map(Bundle::name),
        "bundle_code_hash": expected, "same": same, "bundle_is_of_sources": of_sources,
        "rebuilt": *sources == Sources::Rebuilt,
    });
    let holds = same && of_sources != Some(false);
    Reply { holds, ..Reply::new(text, json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bundles of this repository.
    fn bundles() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(cicada_chain::BUNDLES)
    }

    #[test]
    fn a_bundle_is_found_by_its_code() {
        let token = Bundle::find(bundles(), "token").unwrap();
        let found = with_code(&bundles(), token.code_hash()).unwrap().unwrap();
        assert_eq!(found.name(), "token");
        assert!(with_code(&bundles(), &Digest([7; 32])).unwrap().is_none());
    }

    #[test]
    fn only_the_code_of_these_sources_holds() {
        let token = Bundle::find(bundles(), "token").unwrap();
        let own = token.code_hash();
        let holds = |code: &Digest, bundle, sources| reply("5x", code, bundle, &sources).holds;
        assert!(holds(own, Some(&token), Sources::Same));
        assert!(holds(own, Some(&token), Sources::NotHere));
        assert!(!holds(own, Some(&token), Sources::Differ("changed: core/src/lib.rs".into())));
        assert!(!holds(&Digest([7; 32]), Some(&token), Sources::Same));
        assert!(!holds(&Digest([7; 32]), None, Sources::NotHere));
    }

    #[test]
    fn a_rebuild_needs_a_checkout() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Sources::of(folder.path(), "token", false), Ok(Sources::NotHere));
        assert!(matches!(Sources::of(folder.path(), "token", true), Err(Failure::Usage(_))));
    }
}
