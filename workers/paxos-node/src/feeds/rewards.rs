//! The awards of reward epochs: a node agrees to the one that its own validator has computed, with
//! the signatures of validators under its ranking, its own validator's among them.

use super::content::{Content, OwnOption, Setup};
use super::observers::Seats;
use super::own;
use crate::settled::{newest, Slots};
use cicada_chain::Chain;
use cicada_consensus::Now;
use cicada_contracts::rewards;
use cicada_core::feed::FeedValue;
use cicada_core::hash::Native;
use cicada_core::ranking::{Own, Told};
use cicada_core::rewards::{Award, FormError, Proposal, Settled};
use cicada_core::Account;
use parity_scale_codec::Encode;
use std::path::{Path, PathBuf};

const OWN: OwnOption = OwnOption {
    name: "awards",
    env: "PAXOS_NODE_AWARDS",
    takes: "DIRECTORY",
    help: "The directory where this node's own validator writes the awards of epochs, as \
           epoch-<number>.scale. Without it this node agrees to no award",
};

/// The feed's content.
pub(super) struct Rewards {
    // Where this node's validator writes its own awards with what it signed of them,
    // `epoch-<number>.scale`, and what the chain made of those before, `settled.scale`.
    directory: Option<PathBuf>,
    seats: Seats,
}

impl Rewards {
    fn directory(&self) -> Result<&Path, String> {
        let missing = || format!("I have no validator's awards: --{} is not given", OWN.name);
        self.directory.as_deref().ok_or_else(missing)
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

    // What was signed for a committee that is not this one cannot be in a proposal.
    fn counts(&self, Own { statement, .. }: &Own) -> bool {
        let Seats { config_digest, feed, members, .. } = &self.seats;
        let message = statement.message::<Native>(config_digest, feed);
        members.verify_attestation(statement.seat, &message, &statement.signature)
    }
}

impl Content for Rewards {
    type Value = Proposal;

    const CALLED: &'static str = "an award";
    const OPTION: Option<OwnOption> = Some(OWN);

    fn new(setup: &Setup<'_>) -> Option<Self> {
        Some(Self { directory: setup.own(), seats: Seats::of(setup) })
    }

    fn settled(chain: Chain, contract: Account) -> Slots {
        newest(chain, contract, Proposal::KIND, rewards::latest())
    }

    fn due_ms(proposal: &Proposal) -> u64 {
        proposal.award.end_ms
    }

    // Whoever voted for it has verified the signatures.
    fn form(&self, proposal: &Proposal) -> Result<(), String> {
        proposal.check_form::<Native>(self.seats.count).map_err(|error| match error {
            FormError::Root => "the report's root is not that of its award and its seats".into(),
            FormError::NotInOrder => "statements not in order of seats, or two of one".into(),
            FormError::UnknownSeat => "a statement of a seat that there is not".into(),
            FormError::Another { seat } => format!("seat {seat} ranked something else"),
        })
    }

    fn genuine(&self, proposal: &Proposal) -> Result<(), String> {
        let Seats { config_digest, feed, .. } = &self.seats;
        self.seats.genuine(
            proposal
                .statements
                .iter()
                .map(|one| (one.seat, one.message::<Native>(config_digest, feed), &one.signature)),
        )
    }

    fn compare(&self, proposal: &Proposal, now: Now) -> Result<(), String> {
        self.follows(proposal)?;
        let (proposed, directory) = (&proposal.award, self.directory()?);
        let epoch = proposed.epoch;
        let told = own::read::<Told>(&directory.join(format!("epoch-{epoch}.scale")))
            .map_err(|error| format!("cannot read my award {error}"))?
            .ok_or_else(|| format!("my validator has not computed epoch {epoch} yet"))?;
        same(proposed, &told.award)?;
        match told.signed.filter(|own| self.counts(own)) {
            Some(own) if proposal.leaves_out(&own, now.wall_ms) => Err(format!(
                "my validator's ranking, signed before it came, is not in it: {}",
                hex::encode(own.statement.encode())
            )),
            _ => Ok(()),
        }
    }
}

fn same(proposed: &Award, mine: &Award) -> Result<(), String> {
    if mine == proposed {
        return Ok(());
    }
    let (epoch, theirs, own) = (proposed.epoch, figures(proposed), figures(mine));
    let differs = theirs.iter().zip(&own).find(|(theirs, mine)| theirs != mine);
    Err(match differs {
        Some(((what, theirs), (_, mine))) => {
            format!("epoch {epoch}, {what}: proposed is {theirs}, my validator has {mine}")
        }
        None if proposed.ranking != mine.ranking => {
            format!("epoch {epoch}: the ranking is not that of my validator")
        }
        None => format!("epoch {epoch}: the claims are not those of my validator"),
    })
}

// All but the root of the claims and the ranking.
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
