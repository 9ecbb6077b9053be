//! The contract of rewards as typed calls.

use super::{At, Contracts, RewardTerms, FRESH};
use crate::epochs::Funding;
use anyhow::{Context, Result};
use cicada_chain::Signer;
use cicada_core::certificate::Certificate;
use cicada_core::ranking::Statement;
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_core::rewards::{AwardState, Emission, Proposal};
use cicada_core::slashing::{Deviation, Weight};
use cicada_core::Account;
use parity_scale_codec::{Decode, Encode};

/// Who is accused of another ranking than the certified one of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct Accused {
    /// Whether all of them are judged.
    pub judged: bool,
    /// How far each was off.
    pub noted: Vec<Deviation>,
}

impl Contracts {
    fn rewards(&self) -> Result<&At> {
        self.rewards.as_ref().context("no contract of rewards is configured")
    }

    /// When rewards begin.
    ///
    /// # Errors
    /// In words.
    pub async fn reward_terms(&self) -> Result<RewardTerms> {
        self.read(self.rewards()?, "Rewards::terms", &()).await
    }

    /// Money and stake at the block that closes an epoch.
    ///
    /// # Errors
    /// In words.
    pub async fn funding_at(&self, block: u64) -> Result<Funding> {
        let rewards = self.rewards()?;
        let emission: Emission = self.read_at(block, rewards, "Rewards::emission").await?;
        let funded = self.read_at(block, rewards, "Rewards::funded").await?;
        let office = self.office_at(block).await?;
        let stakes = office.operators.into_iter().zip(office.stakes).collect();
        Ok(Funding { emission, funded, stakes })
    }

    /// What the chain has settled of the rewards: state and newest report.
    ///
    /// # Errors
    /// In words.
    pub async fn rewards_state(&self) -> Result<(AwardState, FeedState)> {
        let rewards = self.rewards()?;
        let block = self.chain.final_block().await?;
        let state = self.read_at(block, rewards, "Rewards::state").await?;
        Ok((state, self.read_at(block, rewards, "Rewards::latest").await?))
    }

    /// The feed of the rewards.
    ///
    /// # Errors
    /// In words.
    pub fn rewards_feed(&self) -> Result<Feed> {
        Ok(Feed { kind: ReportKind::Rewards, contract: self.rewards()?.account })
    }

    /// What an account was paid.
    ///
    /// # Errors
    /// In words.
    pub async fn paid_of(&self, account: &Account) -> Result<u128> {
        self.read(self.rewards()?, "Rewards::paid_of", account).await
    }

    /// Brings a certified award to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn settle_epoch(
        &self,
        proposal: &Proposal,
        certificate: &Certificate,
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let Proposal { report, award, .. } = proposal;
        let args = (report, award, proposal.ranked_by(), certificate).encode();
        self.settle(self.rewards()?, "Rewards::settle_epoch", &args, report, signer).await
    }

    /// Who is accused of an epoch.
    ///
    /// # Errors
    /// In words.
    pub async fn accused(&self, epoch: u64) -> Result<Accused> {
        self.read(self.rewards()?, "Rewards::accused", &epoch).await
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
        let args = (statement.epoch, certified, statement, stated).encode();
        self.try_rewards("Rewards::accuse_ranking", &args, signer).await
    }

    /// Has all judged who are accused of an epoch. The block, or `None` if the chain does not.
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn judge_rankings(&self, epoch: u64, signer: &Signer) -> Result<Option<u64>> {
        // A dry run sees the clock of the newest block, which may stand still.
        self.chain.freshen(signer, FRESH).await?;
        self.try_rewards("Rewards::judge_rankings", &epoch.encode(), signer).await
    }

    async fn try_rewards(
        &self,
        message: &str,
        args: &[u8],
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let At { account, bundle } = self.rewards()?;
        match self.chain.call(account, bundle, message, args, signer).await {
            Ok(outcome) => Ok(Some(outcome.block)),
            Err(error) if error.refusal().is_some() => {
                tracing::info!("{message}: {error}");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
