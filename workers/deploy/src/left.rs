//! What a deployment of an index that broke off has left to do.

use crate::found::{all_there, stays};
use crate::index::{Deployer, Step};
use crate::index_file::IndexFile;
use crate::say;
use anyhow::Result;
use cicada_core::committee::AttestationKey;
use cicada_core::hash::Hash;
use cicada_core::Account;
use cicada_network::Network;
use parity_scale_codec::{Decode, Encode};
use std::path::{Path, PathBuf};

/// What of the rules of stake a deployment looks at.
pub(crate) struct StakeTerms {
    pub(crate) token: Account,
    /// Who hears of penalties.
    pub(crate) reputation: Option<Account>,
    /// Who may report deviations.
    pub(crate) judges: Vec<Account>,
}

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
    pub(crate) async fn stake_terms(&self, file: &IndexFile) -> Result<Option<StakeTerms>> {
        // Token, treasury, reputation, judges.
        type Terms = (Account, Account, Option<Account>, Vec<Account>);
        let terms: Option<(Terms, u128, u64, [u32; 10])> =
            self.validators(file, "Staking::terms", &[]).await?;
        let terms = terms.map(|terms| terms.0);
        Ok(terms.map(|(token, _, reputation, judges)| StakeTerms { token, reputation, judges }))
    }

    /// The stakes of those in office, by seat.
    pub(crate) async fn stakes(&self, file: &IndexFile) -> Result<Vec<u128>> {
        type Electorate = (u32, Hash, Vec<AttestationKey>, Vec<u128>);
        let office = None::<u32>.encode();
        let electorate: Electorate = self.validators(file, "Judged::electorate", &office).await?;
        Ok(electorate.3)
    }

    /// Those of the steps that are not done yet.
    pub(crate) async fn left<'s>(
        &self,
        file: &IndexFile,
        steps: Vec<Step<'s>>,
    ) -> Result<Vec<Step<'s>>> {
        let bonded = self.stakes(file).await?.iter().any(|stake| *stake > 0);
        let mut left = Vec::new();
        for step in steps {
            if !self.is_done(file, &step, bonded).await? {
                left.push(step);
            }
        }
        Ok(left)
    }

    async fn is_done(&self, file: &IndexFile, step: &Step<'_>, bonded: bool) -> Result<bool> {
        let (contract, bundle, message, args) = step;
        Ok(match *message {
            "Roles::grant_role" => {
                self.chain.read(contract, bundle, "Roles::has_role", args).await?
            }
            "Roles::revoke_role" => {
                let has: bool = self.chain.read(contract, bundle, "Roles::has_role", args).await?;
                !has
            }
            // Those of other contracts are for the committee's contract to refuse.
            "Staking::set_terms" => self.stake_terms(file).await?.is_some_and(|now| {
                let judges = [file.index, file.rewards];
                now.token == file.tao && judges.iter().all(|one| now.judges.contains(one))
            }),
            "Writers::set_writer" => {
                // Without the word that says yes or no.
                let account = Account::decode(&mut &args[..])?.encode();
                self.chain.read(contract, bundle, "Writers::is_writer", &account).await?
            }
            "Rewards::fund" => {
                let funded: u128 =
                    self.chain.read(contract, bundle, "Rewards::funded", &[]).await?;
                funded >= u128::decode(&mut &args[..])?
            }
            // What an operator has not got yet or has bonded already.
            "PSP22::transfer" => {
                let (to, amount) = <(Account, u128)>::decode(&mut &args[..])?;
                let of = to.encode();
                let has: u128 = self.chain.read(contract, bundle, "PSP22::balance_of", &of).await?;
                bonded || has >= amount
            }
            _ => false,
        })
    }
}
