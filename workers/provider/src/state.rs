//! What the provider keeps on disk, beside its keys: the chain holds the rest.

use anyhow::{Context, Result};
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::market::Assignment;
use cicada_core::Account;
use cicada_files::{write_whole, PLAIN};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which market on which chain a state is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain's genesis.
    pub genesis: Digest,
    /// The block after it: a development chain that was reset has the same genesis.
    pub first_block: Digest,
    /// The auction contract.
    pub auction: Account,
}

impl Identity {
    // The name of the folder.
    fn name(&self) -> String {
        let parts = [self.genesis.0, self.first_block.0, self.auction.0].concat();
        hex::encode(&Native::sha256(&parts).0[..16])
    }
}

/// What is noted by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// An own offer.
    Offer,
    /// An own assignment.
    Assignment,
}

/// The folder of a provider's state on one market. Numbers of assignments mean something there only.
#[derive(Clone, Debug)]
pub struct State(PathBuf);

impl State {
    /// Opens what is in `path` of this market; another one's is left alone.
    ///
    /// # Errors
    /// Those of the file system, with the place.
    pub fn open(path: &Path, of: &Identity) -> Result<Self> {
        let state = Self(path.join(of.name()));
        for name in ["done", "offers", "assignments"] {
            let folder = state.0.join(name);
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        let Identity { genesis, first_block, auction } = of;
        let text = format!("genesis {genesis}\nblock 1 {first_block}\nauction {auction}\n");
        write(&state.0.join("market"), &text)?;
        Ok(state)
    }

    /// The file that keeps a second provider out of `path`.
    ///
    /// # Errors
    /// Those of the file system, with the place.
    pub fn lock_file(path: &Path) -> Result<PathBuf> {
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        Ok(path.join("lock"))
    }

    fn done_file(&self, assignment: u64) -> PathBuf {
        self.0.join("done").join(assignment.to_string())
    }

    /// The digest of the result of an assignment that was worked on to the end; it need not be
    /// on the chain yet.
    pub fn done(&self, id: u64, assignment: &Assignment) -> Option<Digest> {
        let text = fs::read_to_string(self.done_file(id)).ok()?;
        let (digest, of) = text.trim().split_once(' ')?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digest, &mut bytes).ok()?;
        (of == content(assignment)).then_some(Digest(bytes))
    }

    /// Notes a result, so that a restart before the delivery does not run the job again.
    ///
    /// # Errors
    /// Those of the file system, with the place.
    pub fn set_done(&self, id: u64, assignment: &Assignment, digest: &Digest) -> Result<()> {
        let text = format!("{} {}", hex::encode(digest), content(assignment));
        write(&self.done_file(id), &text)
    }

    /// Forgets an assignment that has ended.
    pub fn forget(&self, assignment: u64) {
        let _ = fs::remove_file(self.done_file(assignment));
        self.forget_own(Own::Assignment, assignment);
    }

    /// Notes an own offer or assignment: any number of others' may come after it.
    ///
    /// # Errors
    /// Those of the file system, with the place.
    pub fn note(&self, what: Own, id: u64) -> Result<()> {
        let path = self.own_file(what, id);
        if path.exists() {
            return Ok(());
        }
        write(&path, "")
    }

    /// Forgets one that is closed or has ended.
    pub fn forget_own(&self, what: Own, id: u64) {
        let _ = fs::remove_file(self.own_file(what, id));
    }

    /// Those that were noted and not forgotten.
    pub fn own(&self, what: Own) -> BTreeSet<u64> {
        let entries = fs::read_dir(self.own_folder(what)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    fn own_folder(&self, what: Own) -> PathBuf {
        self.0.join(match what {
            Own::Offer => "offers",
            Own::Assignment => "assignments",
        })
    }

    fn own_file(&self, what: Own, id: u64) -> PathBuf {
        self.own_folder(what).join(id.to_string())
    }

    /// All assignments below this number were looked at: the own ones are noted, or have ended.
    pub fn settled_below(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("settled-below")).unwrap_or_default();
        text.trim().parse().unwrap_or(1)
    }

    /// Moves that mark.
    ///
    /// # Errors
    /// Those of the file system, with the place.
    pub fn set_settled_below(&self, assignment: u64) -> Result<()> {
        if assignment == self.settled_below() {
            return Ok(());
        }
        write(&self.0.join("settled-below"), &assignment.to_string())
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    Ok(write_whole(path, text.as_bytes(), PLAIN)?)
}

// What an assignment is about, beside its number.
fn content(assignment: &Assignment) -> String {
    let Assignment { request, requester, escrow, assigned_ms, .. } = assignment;
    format!("{request}-{escrow}-{assigned_ms}-{}", hex::encode(&requester.0[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::tests::until;

    const HERE: Identity = Identity {
        genesis: Digest([1; 32]),
        first_block: Digest([2; 32]),
        auction: Account([3; 32]),
    };

    #[test]
    fn results_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path(), &HERE).unwrap();
        let assignment = until(5_000);
        assert_eq!((state.done(7, &assignment), state.settled_below()), (None, 1));
        state.set_done(7, &assignment, &Digest([9; 32])).unwrap();
        state.set_settled_below(7).unwrap();
        let again = State::open(folder.path(), &HERE).unwrap();
        assert_eq!((again.done(7, &assignment), again.settled_below()), (Some(Digest([9; 32])), 7));
        again.forget(7);
        assert_eq!(state.done(7, &assignment), None);
        for id in [3, 4, 5] {
            state.note(Own::Offer, id).unwrap();
            state.note(Own::Assignment, id).unwrap();
        }
        state.forget_own(Own::Offer, 3);
        state.forget(5);
        assert_eq!(again.own(Own::Offer), BTreeSet::from([4, 5]));
        assert_eq!(again.own(Own::Assignment), BTreeSet::from([3, 4]));
    }

    #[test]
    fn another_market_or_a_chain_that_was_reset_starts_empty() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path(), &HERE).unwrap();
        state.set_done(7, &until(5_000), &Digest([9; 32])).unwrap();
        state.set_settled_below(8).unwrap();
        for other in [
            Identity { genesis: Digest([9; 32]), ..HERE },
            Identity { first_block: Digest([9; 32]), ..HERE },
            Identity { auction: Account([9; 32]), ..HERE },
        ] {
            let state = State::open(folder.path(), &other).unwrap();
            assert_eq!((state.done(7, &until(5_000)), state.settled_below()), (None, 1));
        }
        assert_eq!(state.settled_below(), 8, "nothing was lost");
    }

    #[test]
    fn a_result_is_of_an_assignment_and_not_of_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path(), &HERE).unwrap();
        state.set_done(7, &until(5_000), &Digest([9; 32])).unwrap();
        let mut other = until(5_000);
        other.requester = Account([8; 32]);
        assert_eq!(state.done(7, &other), None);
    }
}
