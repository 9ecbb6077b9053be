//! Index, pool, rewards and stake in plain numbers: what each operation must do, or why it must be
//! refused. It keeps its own books; of `core` it calls what has its own tests there against big
//! rationals: the split of an epoch's rewards and the value of a swap in the basket.

mod basket;
mod nav;
mod pool;
mod rewards;
mod stake;

pub use basket::{Basket, Part};
pub use pool::{Pool, FEE_BPS};
pub use rewards::{inputs, Rewards, EMISSION, EPOCH_MS, NOTICE_MS};
pub use stake::Stakes;

use std::collections::{BTreeMap, BTreeSet};

use cicada_core::certificate::CertificateError;
use cicada_core::fixed::product;
use cicada_core::leaderboard::Settlement;
use cicada_core::report::FeedError;
use cicada_traits::index::IndexError;
use cicada_traits::pair::PairError;
use cicada_traits::rewards::RewardsError;
use cicada_traits::staking::StakingError;
use cicada_traits::validators::ValidatorsError;

use crate::op::{Op, Signed, SignedFault};
use crate::people::{Coin, Who};

/// How far ahead of the block the time of a report may be.
const MAX_AHEAD_MS: u64 = 30_000;
/// The age up to which prices and observations count.
pub const FRESH_MS: u64 = 300_000;

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    Staking(StakingError),
    Validators(ValidatorsError),
    Index(IndexError),
    Pair(PairError),
    Rewards(RewardsError),
    /// Of the token itself.
    Token,
    NotWriterOwner,
}

/// What an operation answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Done {
    Nothing,
    Amount(u128),
    Amounts(u128, u128),
    Settled(Settlement),
}

pub type Answer = Result<Done, Refusal>;

impl From<FeedError> for Refusal {
    fn from(error: FeedError) -> Self {
        Self::Index(error.into())
    }
}

macro_rules! refusals {
    ($($error:ident => $kind:ident),*) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$kind(error)
            }
        })*
    };
}

refusals! {
    StakingError => Staking,
    ValidatorsError => Validators,
    IndexError => Index,
    PairError => Pair,
    RewardsError => Rewards
}

/// A mistake made on purpose, which the comparison must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Stake is free a millisecond late.
    LateByOne,
    /// Penalties are rounded down.
    PenaltyRoundedDown,
    /// The same offence is punished again if another proof of it comes.
    ProofCountsTwice,
    /// What a token withholds is not owed.
    NothingOwed,
    /// What a mint takes is rounded down.
    MintRoundedDown,
    /// An eighth seat loses its voice.
    EightBarred,
}

/// Slot and time of the newest report of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeedPlace {
    pub slot: u64,
    pub time_ms: u64,
}

impl FeedPlace {
    /// Whether the next report may have this time; `skipped` leaves a slot out.
    fn follow(&self, now_ms: u64, time_ms: u64, skipped: bool) -> Result<Self, FeedError> {
        if skipped {
            return Err(FeedError::SlotSkipped { expected: self.slot + 1 });
        }
        if time_ms < self.time_ms {
            return Err(FeedError::TimeReversed);
        }
        if time_ms > now_ms + MAX_AHEAD_MS {
            return Err(FeedError::TimeAhead);
        }
        Ok(Self { slot: self.slot + 1, time_ms })
    }

    fn is_fresh(&self, now_ms: u64) -> bool {
        self.slot > 0 && now_ms.saturating_sub(self.time_ms) <= FRESH_MS
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Model {
    pub mistake: Option<Mistake>,
    pub now_ms: u64,
    pub balances: BTreeMap<(Coin, Who), u128>,
    /// The tokens that refuse everything.
    pub frozen: BTreeSet<Coin>,
    pub stakes: Stakes,
    pub basket: Basket,
    pub pool: Pool,
    pub rewards: Rewards,
}

impl Model {
    /// What the operation makes of this state, and what it answers. One that is refused changes
    /// nothing.
    pub fn after(&self, op: &Op) -> (Self, Answer) {
        let mut after = self.clone();
        match after.apply(op) {
            Ok(done) => (after, Ok(done)),
            Err(refusal) => (self.clone(), Err(refusal)),
        }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Wait { ms } => {
                self.now_ms += ms;
                self.stakes.at(self.now_ms);
                self.basket.at(self.now_ms);
                Ok(Done::Nothing)
            }
            Op::Freeze { coin, frozen } => {
                match frozen {
                    true => self.frozen.insert(*coin),
                    false => self.frozen.remove(coin),
                };
                Ok(Done::Nothing)
            }
            Op::Gift { by, coin, to, amount } => match self.shift(*coin, *by, *to, *amount) {
                true => Ok(Done::Nothing),
                false => Err(Refusal::Token),
            },
            Op::Stake(op) => self.stake(op),
            Op::Basket(op) => self.basket(op),
            Op::Pool(op) => self.trade(op),
            Op::Reward(op) => self.reward(op),
        }
    }

    /// Whether the mistake is made.
    fn errs(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    // ---- money ----

    pub fn balance(&self, coin: Coin, who: Who) -> u128 {
        self.balances.get(&(coin, who)).copied().unwrap_or_default()
    }

    pub fn is_frozen(&self, coin: Coin) -> bool {
        self.frozen.contains(&coin)
    }

    /// Moves a token whatever the state of its contract.
    fn put(&mut self, coin: Coin, who: Who, amount: u128) {
        *self.balances.entry((coin, who)).or_default() += amount;
    }

    fn take(&mut self, coin: Coin, who: Who, amount: u128) -> bool {
        let balance = self.balances.entry((coin, who)).or_default();
        let left = balance.checked_sub(amount);
        *balance = left.unwrap_or(*balance);
        left.is_some()
    }

    /// A transfer; false if the token refuses it.
    #[must_use]
    fn shift(&mut self, coin: Coin, from: Who, to: Who, amount: u128) -> bool {
        if self.is_frozen(coin) {
            return false;
        }
        if from == to {
            return true;
        }
        let moved = self.take(coin, from, amount);
        if moved {
            self.put(coin, to, amount);
        }
        moved
    }

    /// A contract pays; nothing is asked of the token if there is nothing to pay.
    #[must_use]
    fn pay(&mut self, coin: Coin, contract: Who, to: Who, amount: u128) -> bool {
        amount == 0 || self.shift(coin, contract, to, amount)
    }

    /// A contract takes, if it was allowed to.
    #[must_use]
    fn pull(&mut self, coin: Coin, from: Who, contract: Who, amount: u128) -> bool {
        amount == 0 || from.has_approved() && self.shift(coin, from, contract, amount)
    }

    // ---- certificates ----

    /// Whether the committee in office accepts the certificate.
    fn verify(&self, signed: &Signed) -> Result<(), CertificateError> {
        if signed.seats.len() != 16 {
            return Err(CertificateError::WrongSignatureCount { expected: 16 });
        }
        if signed.fault == Some(SignedFault::OtherEpoch) {
            return Err(CertificateError::WrongEpoch { expected: self.stakes.epoch() });
        }
        let barred = signed.seats.iter().find(|seat| self.stakes.barred.contains(seat));
        if let Some(seat) = barred {
            return Err(CertificateError::BarredSigner { seat: *seat });
        }
        match signed.fault {
            Some(SignedFault::Forged(place)) => {
                Err(CertificateError::BadSignature { seat: signed.seats[place] })
            }
            _ => Ok(()),
        }
    }
}

/// The set of these seats, one bit each.
pub fn bits<'a>(seats: impl IntoIterator<Item = &'a u8>) -> u32 {
    seats.into_iter().fold(0, |bits, seat| bits | 1 << seat)
}

/// `⌊a · b / c⌋`, in 256 bits.
pub fn floor(a: u128, b: u128, c: u128) -> u128 {
    u128::try_from(product(a, b) / product(c, 1)).expect("fits 128 bits")
}

/// The same, or the largest number if it is above that.
pub fn floor_or_most(a: u128, b: u128, c: u128) -> u128 {
    u128::try_from(product(a, b) / product(c, 1)).unwrap_or(u128::MAX)
}

/// `⌈a · b / c⌉`, in 256 bits.
pub fn ceil(a: u128, b: u128, c: u128) -> u128 {
    let (whole, rest) = product(a, b).div_mod(product(c, 1));
    u128::try_from(whole).expect("fits 128 bits") + u128::from(!rest.is_zero())
}
