//! Watching the other validators: whoever signs two NAVs for one slot is brought to the chain.

use crate::agree::{genuine, Agreement};
use crate::contracts::{Contracts, Office};
use anyhow::Result;
use cicada_core::nav::{Observation, Proposal};
use cicada_program::count;

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
        *watched = Some(slot);
        if office.epoch != settled.epoch {
            return Ok(());
        }
        let peers = &self.app.peers;
        let (mut said, _) = peers.observations(slot, &office.config_digest).await;
        if let Some(decided) = peers.certified::<Proposal>("nav", slot).await.ok().flatten() {
            said.extend(decided.value.observations);
        }
        said.retain(|observation| genuine(&office, &contracts.nav_feed(), slot, observation));
        for pair in self.app.store.witness(slot, &office.config_digest, &said)? {
            self.accuse(contracts, &office, slot, &pair).await?;
        }
        Ok(())
    }

    /// Brings the proof that a seat signed two values.
    pub(crate) async fn accuse(
        &self,
        contracts: &Contracts,
        office: &Office,
        slot: u64,
        pair: &(Observation, Observation),
    ) -> Result<()> {
        tracing::warn!("seat {} signed two NAVs for slot {slot}", pair.0.seat);
        let block = contracts.convict(office.epoch, slot, pair, &self.signer).await?;
        let outcome = if block.is_some() { "convicted" } else { "known" };
        count(&self.app.metrics.convictions, outcome);
        Ok(())
    }
}
