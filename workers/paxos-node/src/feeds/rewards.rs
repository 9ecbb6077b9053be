//! The awards of reward epochs: a node agrees to the one that its own validator has computed.

use super::{own, Content};
use cicada_consensus::{Now, Origin};
use cicada_core::hash::Native;
use cicada_core::rewards::{Award, Proposal, Settled};
use parity_scale_codec::DecodeAll;
use std::path::{Path, PathBuf};

/// The feed's content.
pub(super) struct Rewards {
    directory: Option<PathBuf>,
}

impl Rewards {
    /// In `directory` this node's validator writes its own awards, `epoch-<number>.scale`, and what
    /// the chain made of those before, `settled.scale`.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    // A value whose form is right.
    fn read(value: &[u8]) -> Result<Proposal, String> {
        let proposal =
            Proposal::decode_all(&mut &value[..]).map_err(|_| "not an award".to_owned())?;
        match proposal.award.matches::<Native>(&proposal.report) {
            true => Ok(proposal),
            false => Err("the report's root is not that of its award".into()),
        }
    }

    fn directory(&self) -> Result<&Path, &'static str> {
        self.directory.as_deref().ok_or("I have no validator's awards: --awards is not given")
    }

    // A void award takes a slot and no epoch, which the log does not know: the chain says.
    fn follows(&self, proposal: &Proposal) -> Result<(), String> {
        let settled = own::read::<Settled>(&self.directory()?.join("settled.scale"))
            .map_err(|error| format!("cannot read what the chain has settled: {error}"))?
            .ok_or("my validator has not read yet what the chain has settled")?;
        proposal.follows(&settled).map_err(|error| {
            let (slot, epoch) = (settled.latest.slot, settled.state.epoch);
            format!("it does not follow slot {slot} and epoch {epoch} on the chain: {error:?}")
        })
    }

    fn compare(&self, proposed: &Award) -> Result<(), String> {
        let (epoch, directory) = (proposed.epoch, self.directory()?);
        let mine = own::read::<Award>(&directory.join(format!("epoch-{epoch}.scale")))
            .map_err(|error| format!("cannot read my award {error}"))?
            .ok_or_else(|| format!("my validator has not computed epoch {epoch} yet"))?;
        if mine == *proposed {
            return Ok(());
        }
        let (theirs, mine) = (figures(proposed), figures(&mine));
        let differs = theirs.iter().zip(&mine).find(|(theirs, mine)| theirs != mine);
        Err(match differs {
            Some(((what, theirs), (_, mine))) => {
                format!("epoch {epoch}, {what}: proposed is {theirs}, my validator has {mine}")
            }
            None => format!("epoch {epoch}: the claims are not those of my validator"),
        })
    }
}

impl Content for Rewards {
    fn check(&self, value: &[u8], origin: Origin, _: Now) -> Result<(), String> {
        let proposal = Self::read(value)?;
        // An adopted value, which only crash mode knows, was found right by who proposed it first.
        if origin == Origin::Fresh {
            self.follows(&proposal)?;
            self.compare(&proposal.award)?;
        }
        Ok(())
    }

    fn apply(&mut self, value: &[u8]) -> bool {
        Self::read(value).is_ok()
    }
}

// All but the root of the claims.
fn figures(award: &Award) -> [(&'static str, u128); 9] {
    [
        ("epoch", award.epoch.into()),
        ("start_ms", award.start_ms.into()),
        ("end_ms", award.end_ms.into()),
        ("pool", award.pool),
        ("carried_in", award.carried_in),
        ("awarded", award.awarded),
        ("carried_out", award.carried_out),
        ("claims", award.claims.into()),
        ("total", award.total),
    ]
}
