//! What is there of an earlier deployment. The file that names its contracts may be the only thing
//! that knows where money is: it is never written over unasked.

use crate::say;
use anyhow::{anyhow, bail, Context, Result};
use cicada_chain::{Bundle, Chain};
use cicada_core::hash::Hash;
use cicada_core::Account;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether the contracts of a file are on the chain of their genesis: all, or none because the chain
/// was reset.
///
/// # Errors
/// If the chain is another, if some are there and others not, if the code of one is another than its
/// bundle's, or if the chain cannot be asked.
pub async fn all_there(
    chain: &Chain,
    genesis: &Hash,
    contracts: &[(&Account, &Bundle)],
) -> Result<bool> {
    if *genesis != chain.genesis() {
        bail!("it is of another chain, whose genesis is 0x{}", hex::encode(genesis));
    }
    let mut missing = Vec::new();
    for (account, bundle) in contracts {
        match chain.code_hash(account).await.context("the chain cannot be asked")? {
            None => missing.push(bundle.name()),
            Some(code) if code == *bundle.code_hash() => {}
            Some(_) => bail!(
                "the code of {} is another one than that of {}, as it was built now",
                bundle.name(),
                bundle.name()
            ),
        }
    }
    match missing.len() {
        0 => Ok(true),
        all if all == contracts.len() => Ok(false),
        _ => bail!("some of its contracts are not on the chain: {}", missing.join(", ")),
    }
}

/// Why nothing is deployed although a file is there.
pub fn stays(path: &Path, why: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "{}: {why:#}. Nothing was deployed, for the contracts of this file may hold money. Put that right, or deploy new ones with --anew, which keeps this file under another name",
        path.display()
    )
}

/// Keeps a file that is to be replaced: a copy of it, beside it, with the time in its name.
///
/// # Errors
/// If it cannot be copied.
pub fn keep(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let time_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".old-{time_ms}"));
    let kept = PathBuf::from(name);
    std::fs::copy(path, &kept).with_context(|| kept.display().to_string())?;
    say(format!("the file that was there is kept as {}", kept.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        keep(&path).unwrap();
        std::fs::write(&path, "where the money is").unwrap();
        keep(&path).unwrap();
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept: Vec<_> = names.filter(|name| *name != path).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(std::fs::read_to_string(&kept[0]).unwrap(), "where the money is");
    }

    #[test]
    fn a_refusal_names_the_file_and_the_way_out() {
        let said = stays(Path::new("a/network.toml"), &anyhow!("some are missing")).to_string();
        assert!(
            said.contains("a/network.toml: some are missing") && said.contains("--anew"),
            "{said}"
        );
    }
}
