//! What the provider keeps on disk, beside its keys: the chain holds the rest.

use anyhow::{Context, Result};
use cicada_core::hash::Hash;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of a provider's state.
#[derive(Clone, Debug)]
pub struct State(PathBuf);

impl State {
    /// Opens the folder.
    pub fn open(path: &Path) -> Result<Self> {
        for part in ["done", "failed"] {
            let folder = path.join(part);
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        Ok(Self(path.into()))
    }

    /// The file that keeps a second provider out.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn path(&self, kind: &str, assignment: u64) -> PathBuf {
        self.0.join(kind).join(assignment.to_string())
    }

    fn write(&self, path: &Path, text: &str) -> Result<()> {
        let draft = path.with_extension("new");
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        written().with_context(|| path.display().to_string())
    }

    /// The digest of the result of an assignment that was worked on to the end; it need not be
    /// on the chain yet.
    pub fn done(&self, assignment: u64) -> Option<Hash> {
        let text = fs::read_to_string(self.path("done", assignment)).ok()?;
        let mut digest = [0; 32];
        hex::decode_to_slice(text.trim(), &mut digest).ok().map(|()| digest)
    }

    /// Notes a result, so that a restart before the delivery does not run the job again.
    pub fn set_done(&self, assignment: u64, digest: &Hash) -> Result<()> {
        self.write(&self.path("done", assignment), &hex::encode(digest))
    }

    /// How often the job of an assignment has failed by itself.
    pub fn failures(&self, assignment: u64) -> u32 {
        let text = fs::read_to_string(self.path("failed", assignment)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// Notes one more.
    pub fn add_failure(&self, assignment: u64) -> Result<()> {
        let count = self.failures(assignment).saturating_add(1);
        self.write(&self.path("failed", assignment), &count.to_string())
    }

    /// Forgets an assignment that has ended.
    pub fn forget(&self, assignment: u64) {
        for kind in ["done", "failed"] {
            let _ = fs::remove_file(self.path(kind, assignment));
        }
    }

    /// All assignments below this number have ended, or are somebody else's.
    pub fn settled_below(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("settled-below")).unwrap_or_default();
        text.trim().parse().unwrap_or(1)
    }

    /// Moves that mark.
    pub fn set_settled_below(&self, assignment: u64) -> Result<()> {
        if assignment == self.settled_below() {
            return Ok(());
        }
        self.write(&self.0.join("settled-below"), &assignment.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_failures_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        assert_eq!((state.done(7), state.failures(7), state.settled_below()), (None, 0, 1));
        state.set_done(7, &[9; 32]).unwrap();
        state.add_failure(7).unwrap();
        state.add_failure(7).unwrap();
        state.set_settled_below(7).unwrap();
        let again = State::open(folder.path()).unwrap();
        assert_eq!((again.done(7), again.failures(7)), (Some([9; 32]), 2));
        assert_eq!(again.settled_below(), 7);
        again.forget(7);
        assert_eq!((state.done(7), state.failures(7)), (None, 0));
    }
}
