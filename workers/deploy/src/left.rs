//! What a deployment of an index that broke off has left to do.

use crate::found::{all_there, stays};
use crate::index::Deployer;
use crate::index_file::IndexFile;
use crate::say;
use anyhow::Result;
use cicada_contracts::types::{Role, StakingTerms};
use cicada_contracts::{token, validators};
use cicada_core::Account;
use cicada_network::Network;
use std::path::{Path, PathBuf};

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
}
