//! The contracts as typed calls.

use crate::config::Config;
use crate::events::Source;
use anyhow::{ensure, Result};
use cicada_chain::{Bundle, Chain, Signer};
use cicada_core::basket::agreed::Proposal as Basket;
use cicada_core::basket::holdings::Holding;
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::committee::{AttestationKey, Member};
use cicada_core::hash::Hash;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{self, Observation};
use cicada_core::report::{Feed, FeedState, Report, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::Account;
use cicada_network::verify_attestation;
use cicada_program::now_ms;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use std::time::Duration;

mod rewards;

pub use rewards::Accused;

/// How long before a report's time a block's clock may be that is good enough for it.
const FRESH: Duration = Duration::from_millis(MAX_TIME_AHEAD_MS / 2);

/// A contract and how it is called.
pub struct At {
    /// Its account.
    pub account: Account,
    bundle: Bundle,
}

/// The contracts of one index.
pub struct Contracts {
    /// The chain.
    pub chain: Chain,
    /// The index.
    pub index: At,
    /// The contract of validators.
    pub validators: At,
    token: At,
    /// The contract of rewards, if there is one.
    pub rewards: Option<At>,
}

/// Fee, minimum and so on do not matter here.
#[derive(Decode)]
struct IndexTerms {
    validators: Account,
    token: Account,
    _fee_bps: u16,
    _minimum: u128,
    _minting_paused: bool,
}

#[derive(Decode)]
struct Electorate {
    epoch: u32,
    config_digest: Hash,
    keys: Vec<AttestationKey>,
    stakes: Vec<u128>,
}

/// When rewards begin, and how short an epoch may be.
#[derive(Clone, Copy, Debug, Decode)]
pub struct RewardTerms {
    /// When the first epoch begins.
    pub start_ms: u64,
    /// The shortest epoch.
    pub min_epoch_ms: u64,
    /// The largest pool.
    pub emission: u128,
    /// What a miner deposits to be ranked.
    pub bond: u128,
    /// How long a bond stays after its miner left, in milliseconds.
    pub unbonding_ms: u64,
}

/// The committee in office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// Its number.
    pub epoch: u32,
    /// What its signatures bind.
    pub config_digest: Hash,
    /// Operators in seat order.
    pub operators: Vec<Account>,
    /// Attestation keys in seat order.
    pub keys: Vec<AttestationKey>,
    /// Weight in seat order; 0 for who is not active.
    pub stakes: Vec<u128>,
}

impl Office {
    /// The seat of a key.
    pub fn seat_of(&self, key: &AttestationKey) -> Option<u8> {
        u8::try_from(self.keys.iter().position(|other| other == key)?).ok()
    }

    /// Whether a seat signed a message.
    pub fn signed(&self, seat: u8, message: &Hash, signature: &Signature) -> bool {
        let key = self.keys.get(usize::from(seat));
        key.is_some_and(|key| verify_attestation(signature, message, key))
    }

    /// How many seats there are.
    pub fn seats(&self) -> u8 {
        u8::try_from(self.keys.len()).unwrap_or(u8::MAX)
    }
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
    /// Connects as the configuration says.
    ///
    /// # Errors
    /// In words.
    pub async fn connect(config: &Config) -> Result<Self> {
        let load = |name: &str| Bundle::find(&config.bundles, name);
        let chain = Chain::connect(&config.url).await?;
        let index = At { account: config.index, bundle: load("index")? };
        let terms: IndexTerms =
            chain.read(&index.account, &index.bundle, "Index::terms", &[]).await?;
        let rewards = match config.rewards {
            Some(account) => Some(At { account, bundle: load("rewards")? }),
            None => None,
        };
        let contracts = Self {
            validators: At { account: terms.validators, bundle: load("validators")? },
            token: At { account: terms.token, bundle: load("token")? },
            chain,
            index,
            rewards,
        };
        if let Some(rewards) = &contracts.rewards {
            let theirs: Account = contracts.read(rewards, "Rewards::validators", &()).await?;
            ensure!(theirs == terms.validators, "index and rewards have different validators");
        }
        Ok(contracts)
    }

    async fn read<T: Decode>(&self, at: &At, message: &str, args: &impl Encode) -> Result<T> {
        Ok(self.chain.read(&at.account, &at.bundle, message, &args.encode()).await?)
    }

    async fn read_at<T: Decode>(&self, block: u64, at: &At, message: &str) -> Result<T> {
        self.ask_at(block, at, message, &()).await
    }

    async fn ask_at<T: Decode>(
        &self,
        block: u64,
        at: &At,
        message: &str,
        args: &impl Encode,
    ) -> Result<T> {
        Ok(self.chain.read_at(block, &at.account, &at.bundle, message, &args.encode()).await?)
    }

    fn sources(&self) -> impl Iterator<Item = (Source, &At)> {
        let always = [
            (Source::Index, &self.index),
            (Source::Validators, &self.validators),
            (Source::Token, &self.token),
        ];
        always.into_iter().chain(self.rewards.as_ref().map(|at| (Source::Rewards, at)))
    }

    /// The contracts whose events are followed.
    pub fn watched(&self) -> Vec<Account> {
        self.sources().map(|(_, at)| at.account).collect()
    }

    /// Whose an event is, and its name; `None` if its contract's bundle does not know it.
    pub fn event(&self, event: &cicada_chain::ContractEvent) -> Option<(Source, &str)> {
        let (source, at) = self.sources().find(|(_, at)| at.account == event.contract)?;
        Some((source, at.bundle.event_name(event)?))
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
        let feeds: (FeedState, FeedState) =
            self.read_at(block, &self.index, "Index::feeds").await?;
        Ok(Index {
            block,
            priced_ms: feeds.0.time_ms,
            holdings: self.read_at(block, &self.index, "Index::holdings").await?,
            supply: self.read_at(block, &self.token, "PSP22::total_supply").await?,
        })
    }

    /// The feed of the NAV.
    pub fn nav_feed(&self) -> Feed {
        Feed { kind: ReportKind::Nav, contract: self.index.account }
    }

    /// The newest settled slots of the basket and of the NAV.
    ///
    /// # Errors
    /// In words.
    pub async fn feeds(&self) -> Result<(FeedState, FeedState)> {
        self.read(&self.index, "Index::feeds", &()).await
    }

    /// The newest settled slot of the NAV.
    ///
    /// # Errors
    /// In words.
    pub async fn nav_state(&self) -> Result<FeedState> {
        Ok(self.feeds().await?.1)
    }

    /// The feed of the basket.
    pub fn basket_feed(&self) -> Feed {
        Feed { kind: ReportKind::Basket, contract: self.index.account }
    }

    /// The contract of the index token.
    pub fn index_token(&self) -> Account {
        self.token.account
    }

    /// The committee in office at a block.
    ///
    /// # Errors
    /// In words.
    pub async fn office_at(&self, block: u64) -> Result<Office> {
        // Of those in office.
        let nobody: Option<u32> = None;
        let electorate = self.ask_at(block, &self.validators, "Judged::electorate", &nobody);
        let Electorate { epoch, config_digest, keys, stakes } = electorate.await?;
        let members = self.read_at(block, &self.validators, "Validators::committee");
        let members: Vec<Member> = members.await?;
        ensure!(members.len() == keys.len(), "committee and electorate differ at block {block}");
        let operators = members.iter().map(|member| member.operator).collect();
        Ok(Office { epoch, config_digest, operators, keys, stakes })
    }

    /// The committee in office now.
    ///
    /// # Errors
    /// In words.
    pub async fn office(&self) -> Result<Office> {
        self.office_at(self.chain.final_block().await?).await
    }

    /// The seats that have lost their voice for the epoch, as bits.
    ///
    /// # Errors
    /// In words.
    pub async fn barred(&self) -> Result<u32> {
        self.read(&self.validators, "Staking::barred", &()).await
    }

    /// The oldest slot in which somebody was off and that was not judged.
    ///
    /// # Errors
    /// In words.
    pub async fn to_judge(&self) -> Result<Option<u64>> {
        self.read(&self.index, "Index::to_judge", &()).await
    }

    /// Has the chain judge who was off in that slot. The block, or `None` if there is nothing to judge.
    ///
    /// # Errors
    /// In words, if the chain does not answer.
    pub async fn judge_nav(&self, signer: &Signer) -> Result<Option<u64>> {
        let At { account, bundle } = &self.index;
        match self.chain.call(account, bundle, "Index::judge_nav", &[], signer).await {
            Ok(outcome) => Ok(Some(outcome.block)),
            Err(error) if error.refusal().is_some() => {
                tracing::info!("the oldest slot is not judged: {error}");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Brings a certified NAV to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn settle_nav(
        &self,
        proposal: &nav::Proposal,
        certificate: &Certificate,
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let args = (&proposal.report, &proposal.observations, certificate).encode();
        self.settle(&self.index, "Index::settle_nav", &args, &proposal.report, signer).await
    }

    /// Brings a certified basket to the chain. The block, or `None` if it was there already.
    ///
    /// # Errors
    /// In words.
    pub async fn set_basket(
        &self,
        proposal: &Basket,
        certificate: &Certificate,
        signer: &Signer,
    ) -> Result<Option<u64>> {
        let args = (&proposal.report, &proposal.entries, certificate).encode();
        self.settle(&self.index, "Index::set_basket", &args, &proposal.report, signer).await
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
        let args = (office, self.nav_feed(), slot, one, other).encode();
        let message = "Staking::convict_observer";
        let At { account, bundle } = &self.validators;
        match self.chain.call(account, bundle, message, &args, signer).await {
            Ok(outcome) => Ok(Some(outcome.block)),
            Err(error) if error.refusal().is_some() => {
                tracing::info!("slot {slot}, seat {}: {error}", one.seat);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn settle(
        &self,
        at: &At,
        message: &str,
        args: &[u8],
        report: &Report,
        signer: &Signer,
    ) -> Result<Option<u64>> {
        // A dry run sees the clock of the newest block, which may stand still: the contract refuses what
        // is of a time to come. Where finality takes long, no block is made for that.
        let since = Duration::from_millis(now_ms().saturating_sub(report.time_ms));
        self.chain.freshen(signer, FRESH.saturating_add(since)).await?;
        let origin = cicada_chain::account_of(signer);
        let (account, bundle) = (&at.account, &at.bundle);
        let dry_run = self.chain.dry_run(account, bundle, message, args, &origin).await?;
        if Settlement::decode_all(&mut &dry_run.returned[..])? == Settlement::AlreadyDone {
            return Ok(None);
        }
        let outcome = self.chain.call(account, bundle, message, args, signer).await?;
        Ok(Some(outcome.block))
    }
}
