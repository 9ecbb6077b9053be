//! What happened, for whoever follows the chain.

use cicada_core::hash::Digest;
use cicada_core::nav::Record;
use cicada_core::report::ReportKind;
use ink::primitives::AccountId;

/// Index tokens were minted.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// Who paid for them.
    #[ink(topic)]
    pub who: AccountId,
    /// Index tokens paid for, in smallest units.
    pub tokens: u128,
    /// What of them the fee kept from being credited.
    pub fee: u128,
    /// The newest NAV at scale 10^18; 0 if there is none, or it is out of date.
    pub nav_e18: u128,
}

/// Index tokens were redeemed.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose they were.
    #[ink(topic)]
    pub who: AccountId,
    /// Index tokens burned, in smallest units.
    pub tokens: u128,
    /// What of them the fee kept from being paid out.
    pub fee: u128,
    /// The newest NAV at scale 10^18; 0 if there is none, or it is out of date.
    pub nav_e18: u128,
}

/// A token refused to be paid out.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// To whom it is owed.
    #[ink(topic)]
    pub who: AccountId,
    /// The token.
    #[ink(topic)]
    pub token: AccountId,
    /// How much more of it.
    pub amount: u128,
}

/// What was owed was paid.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedPaid {
    /// To whom.
    #[ink(topic)]
    pub who: AccountId,
    /// The token.
    #[ink(topic)]
    pub token: AccountId,
    /// How much.
    pub amount: u128,
}

/// What came in unasked is now held.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The token.
    #[ink(topic)]
    pub token: AccountId,
    /// How much.
    pub amount: u128,
}

/// One token of the basket was exchanged for another.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// Who gave and took.
    #[ink(topic)]
    pub who: AccountId,
    /// The token that the basket holds more of.
    pub give: AccountId,
    /// The token that it holds less of.
    pub take: AccountId,
    /// How much more.
    pub given: u128,
    /// How much less.
    pub taken: u128,
}

/// Target weights and prices came into force.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasketSet {
    /// The slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// The committee that attested it.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed.
    pub signers: u32,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
}

/// The NAV of a slot became final.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavSettled {
    /// The slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// The committee that attested it.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed the certificate.
    pub signers: u32,
    /// Bit `i` is set if seat `i` observed and had weight.
    pub observers: u32,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
    /// The median, at scale 10^18.
    pub nav_e18: u128,
}

impl From<Record> for NavSettled {
    fn from(record: Record) -> Self {
        let Record { slot, digest, time_ms, epoch, signers, observers, nav_e18 } = record;
        Self { slot, digest, epoch, signers, observers, time_ms, nav_e18 }
    }
}

/// The owner announced fee and minimum, or stopped minting or let it go on.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsSet {
    /// The fee in bps.
    pub fee_bps: u16,
    /// The least that is minted or redeemed, in units of the index token.
    pub minimum: u128,
    /// Whether minting is stopped, from now on.
    pub minting_paused: bool,
    /// From when on fee and minimum are in force, in milliseconds since 1970.
    pub from_ms: u64,
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

/// A slot was taken by a certified report that cannot be applied.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotVoid {
    /// Of the NAV or of the basket.
    pub kind: ReportKind,
    /// The slot.
    pub slot: u64,
    /// The digest of the report.
    pub digest: Digest,
}

/// A token without weight is in no mint, redemption or NAV any more.
#[ink::event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenOff {
    /// The token.
    #[ink(topic)]
    pub token: AccountId,
    /// How much of it.
    pub amount: u128,
}
