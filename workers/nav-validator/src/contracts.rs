//! The contracts as typed calls.

use crate::config::Place;
use crate::events::Source;
use anyhow::{bail, ensure, Context, Result};
use cicada_chain::{Chain, ContractEvent, Signer};
use cicada_contracts::types::{DoubleObservation, Electorate, IndexTerms};
use cicada_contracts::{index, rewards, token, validators, Message};
use cicada_core::basket::agreed::Proposal as Basket;
use cicada_core::basket::holdings::Holding;
use cicada_core::feed::FeedValue;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{self, Observation};
use cicada_core::report::{Feed, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::Account;
use cicada_program::now_ms;
use cicada_settlement::{Bringer, Committee, Settled, Standing, Submission, Verified, Witnesses};
use parity_scale_codec::Decode;
use std::time::Duration;

mod award;

/// How long before a report's time a block's clock may be that is good enough for it.
const FRESH: Duration = Duration::from_millis(MAX_TIME_AHEAD_MS / 2);

/// The contracts of one index.
pub struct Contracts {
    /// The chain.
    pub chain: Chain,
    /// The index.
    pub index: Account,
    /// The contract of validators.
    pub validators: Account,
    /// The index token.
    pub token: Account,
    /// The contract of rewards, if there is one.
    pub rewards: Option<Account>,
}

/// The committee in office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// Who signs.
    pub committee: Committee,
    /// Operators in seat order.
    pub operators: Vec<Account>,
    /// Weight in seat order; 0 for who is not active.
    pub stakes: Vec<u128>,
}

/// The index at one block.
#[derive(Clone, Debug)]
pub struct Index {
    /// The block.
    pub block: u64,
    /// What it holds.
    pub holdings: Vec<Holding>,
    /// Index tokens.
    pub supply: u128,
    /// Of which time its certified prices are.
    pub priced_ms: u64,
}

impl Contracts {
    /// Connects to the chain of an index.
    ///
    /// # Errors
    /// In words.
    pub async fn connect(place: &Place) -> Result<Self> {
        let chain = place.connect().await?;
        let IndexTerms { validators, token, .. } =
            chain.read(&place.index, &index::terms()).await?;
        if let Some(rewards) = &place.rewards {
            let theirs = chain.read(rewards, &rewards::validators()).await?;
            ensure!(theirs == validators, "index and rewards have different validators");
        }
        Ok(Self { chain, index: place.index, validators, token, rewards: place.rewards })
    }

    fn sources(&self) -> impl Iterator<Item = (Source, Account)> {
        let always = [
            (Source::Index, self.index),
            (Source::Validators, self.validators),
            (Source::Token, self.token),
        ];
        always.into_iter().chain(self.rewards.map(|rewards| (Source::Rewards, rewards)))
    }

    /// The contracts whose events are followed.
    pub fn watched(&self) -> Vec<Account> {
        self.sources().map(|(_, account)| account).collect()
    }

    /// Whose an event is, and its name; `None` if its contract has none of that kind.
    pub fn event(&self, event: &ContractEvent) -> Option<(Source, &'static str)> {
        let (source, _) = self.sources().find(|(_, account)| *account == event.contract)?;
        Some((source, source.interface().event_name(&event.topics)?))
    }

    /// What the index holds, all at one block.
    ///
    /// # Errors
    /// In words; so with all that follow.
    pub async fn index(&self) -> Result<Index> {
        self.index_at(self.chain.final_block().await?).await
    }

    /// What the index held at a block.
    ///
    /// # Errors
    /// In words.
    pub async fn index_at(&self, block: u64) -> Result<Index> {
        let (basket, _) = self.chain.read_at(block, &self.index, &index::feeds()).await?;
        Ok(Index {
            block,
            priced_ms: basket.time_ms,
            holdings: self.chain.read_at(block, &self.index, &index::holdings()).await?,
            supply: self.chain.read_at(block, &self.token, &token::total_supply()).await?,
        })
    }

    /// The feed of the NAV.
    pub fn nav_feed(&self) -> Feed {
        Feed { kind: ReportKind::Nav, contract: self.index }
    }

    /// The newest settled slots of the basket and of the NAV.
    ///
    /// # Errors
    /// In words.
    pub async fn feeds(&self) -> Result<(FeedState, FeedState)> {
        Ok(self.chain.read(&self.index, &index::feeds()).await?)
    }

    /// The feed of the basket.
    pub fn basket_feed(&self) -> Feed {
        Feed { kind: ReportKind::Basket, contract: self.index }
    }

    /// The committee in office at a block.
    ///
    /// # Errors
    /// In words.
    pub async fn office_at(&self, block: u64) -> Result<Office> {
        let in_office = validators::electorate(&None);
        let electorate = self.chain.read_at(block, &self.validators, &in_office).await?;
        let Electorate { epoch, config_digest, keys, stakes } = electorate;
        let members = self.chain.read_at(block, &self.validators, &validators::committee()).await?;
        ensure!(members.len() == keys.len(), "committee and electorate differ at block {block}");
        let operators = members.iter().map(|member| member.operator).collect();
        let committee = Committee::new(epoch, config_digest, keys);
        Ok(Office { committee: committee.context("no committee is in office")?, operators, stakes })
    }

    /// Whose certificates the chain takes: those of the committee in office, and of the one before as long
    /// as it counts.
    ///
    /// # Errors
    /// In words.
    pub async fn committee(&self, office: &Office) -> Result<Committee> {
        let committee = office.committee.clone();
        Ok(committee.with_the_one_before(&self.chain, &self.validators).await?)
    }

    /// The weights of a committee in seat order, at a block; none once it does not count any more.
    ///
    /// # Errors
    /// In words.
    pub async fn weights_at(&self, block: u64, epoch: u32) -> Result<Vec<u128>> {
        let of = validators::electorate(&Some(epoch));
        Ok(self.chain.read_at(block, &self.validators, &of).await?.stakes)
    }

    /// The committee in office now.
    ///
    /// # Errors
    /// In words.
    pub async fn office(&self) -> Result<Office> {
        self.office_at(self.chain.final_block().await?).await
    }

    /// The oldest slot in which somebody was off and that was not judged.
    ///
    /// # Errors
    /// In words.
    pub async fn to_judge(&self) -> Result<Option<u64>> {
        Ok(self.chain.read(&self.index, &index::to_judge()).await?)
    }

    /// Has the chain judge who was off in that slot. The block, or `None` if there is nothing to judge.
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn judge_nav(&self, signer: &Signer) -> Result<Option<u64>> {
        let what = "the oldest slot is not judged";
        self.attempt(&self.index, &index::judge_nav(), signer, what).await
    }

    /// Brings a certified NAV to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn settle_nav(
        verified: Verified<nav::Proposal>,
        by: &Bringer<'_, impl Witnesses>,
    ) -> Result<Option<u64>> {
        let message = |verified: &Verified<nav::Proposal>| {
            let nav::Proposal { report, observations } = verified.value();
            index::settle_nav(report, observations, verified.certificate())
        };
        let held = (index::feeds(), |(_, nav): (FeedState, FeedState)| nav);
        Self::settle((verified, message), held, by).await
    }

    /// Brings a certified basket to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn set_basket(
        verified: Verified<Basket>,
        by: &Bringer<'_, impl Witnesses>,
    ) -> Result<Option<u64>> {
        let message = |verified: &Verified<Basket>| {
            let Basket { report, entries, .. } = verified.value();
            index::set_basket(report, entries, verified.certificate())
        };
        let held = (index::feeds(), |(basket, _): (FeedState, FeedState)| basket);
        Self::settle((verified, message), held, by).await
    }

    /// Brings the proof that a seat signed two values. The block, or `None` if the chain does not
    /// punish it (again).
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn convict(
        &self,
        office: u32,
        slot: u64,
        (one, other): &(Observation, Observation),
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let feed = self.nav_feed();
        let evidence = DoubleObservation { epoch: office, feed, slot, one: *one, other: *other };
        let convict = validators::convict_observer(&evidence);
        let what = format!("slot {slot}, seat {}", one.seat);
        self.attempt(&self.validators, &convict, signer, &what).await
    }

    /// Calls a contract. The block, or `None` if it refuses, which is told as of `what`.
    async fn attempt<T: Decode, E>(
        &self,
        contract: &Account,
        message: &Message<T, E>,
        signer: &Signer,
        what: &str,
    ) -> Result<Option<u64>> {
        match self.chain.call(contract, message, signer).await {
            Ok(outcome) => Ok(Some(outcome.block)),
            Err(error) if error.refusal().is_some() => {
                tracing::info!("{what}: {error}");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn settle<V: FeedValue, E, T: Decode>(
        (verified, message): (Verified<V>, impl FnOnce(&Verified<V>) -> Message<Settlement, E>),
        (held, newest): (Message<T>, impl Fn(T) -> FeedState),
        by: &Bringer<'_, impl Witnesses>,
    ) -> Result<Option<u64>> {
        let Report { slot, time_ms, .. } = *verified.value().report();
        let standing = |held| Standing::of(&newest(held), slot);
        // Where finality takes long, no block is made for the time that passed since.
        let since = Duration::from_millis(now_ms().saturating_sub(time_ms));
        let submission = Submission { message, held, standing, fresh: FRESH.saturating_add(since) };
        match by.settle(verified, submission).await?.1 {
            Settled::Another => bail!("the chain has another report in slot {slot}"),
            settled => Ok(settled.block()),
        }
    }
}

/// A committee for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use cicada_core::hash::Digest;
    use cicada_network::NodeKeys;

    /// So many seats, each with a stake of 1: their keys, and the office.
    pub(crate) fn committee(count: u8) -> (Vec<NodeKeys>, Office) {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<NodeKeys> = (0..count)
            .map(|seat| NodeKeys::generate(&folder.path().join(seat.to_string())).unwrap())
            .collect();
        let office = Office {
            committee: Committee::new(
                1,
                Digest([8; 32]),
                keys.iter().map(NodeKeys::attestation_key).collect(),
            )
            .unwrap(),
            operators: (0..count).map(|seat| Account([seat; 32])).collect(),
            stakes: vec![1; usize::from(count)],
        };
        (keys, office)
    }
}
