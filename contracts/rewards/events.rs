//! What happened, for whoever follows the chain.

use cicada_core::hash::Digest;
use cicada_core::rewards::Award;
use cicada_traits::rewards::EpochRecord;
use ink::primitives::AccountId;

/// Somebody paid in.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funded {
    /// Who.
    #[ink(topic)]
    pub from: AccountId,
    /// How much.
    pub amount: u128,
    /// What was paid in until now, this included.
    pub funded: u128,
}

/// An epoch is settled: from now on claims are proved under its root.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSettled {
    /// Its number.
    #[ink(topic)]
    pub epoch: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// What it took of the free money.
    pub pool: u128,
    /// What it awarded.
    pub awarded: u128,
    /// What it left to the next.
    pub carried_out: u128,
    /// The Merkle root of the claims.
    pub claims_root: Digest,
    /// How many claims there are.
    pub claims: u32,
    /// The digest of its ranking.
    pub ranking: Digest,
    /// Bit `i` is set if seat `i` had signed that ranking.
    pub ranked_by: u32,
    /// The committee that attested it.
    pub committee: u32,
}

impl From<EpochRecord> for EpochSettled {
    fn from(record: EpochRecord) -> Self {
        let EpochRecord { award, digest, ranked_by, committee, .. } = record;
        let Award { epoch, pool, awarded, carried_out, claims_root, claims, ranking, .. } = award;
        Self {
            epoch,
            digest,
            pool,
            awarded,
            carried_out,
            claims_root,
            claims,
            ranking,
            ranked_by,
            committee,
        }
    }
}

/// A seat was shown to have signed a ranking that is off the certified one.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingAccused {
    /// The epoch of rewards.
    #[ink(topic)]
    pub epoch: u64,
    /// The seat in the committee of the award.
    pub seat: u8,
    /// How far it was off, in bps, rounded up.
    pub off_bps: u32,
}

/// All who were off in an epoch were judged. What it costs, the contract of validators says.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingsJudged {
    /// The epoch of rewards.
    #[ink(topic)]
    pub epoch: u64,
}

/// A slot was taken by a certified award that does not follow.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotVoid {
    /// The slot.
    pub slot: u64,
    /// The digest of the report.
    pub digest: Digest,
}

/// An account was paid.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who.
    #[ink(topic)]
    pub account: AccountId,
    /// How much.
    pub amount: u128,
    /// What it was paid in all.
    pub cumulative: u128,
}

/// A miner is registered from now on.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Who.
    #[ink(topic)]
    pub account: AccountId,
}

/// A miner is not registered any more.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unregistered {
    /// Who.
    #[ink(topic)]
    pub account: AccountId,
    /// From when on his bond is free, in milliseconds since 1970.
    pub free_ms: u64,
}

/// A bond was paid back.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondReturned {
    /// To whom.
    #[ink(topic)]
    pub account: AccountId,
    /// How much.
    pub amount: u128,
}

/// The owner announced the largest pool of epochs to come.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmissionSet {
    /// The first epoch that it is for.
    pub from_epoch: u64,
    /// The largest pool.
    pub amount: u128,
}

/// The owner offered ownership.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipProposed {
    /// The owner.
    pub owner: AccountId,
    /// Who may accept.
    pub proposed: AccountId,
}

/// Ownership was handed on.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipAccepted {
    /// The new owner.
    pub owner: AccountId,
}
