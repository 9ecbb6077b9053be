//! The rewards: what is paid in, awarded epoch by epoch, and claimed.

use cicada_core::Account;
use std::collections::BTreeMap;

use cicada_core::leaderboard::Settlement;
use cicada_core::report::FeedError;
use cicada_core::rewards::{distribute, Validator};
use cicada_core::scores::Score;
use cicada_traits::rewards::RewardsError;

use super::{Answer, Done, FeedPlace, Model};
use crate::op::{AwardFault, Epoch, RewardOp};
use crate::people::{person, Coin, Who};

/// The shortest epoch.
pub const EPOCH_MS: u64 = 3_600_000;
/// How long before an epoch can begin its emission must be announced: twice the time of a bond.
pub const NOTICE_MS: u64 = 48 * 3_600_000;
/// The largest pool of an epoch at first.
pub const EMISSION: u128 = 5_000_000_000_000;

/// What each was awarded in all.
pub type Claims = BTreeMap<Who, u128>;

/// The money and the epochs.
#[derive(Clone, Debug)]
pub struct Rewards {
    pub funded: u128,
    pub epoch: u64,
    pub end_ms: u64,
    pub carried: u128,
    pub emission: u128,
    /// From this epoch on it is that much.
    pub change: Option<(u64, u128)>,
    pub reported: FeedPlace,
    /// Of all epochs, the newest last; the first entry is empty.
    pub claims: Vec<Claims>,
    pub paid: Claims,
}

impl Rewards {
    /// The first epoch begins now.
    pub fn new(now_ms: u64) -> Self {
        Self {
            funded: 0,
            epoch: 0,
            end_ms: now_ms,
            carried: 0,
            emission: EMISSION,
            change: None,
            reported: FeedPlace::default(),
            claims: vec![Claims::new()],
            paid: Claims::new(),
        }
    }

    /// What an epoch may pay.
    pub fn emission_at(&self, epoch: u64) -> u128 {
        match self.change {
            Some((from, amount)) if from <= epoch => amount,
            _ => self.emission,
        }
    }

    pub fn newest(&self) -> &Claims {
        self.claims.last().expect("there is one")
    }

    pub fn awarded(&self) -> u128 {
        self.newest().values().sum()
    }

    pub fn paid_in_all(&self) -> u128 {
        self.paid.values().sum()
    }

    /// What is neither awarded nor carried.
    pub fn free(&self) -> u128 {
        self.funded - self.awarded() - self.carried
    }
}

/// Scores and validators as `core` takes them.
pub fn inputs(epoch: &Epoch) -> (Vec<Score>, Vec<Validator>) {
    let score = |(miner, final_e9): &(Who, u128)| Score {
        miner: Account::of(&miner.account()),
        weighted_tenths: *final_e9,
        volume_e9: 0,
        frequency_e9: 0,
        consistency_e9: 0,
        final_e9: *final_e9,
        last_ms: 7,
        registered: true,
    };
    let validator = |(who, stake, participation_bps): &(Who, u128, u16)| Validator {
        account: Account::of(&who.account()),
        stake: *stake,
        participation_bps: *participation_bps,
    };
    let validators = epoch.validators.iter().map(validator).collect();
    (epoch.scores.iter().map(score).collect(), validators)
}

impl Model {
    pub(super) fn reward(&mut self, op: &RewardOp) -> Answer {
        match op {
            RewardOp::Fund { by, amount } => {
                if *amount == 0 {
                    return Err(RewardsError::ZeroAmount.into());
                }
                if !self.pull(Coin::Tao, *by, Who::Rewards, *amount) {
                    return Err(RewardsError::TokenRefused.into());
                }
                self.rewards.funded += amount;
                Ok(Done::Nothing)
            }
            RewardOp::SettleEpoch(epoch) => Ok(Done::Settled(self.settle_epoch(epoch)?)),
            RewardOp::BringEpochAgain => Ok(Done::Settled(Settlement::AlreadyDone)),
            RewardOp::Claim { of, extra, ago, .. } => self.claim(*of, *extra, *ago),
            RewardOp::SetEmission { by, from_epoch, amount } => {
                self.set_emission(*by, *from_epoch, *amount)?;
                Ok(Done::Nothing)
            }
        }
    }

    fn settle_epoch(&mut self, epoch: &Epoch) -> Result<Settlement, RewardsError> {
        let reported = match self.rewards.reported.follow(self.now_ms, epoch.time_ms, false) {
            Err(FeedError::TimeAhead) => return Err(FeedError::TimeAhead.into()),
            followed => followed?,
        };
        if epoch.fault == Some(AwardFault::OtherContent) {
            return Err(RewardsError::ContentMismatch);
        }
        self.verify(&epoch.signed)?;
        if !self.follows(epoch) {
            self.rewards.reported = reported;
            return Ok(Settlement::Void);
        }
        let rewards = &mut self.rewards;
        let (scores, validators) = inputs(epoch);
        let split = distribute(epoch.pool + rewards.carried, &scores, &validators).expect("fits");
        let mut claims = rewards.newest().clone();
        for payout in split.payouts().expect("fits") {
            *claims.entry(person(&payout.account)).or_default() += payout.amount;
        }
        rewards.claims.push(claims);
        (rewards.carried, rewards.reported) = (split.carried, reported);
        (rewards.epoch, rewards.end_ms) = (rewards.epoch + 1, epoch.end_ms);
        Ok(Settlement::Recorded)
    }

    /// Whether an award follows the one before it, within what is paid in.
    fn follows(&self, epoch: &Epoch) -> bool {
        let Rewards { end_ms, epoch: newest, .. } = self.rewards;
        epoch.fault.is_none()
            && epoch.end_ms >= end_ms + EPOCH_MS
            && epoch.end_ms <= epoch.time_ms
            && epoch.pool <= self.rewards.emission_at(newest + 1)
            && epoch.pool <= self.rewards.free()
    }

    fn claim(&mut self, of: Who, extra: u128, ago: usize) -> Answer {
        let epochs = &self.rewards.claims;
        let place = epochs.len() - 1 - ago;
        if place == 0 {
            return Err(RewardsError::UnknownEpoch.into());
        }
        let cumulative = match epochs[place].get(&of) {
            Some(cumulative) if extra == 0 => *cumulative,
            _ => return Err(RewardsError::NotUnderRoot.into()),
        };
        let paid = self.rewards.paid.get(&of).copied().unwrap_or_default();
        let due = cumulative.saturating_sub(paid);
        if due == 0 {
            return Err(RewardsError::NothingDue.into());
        }
        if !self.pay(Coin::Tao, Who::Rewards, of, due) {
            return Err(RewardsError::TokenRefused.into());
        }
        self.rewards.paid.insert(of, cumulative);
        Ok(Done::Amount(due))
    }

    fn set_emission(&mut self, by: Who, from: u64, amount: u128) -> Result<(), RewardsError> {
        if by != Who::Owner {
            return Err(RewardsError::NotOwner);
        }
        let running = self.rewards.epoch + 1;
        // A change that is still to come is replaced, for its epochs too.
        let planned = self.rewards.change.map(|(planned, _)| planned);
        let first = planned.filter(|planned| *planned > running).map_or(from, |p| p.min(from));
        let begins_ms = || self.rewards.end_ms + (first - running) * EPOCH_MS;
        if from <= running || self.now_ms + NOTICE_MS >= begins_ms() {
            return Err(RewardsError::EpochBegun);
        }
        self.rewards.emission = self.rewards.emission_at(running);
        self.rewards.change = Some((from, amount));
        Ok(())
    }
}
