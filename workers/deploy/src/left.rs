//! What a deployment of an index that broke off has left to do.

use crate::found::{all_there, stays};
use crate::index::Deployer;
use crate::index_file::IndexFile;
use crate::{say, Steps};
use anyhow::Result;
use cicada_chain::address;
use cicada_contracts::types::{Role, StakingTerms};
use cicada_contracts::{reputation, token, validators};
use cicada_core::slashing::{Bands, Rates};
use cicada_core::Account;
use cicada_network::{Network, NodeKeys};
use std::path::{Path, PathBuf};

/// Epochs of 0 ms, of which each takes 0 bps: what was lost stays lost.
const NO_DECAY: (u64, u16) = (0, 0);

/// Whether the operator of a seat has stake.
pub fn is_bonded(stakes: &[u128], seat: usize) -> bool {
    stakes.get(seat).is_some_and(|stake| *stake > 0)
}

impl Deployer<'_> {
    /// The file that names the contracts until all is done.
    pub(crate) fn draft(&self) -> PathBuf {
        self.plan.out.with_extension("draft.toml")
    }

    /// The contracts of a deployment that broke off, if they are on this chain and of this committee.
    pub(crate) async fn begun(&self, draft: &Path, network: &Network) -> Result<Option<IndexFile>> {
        if self.plan.anew || !draft.exists() {
            return Ok(None);
        }
        let file = IndexFile::load(draft)?;
        let there = all_there(&self.chain, &file.genesis, &self.bundles.of(&file)).await;
        let there = there.map_err(|error| stays(draft, &error))?;
        if !there || file.validators != network.chain.validators {
            return Ok(None);
        }
        say(format!("goes on with the deployment that broke off ({})", draft.display()));
        Ok(Some(file))
    }

    /// The rules of stake, once they are set.
    pub(crate) async fn stake_terms(&self, file: &IndexFile) -> Result<Option<StakingTerms>> {
        Ok(self.chain.read(&file.validators, &validators::terms()).await?)
    }

    /// The stakes of those in office, by seat.
    pub(crate) async fn stakes(&self, file: &IndexFile) -> Result<Vec<u128>> {
        let in_office = validators::electorate(&None);
        Ok(self.chain.read(&file.validators, &in_office).await?.stakes)
    }

    /// Whether an account has a role at a token.
    pub(crate) async fn has_role(
        &self,
        token: &Account,
        role: &Role,
        account: &Account,
    ) -> Result<bool> {
        Ok(self.chain.read(token, &token::has_role(role, account)).await?)
    }

    /// The rules of stake, unless they are set; those of other contracts are for the committee's
    /// contract to refuse.
    pub(crate) async fn rule_stake(&self, file: &IndexFile, steps: &mut Steps<'_>) -> Result<()> {
        let now = self.stake_terms(file).await?;
        let reputation = match now.as_ref().and_then(|now| now.reputation) {
            Some(reputation) => reputation,
            None => {
                let (epoch_ms, decay_bps) = NO_DECAY;
                let new = reputation::new(epoch_ms, decay_bps);
                self.make(&self.bundles.reputation, &new).await?
            }
        };
        say(format!("reputation of the validators at {}", address(&reputation)));
        if !self.chain.read(&reputation, &reputation::is_writer(&file.validators)).await? {
            steps.add(&reputation, reputation::set_writer(&file.validators, true));
        }
        let judges = vec![file.index, file.rewards];
        let is_set = now.is_some_and(|now| {
            now.token == file.tao && judges.iter().all(|one| now.judges.contains(one))
        });
        if !is_set {
            let terms = StakingTerms {
                token: file.tao,
                treasury: file.treasury,
                reputation: Some(reputation),
                judges,
                minimum: self.plan.terms.minimum,
                unbonding_ms: self.plan.terms.unbonding_ms,
                nav_bands: Bands::NAV,
                ranking_bands: Bands::RANKING,
                rates: Rates::DEFAULT,
            };
            steps.add(&file.validators, validators::set_terms(&terms));
        }
        Ok(())
    }

    /// Gives each operator what he is to bond, unless he has it or has bonded already.
    pub(crate) async fn equip(
        &self,
        file: &IndexFile,
        keys: &[NodeKeys],
        steps: &mut Steps<'_>,
    ) -> Result<()> {
        let amount = self.plan.terms.bond;
        if self.stakes(file).await?.iter().any(|stake| *stake > 0) {
            return Ok(());
        }
        for keys in keys {
            let operator = keys.operator();
            if self.chain.read(&file.tao, &token::balance_of(&operator)).await? < amount {
                steps.add(&file.tao, token::transfer(&operator, amount, &[]));
            }
        }
        Ok(())
    }
}
