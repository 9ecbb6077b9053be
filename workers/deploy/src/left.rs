//! What a deployment of an index that broke off has left to do.

use crate::index::Deployer;
use crate::{say, Steps};
use anyhow::Result;
use cicada_contracts::types::StakingTerms;
use cicada_contracts::{reputation, token, validators};
use cicada_core::slashing::{Bands, Rates};
use cicada_network::{IndexContracts, NodeKeys};

/// Epochs of 0 ms, of which each takes 0 bps: what was lost stays lost.
const NO_DECAY: (u64, u16) = (0, 0);

/// Whether the operator of a seat has stake.
pub fn is_bonded(stakes: &[u128], seat: usize) -> bool {
    stakes.get(seat).is_some_and(|stake| *stake > 0)
}

impl Deployer<'_> {
    /// The rules of stake, once they are set.
    pub(crate) async fn stake_terms(&self, at: &IndexContracts) -> Result<Option<StakingTerms>> {
        Ok(self.site.read(&at.validators, &validators::terms()).await?)
    }

    /// The stakes of those in office, by seat.
    pub(crate) async fn stakes(&self, at: &IndexContracts) -> Result<Vec<u128>> {
        let in_office = validators::electorate(&None);
        Ok(self.site.read(&at.validators, &in_office).await?.stakes)
    }

    /// The rules of stake, unless they are set; those of other contracts are for the committee's
    /// contract to refuse.
    pub(crate) async fn rule_stake(
        &self,
        at: &IndexContracts,
        steps: &mut Steps<'_>,
    ) -> Result<()> {
        let now = self.stake_terms(at).await?;
        let reputation = match now.as_ref().and_then(|now| now.reputation) {
            Some(reputation) => reputation,
            None => {
                let (epoch_ms, decay_bps) = NO_DECAY;
                let new = reputation::new(epoch_ms, decay_bps);
                self.site.place("reputation", &new).await?.account
            }
        };
        say(format!("reputation of the validators at {reputation}"));
        if !self.site.may_write(&reputation, &at.validators).await? {
            steps.add(&reputation, reputation::set_writer(&at.validators, true));
        }
        let judges = vec![at.index, at.rewards];
        let is_set = now.is_some_and(|now| {
            now.token == at.tao && judges.iter().all(|one| now.judges.contains(one))
        });
        if !is_set {
            let terms = StakingTerms {
                token: at.tao,
                treasury: self.treasury,
                reputation: Some(reputation),
                judges,
                minimum: self.args.minimum,
                unbonding_ms: self.args.unbonding_ms,
                nav_bands: Bands::NAV,
                ranking_bands: Bands::RANKING,
                rates: Rates::DEFAULT,
            };
            steps.add(&at.validators, validators::set_terms(&terms));
        }
        Ok(())
    }

    /// Gives each operator what he is to bond, unless he has it or has bonded already.
    pub(crate) async fn equip(
        &self,
        at: &IndexContracts,
        keys: &[NodeKeys],
        steps: &mut Steps<'_>,
    ) -> Result<()> {
        let amount = self.args.bond;
        if self.stakes(at).await?.iter().any(|stake| *stake > 0) {
            return Ok(());
        }
        for keys in keys {
            let operator = keys.operator();
            if self.site.read(&at.tao, &token::balance_of(&operator)).await? < amount {
                steps.add(&at.tao, token::transfer(&operator, amount, &[]));
            }
        }
        Ok(())
    }
}
