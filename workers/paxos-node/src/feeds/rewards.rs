//! The awards of reward epochs: a node agrees to the one that its own validator has computed.

use super::{own, Content};
use cicada_consensus::{Now, Origin};
use cicada_core::hash::Native;
use cicada_core::rewards::{Award, AwardState, Proposal};
use parity_scale_codec::DecodeAll;
use std::path::PathBuf;

/// The feed's content.
pub(super) struct Rewards {
    directory: Option<PathBuf>,
    // After the newest award of the log.
    state: Option<AwardState>,
}

impl Rewards {
    /// Before the first award. In `directory` this node's validator writes its own:
    /// `epoch-<number>.scale`.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, state: None }
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

    fn compare(&self, proposed: &Award) -> Result<(), String> {
        let epoch = proposed.epoch;
        let directory = self.directory.as_ref();
        let directory = directory.ok_or("I have no validator's awards: --awards is not given")?;
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
        if origin == Origin::Fresh {
            proposal
                .follows(self.state.as_ref())
                .map_err(|error| format!("it does not follow the award before it: {error:?}"))?;
        }
        self.compare(&proposal.award)
    }

    fn apply(&mut self, value: &[u8]) -> bool {
        let Ok(proposal) = Self::read(value) else {
            return false;
        };
        if proposal.follows(self.state.as_ref()).is_err() {
            return false;
        }
        self.state = Some(AwardState::after(&proposal.award));
        true
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
