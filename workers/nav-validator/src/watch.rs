//! Watching the other validators: whoever signs two NAVs for one slot is brought to the chain, and every
//! slot in which somebody was off is judged there.

use crate::agree::{genuine, Agreement};
use crate::contracts::{Contracts, Office};
use crate::turns::Due;
use anyhow::Result;
use cicada_core::nav::{Observation, Proposal};
use cicada_core::report::ReportKind;
use cicada_program::{count, now_ms};

/// What this validator has done so far to have others judged.
#[derive(Debug, Default)]
pub(crate) struct Judging {
    /// The newest settled slot after which nothing was left to judge.
    done: Option<u64>,
    /// The slot that is to be judged now.
    due: Option<Due>,
}

impl Agreement {
    /// Once for each newly settled slot: compares what the others say now with what they said
    /// before, and with what stands in the settled report.
    pub(crate) async fn watch(
        &self,
        contracts: &Contracts,
        watched: &mut Option<u64>,
    ) -> Result<()> {
        let newest = self.app.store.newest_settled(1)?;
        let Some((slot, settled)) = newest.first().copied() else {
            return Ok(());
        };
        if *watched == Some(slot) {
            return Ok(());
        }
        let office = contracts.office().await?;
        if office.committee.epoch != settled.epoch {
            *watched = Some(slot);
            return Ok(());
        }
        let peers = &self.app.peers;
        let (mut said, _) = peers.observations(slot, &office.committee.config_digest).await;
        let decided = peers.node()?.decided::<Proposal>(ReportKind::Nav, slot).await;
        if let Some(decided) = decided.ok().flatten() {
            said.extend(decided.proposal.0.observations);
        }
        if self.witness(contracts, &office, slot, &said).await? {
            *watched = Some(slot);
        }
        Ok(())
    }

    /// Keeps what others were heard to say of a slot, whatever it is asked for, and brings what
    /// contradicts what they said before. Whether all of that came to the chain.
    pub(crate) async fn witness(
        &self,
        contracts: &Contracts,
        office: &Office,
        slot: u64,
        said: &[Observation],
    ) -> Result<bool> {
        let feed = contracts.nav_feed();
        let signed = said.iter().filter(|one| genuine(office, &feed, slot, one)).copied();
        let signed: Vec<Observation> = signed.collect();
        let mut brought = true;
        for pair in self.app.store.witness(slot, &office.committee.config_digest, &signed)? {
            brought &= self.accuse(contracts, office, slot, &pair).await;
        }
        Ok(brought)
    }

    /// Has the oldest slot judged in which somebody was off, whoever settled it, in the turn of this
    /// seat. The chain is asked again after each newly settled slot, until nothing is left.
    pub(crate) async fn judge(&self, contracts: &Contracts, judging: &mut Judging) -> Result<()> {
        let newest = self.app.store.newest_settled(1)?.first().map(|(slot, _)| *slot);
        if newest.is_none() || judging.done == newest {
            return Ok(());
        }
        let Some(slot) = contracts.to_judge().await? else {
            *judging = Judging { done: newest, due: None };
            return Ok(());
        };
        let office = contracts.office().await?;
        let Some(place) = self.place(&office).await? else {
            return Ok(());
        };
        let now = now_ms();
        if Due::turn(&mut judging.due, (slot, 0, now), &place.of_bringers(), now) {
            tracing::info!("somebody was off in slot {slot}");
            contracts.judge_nav(&self.signer).await?;
        }
        Ok(())
    }

    /// Brings the proof that a seat signed two values, and says whether it came there. If it does not,
    /// that is no reason to leave a round: the proof is kept, and found again.
    pub(crate) async fn accuse(
        &self,
        contracts: &Contracts,
        office: &Office,
        slot: u64,
        pair: &(Observation, Observation),
    ) -> bool {
        let seat = pair.0.seat;
        tracing::warn!("seat {seat} signed two NAVs for slot {slot}");
        let outcome =
            match contracts.convict(office.committee.epoch, slot, pair, &self.signer).await {
                Ok(Some(_)) => "convicted",
                Ok(None) => "known",
                Err(error) => {
                    tracing::warn!("bringing the proof against seat {seat}: {error:#}");
                    "failed"
                }
            };
        count(&self.app.metrics.convictions, outcome);
        outcome != "failed"
    }
}
