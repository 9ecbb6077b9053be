//! What is there of an earlier deployment. The file that names its contracts may be the only thing
//! that knows where money is: it is never written over unasked.

use crate::say;
use anyhow::{anyhow, Context, Result};
use cicada_chain::Error;
use cicada_core::hash::Digest;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How the contracts that a file names stand on its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The file names none of them.
    Unnamed,
    /// All that it names are there, with the code of their bundles.
    There,
    /// All that it names are gone: the chain was reset.
    Gone,
}

/// A contract that a file names: its name, what code the chain says it has, and that of its bundle.
pub(crate) type Named = (String, Result<Option<Digest>, Error>, Digest);

/// How contracts stand that a file names.
///
/// # Errors
/// If the chain cannot be asked; if the code of one differs from its bundle's; if some are there and
/// others not. Nothing is to be deployed then.
pub(crate) fn standing(file: &Path, contracts: Vec<Named>) -> Result<Standing> {
    let count = contracts.len();
    let mut missing = Vec::new();
    for (name, code, built) in contracts {
        match code.map_err(|error| unasked(&name, error))? {
            None => missing.push(name),
            Some(code) if code == built => {}
            Some(_) => {
                let why = "is another one than that of its bundle, as it was built now";
                return Err(differs(file, &anyhow!("the code of {name} {why}")));
            }
        }
    }
    match missing.len() {
        0 if count == 0 => Ok(Standing::Unnamed),
        0 => Ok(Standing::There),
        all if all == count => Ok(Standing::Gone),
        _ => {
            let missing = missing.join(", ");
            Err(differs(file, &anyhow!("some of its contracts are not on the chain: {missing}")))
        }
    }
}

/// Why nothing is deployed although it may be needed: nobody knows.
fn unasked(what: &str, error: Error) -> anyhow::Error {
    let said = "cannot ask the chain about";
    let so = "Nothing was deployed, and nothing is known to be wrong: run it again";
    anyhow!("{said} {what}: {error}. {so}")
}

/// Why nothing is deployed although a file is there.
pub(crate) fn differs(file: &Path, why: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "{}: {why:#}. Nothing was deployed, for the contracts of this file may hold money. Put that right, or deploy new ones with --replace, which keeps this file under another name",
        file.display()
    )
}

/// The outcome of a check of contracts by their views: that they differ, or that nobody knows.
pub(crate) fn checked(file: &Path, what: &str, check: Result<()>) -> Result<()> {
    check.map_err(|error| match error.downcast::<Error>() {
        Ok(error) if error.refusal().is_none() => unasked(what, error),
        Ok(error) => differs(file, &anyhow!(error)),
        Err(error) => differs(file, &error),
    })
}

/// Keeps a file that is to be replaced: a copy of it, beside it, with the time in its name.
///
/// # Errors
/// If it cannot be copied.
pub(crate) fn keep(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let time_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let named = |time_ms: u128| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".old-{time_ms}"));
        PathBuf::from(name)
    };
    // What was kept in this very millisecond stays, too.
    let free = (time_ms..).map(named).find(|kept| !kept.exists());
    let kept = free.context("no name is free")?;
    std::fs::copy(path, &kept).with_context(|| kept.display().to_string())?;
    say(format!("the file that was there is kept as {}", kept.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "a/network.toml";
    const BUILT: Digest = Digest([1; 32]);

    fn stands(codes: &[Result<Option<Digest>, Error>]) -> Result<Standing, String> {
        let named = |code: &Result<Option<Digest>, Error>| {
            let code = code.as_ref().map_or_else(|_| Err(silent()), |code| Ok(*code));
            ("token".to_owned(), code, BUILT)
        };
        standing(Path::new(FILE), codes.iter().map(named).collect())
            .map_err(|error| error.to_string())
    }

    fn silent() -> Error {
        Error::Secret("no node answers".into())
    }

    #[test]
    fn not_there_differing_and_unknown_are_three_outcomes() {
        assert_eq!(stands(&[]), Ok(Standing::Unnamed));
        assert_eq!(stands(&[Ok(Some(BUILT)), Ok(Some(BUILT))]), Ok(Standing::There));
        assert_eq!(stands(&[Ok(None), Ok(None)]), Ok(Standing::Gone));
        for (codes, what) in [
            ([Ok(Some(Digest([2; 32]))), Ok(None)], "the code of token"),
            ([Ok(Some(BUILT)), Ok(None)], "not on the chain: token"),
        ] {
            let said = stands(&codes).unwrap_err();
            assert!(said.starts_with(FILE) && said.contains(what), "{said}");
            assert!(said.contains("--replace"), "{said}");
        }
        let said = stands(&[Ok(None), Err(silent())]).unwrap_err();
        assert!(said.contains("cannot ask the chain about token"), "{said}");
        assert!(said.contains("no node answers") && !said.contains("--replace"), "{said}");
    }

    #[test]
    fn a_view_that_says_something_else_and_one_that_is_not_heard_are_told_apart() {
        let of = |error| checked(Path::new(FILE), "the index", Err(error)).unwrap_err().to_string();
        let said = of(anyhow!("its parameters are others"));
        assert!(said.contains("parameters are others") && said.contains("--replace"), "{said}");
        let said = of(anyhow!(silent()));
        assert!(said.contains("cannot ask") && !said.contains("--replace"), "{said}");
    }

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
}
