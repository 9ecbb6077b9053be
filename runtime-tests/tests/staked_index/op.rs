//! An operation, as both sides get it.

use crate::people::{Coin, Who};

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Wait {
        ms: u64,
    },
    /// The token refuses everything, or works again.
    Freeze {
        coin: Coin,
        frozen: bool,
    },
    Gift {
        by: Who,
        coin: Coin,
        to: Who,
        amount: u128,
    },
    Stake(StakeOp),
    Basket(BasketOp),
    Pool(PoolOp),
    Reward(RewardOp),
}

/// Stake, committees, evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum StakeOp {
    Bond {
        by: Who,
        amount: u128,
    },
    Unbond {
        by: Who,
        amount: u128,
    },
    Withdraw {
        by: Who,
    },
    SetRules {
        by: Who,
        rules: Rules,
        other_token: bool,
    },
    /// Lists the committee's contract as a writer of reputation, or takes it off.
    SetWriter {
        by: Who,
        allowed: bool,
    },
    /// Deviations that no contract reports.
    Accuse {
        by: Who,
        seat: u8,
        bps: u32,
    },
    /// Asks to be replaced.
    Resign {
        by: Who,
    },
    /// Two observations of one NAV, brought by a stranger.
    ConvictObserver {
        epoch: u32,
        seat: u8,
        slot: u64,
        proof: Proof,
    },
    /// Two reports, brought by a stranger.
    ConvictSigner {
        epoch: u32,
        seat: u8,
        source: Source,
        slot: u64,
        proof: Proof,
    },
    /// The next committee: these nodes, in seat order.
    Rotate {
        nodes: Vec<u8>,
        signed: Signed,
    },
}

/// The rules of stake that change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    pub minimum: u128,
    pub delay_ms: u64,
    /// Of minor, moderate, severe, critical, in bps.
    pub rates: [u32; 4],
}

/// What a proof of two signatures is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Good,
    /// The same, the other way round.
    Turned,
    /// Twice the same.
    Same,
    /// One signature is another seat's.
    Forged,
}

/// The feeds of which there is evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Nav,
    Basket,
    Rewards,
}

/// Who signs a certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// The seats, in order.
    pub seats: Vec<u8>,
    pub fault: Option<SignedFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedFault {
    /// It names the epoch after.
    OtherEpoch,
    /// The signature at this place is of something else.
    Forged(usize),
}

/// The index.
#[derive(Clone, Debug, PartialEq)]
pub enum BasketOp {
    SetTerms {
        by: Who,
        fee_bps: u16,
        minimum: u128,
        paused: bool,
    },
    SetBasket {
        entries: Vec<Target>,
        time_ms: u64,
        fault: Option<BasketFault>,
        signed: Signed,
    },
    /// The newest basket once more.
    BringBasketAgain,
    Mint {
        by: Who,
        tokens: u128,
        least: u128,
        most: Vec<u128>,
        deadline_ms: u64,
    },
    Redeem {
        by: Who,
        tokens: u128,
        least: Vec<u128>,
        deadline_ms: u64,
    },
    ClaimOwed {
        by: Who,
        subnet: u8,
    },
    Sync {
        subnet: u8,
    },
    Swap {
        by: Who,
        give: u8,
        amount: u128,
        take: u8,
        least: u128,
        deadline_ms: u64,
    },
    SettleNav {
        values: Vec<(u8, u128)>,
        time_ms: u64,
        fault: Option<NavFault>,
        signed: Signed,
    },
    /// Hands on who was off in the oldest slot that was not judged.
    JudgeNav,
    /// A settled NAV once more, or another report for its slot.
    BringNavAgain {
        slot: u64,
        rival: bool,
    },
}

/// A subnet token in a basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub subnet: u8,
    pub weight_bps: u16,
    pub price_e18: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasketFault {
    /// The entries are not those of the report.
    OtherContent,
    /// A slot is left out.
    Skipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavFault {
    Skipped,
    /// Two observations stand in the wrong order.
    Unordered,
    /// The observation at this place is of another time than the report.
    OtherTime(usize),
    /// The observations are not those of the report.
    OtherContent,
    /// The value at this place is not what its seat signed.
    Forged(usize),
}

/// The pool.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolOp {
    Add {
        by: Who,
        most: [u128; 2],
        least: u128,
        deadline_ms: u64,
    },
    Remove {
        by: Who,
        shares: u128,
        least: [u128; 2],
        deadline_ms: u64,
    },
    /// Sells an exact amount.
    Sell {
        by: Who,
        coin: Coin,
        amount: u128,
        least: u128,
        deadline_ms: u64,
    },
    /// Buys an exact amount and pays in this token.
    Buy {
        by: Who,
        coin: Coin,
        amount: u128,
        most: u128,
        deadline_ms: u64,
    },
    Skim {
        by: Who,
        to: Who,
    },
}

/// The rewards.
#[derive(Clone, Debug, PartialEq)]
pub enum RewardOp {
    Fund {
        by: Who,
        amount: u128,
    },
    SettleEpoch(Epoch),
    /// The newest epoch once more.
    BringEpochAgain,
    /// For oneself if both are the same. `extra` is added to what the leaf says; the proof is under
    /// the root of so many epochs ago.
    Claim {
        by: Who,
        of: Who,
        extra: u128,
        ago: usize,
    },
    SetEmission {
        by: Who,
        from_epoch: u64,
        amount: u128,
    },
}

/// An epoch of rewards.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    pub pool: u128,
    pub end_ms: u64,
    pub time_ms: u64,
    pub scores: Vec<(Who, u128)>,
    /// Stake and participation.
    pub validators: Vec<(Who, u128, u16)>,
    pub fault: Option<AwardFault>,
    pub signed: Signed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwardFault {
    Epoch,
    Start,
    Carried,
    Awarded,
    Total,
    /// The award is not that of the report.
    OtherContent,
}
