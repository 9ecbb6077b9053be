//! The contract of rewards as typed calls.

use super::{Contracts, FRESH};
use crate::epochs::Funding;
use anyhow::{Context, Result};
use cicada_chain::Signer;
use cicada_contracts::rewards;
use cicada_contracts::types::{Accused, RewardTerms};
use cicada_core::ranking::Statement;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::rewards::{AwardState, Proposal};
use cicada_core::slashing::Weight;
use cicada_core::Account;
use cicada_settlement::{Bringer, Verified, Witnesses};

impl Contracts {
    fn rewards(&self) -> Result<&Account> {
        self.rewards.as_ref().context("no contract of rewards is configured")
    }

    /// When rewards begin.
    ///
    /// # Errors
    /// In words.
    pub async fn reward_terms(&self) -> Result<RewardTerms> {
        Ok(self.chain.read(self.rewards()?, &rewards::terms()).await?)
    }

    /// Money and stake at the block that closes an epoch.
    ///
    /// # Errors
    /// In words.
    pub async fn funding_at(&self, block: u64) -> Result<Funding> {
        let account = self.rewards()?;
        let emission = self.chain.read_at(block, account, &rewards::emission()).await?;
        let funded = self.chain.read_at(block, account, &rewards::funded()).await?;
        let office = self.office_at(block).await?;
        let stakes = office.operators.into_iter().zip(office.stakes).collect();
        Ok(Funding { emission, funded, stakes })
    }

    /// What the chain has settled of the rewards: state and newest report.
    ///
    /// # Errors
    /// In words.
    pub async fn rewards_state(&self) -> Result<(AwardState, FeedState)> {
        let account = self.rewards()?;
        let block = self.chain.final_block().await?;
        let state = self.chain.read_at(block, account, &rewards::state()).await?;
        Ok((state, self.chain.read_at(block, account, &rewards::latest()).await?))
    }

    /// The feed of the rewards.
    ///
    /// # Errors
    /// In words.
    pub fn rewards_feed(&self) -> Result<Feed> {
        Ok(Feed { kind: ReportKind::Rewards, contract: *self.rewards()? })
    }

    /// What an account was paid.
    ///
    /// # Errors
    /// In words.
    pub async fn paid_of(&self, account: &Account) -> Result<u128> {
        Ok(self.chain.read(self.rewards()?, &rewards::paid_of(account)).await?)
    }

    /// Brings a certified award to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn settle_epoch(
        verified: Verified<Proposal>,
        by: &Bringer<'_, impl Witnesses>,
    ) -> Result<Option<u64>> {
        let message = |verified: &Verified<Proposal>| {
            let (value, certificate) = (verified.value(), verified.certificate());
            rewards::settle_epoch(&value.report, &value.award, value.ranked_by(), certificate)
        };
        let held = (rewards::latest(), |newest: FeedState| newest);
        Self::settle((verified, message), held, by).await
    }

    /// Who is accused of an epoch.
    ///
    /// # Errors
    /// In words.
    pub async fn accused(&self, epoch: u64) -> Result<Accused> {
        Ok(self.chain.read(self.rewards()?, &rewards::accused(epoch)).await?)
    }

    /// Shows that a seat signed a ranking that is off the certified one. The block, or `None` if the
    /// chain does not take it.
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn accuse_ranking(
        &self,
        certified: &[Weight],
        (statement, stated): &(Statement, Vec<Weight>),
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let accuse = rewards::accuse_ranking(statement.epoch, certified, statement, stated);
        self.attempt(self.rewards()?, &accuse, signer, accuse.label()).await
    }

    /// Has all judged who are accused of an epoch. The block, or `None` if the chain does not.
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn judge_rankings(&self, epoch: u64, signer: &Signer) -> Result<Option<u64>> {
        // A dry run sees the clock of the newest block, which may stand still.
        self.chain.freshen(signer, FRESH).await?;
        let judge = rewards::judge_rankings(epoch);
        self.attempt(self.rewards()?, &judge, signer, judge.label()).await
    }
}
