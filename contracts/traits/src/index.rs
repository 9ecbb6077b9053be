//! The index token's basket: mint, redeem, rebalance, NAV (`docs/contracts/index.md`).
//!
//! Amounts are in smallest units; index tokens have 18 decimals.

use cicada_core::basket::holdings::{Entry, Holding};
use cicada_core::basket::BasketError;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::fixed::MathError;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{Observation, Record};
use cicada_core::report::{FeedError, FeedState, Report};
use cicada_core::slashing::MIN_UNBONDING_MS;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

use crate::stored::Opaque;

/// Picoseconds of the reference machine that a token may use to be paid out in a redemption.
pub const PAY_REF_TIME: u64 = 10_000_000_000;

/// Bytes of storage proof that it may use: forty of them fit the proof of a block.
pub const PAY_PROOF_SIZE: u64 = 100 * 1_024;

/// How long after its announcement another fee or minimum is in force, in milliseconds: two days,
/// twice the shortest unbonding delay.
pub const NOTICE_MS: u64 = 2 * MIN_UNBONDING_MS;

/// Why a message of the index is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum IndexError {
    /// The caller is not the owner.
    NotOwner,
    /// The minimum is above `MAX_MINIMUM`.
    MinimumTooHigh,
    /// Minting is paused.
    Paused,
    /// The deadline is now or has passed.
    Expired,
    /// Fewer tokens than the minimum, and not all that the caller has.
    BelowMinimum,
    /// Not one limit for each holding.
    WrongLength,
    /// An amount is beyond the caller's limit.
    BeyondLimit,
    /// Basket and amounts.
    Basket(BasketError),
    /// The report does not extend its feed.
    Feed(FeedError),
    /// The content is not that whose root the committee signed.
    ContentMismatch,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// The contract of validators did not take the deviations: it does not list this one as a
    /// judge, has no rules of stake, or its token refused.
    PenaltiesRefused,
    /// The contract of validators cannot be called, or has no committee.
    ValidatorsUnavailable,
    /// A token of the basket refused, or cannot be called.
    TokenRefused,
    /// The index token refused, or cannot be called.
    IndexTokenRefused,
    /// Nothing is owed to the caller in this token.
    NothingOwed,
    /// No slot is left in which somebody was off.
    NothingToJudge,
}

impl From<BasketError> for IndexError {
    fn from(error: BasketError) -> Self {
        Self::Basket(error)
    }
}

impl From<MathError> for IndexError {
    fn from(error: MathError) -> Self {
        Self::Basket(BasketError::Math(error))
    }
}

impl From<FeedError> for IndexError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<CertificateError> for IndexError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// What stands over mints and redemptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct IndexTerms {
    /// The contract of the committee.
    pub validators: AccountId,
    /// The index token; this contract is its minter and burner.
    pub token: AccountId,
    /// The part of each mint and redemption that stays in the basket, in bps, at most 100.
    pub fee_bps: u16,
    /// The least that is minted or redeemed, in units of the index token.
    pub minimum: u128,
    /// Whether minting is paused.
    pub minting_paused: bool,
}

/// Fee and minimum that are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct AnnouncedCharges {
    /// The fee in bps.
    pub fee_bps: u16,
    /// The least that is minted or redeemed, in units of the index token.
    pub minimum: u128,
    /// From when on they are in force, in milliseconds since 1970.
    pub from_ms: u64,
}

/// The index.
#[ink::trait_definition]
pub trait Index {
    /// Stops minting (and nothing else) or lets it go on, at once, and announces fee and minimum, in
    /// place of what was announced before; they are in force [`NOTICE_MS`] later, or at once before
    /// the first basket. Only the owner may. Those in force take an announcement back. Who has less
    /// than the minimum may still redeem all of it.
    ///
    /// # Errors
    /// [`IndexError::NotOwner`], [`BasketError::FeeTooHigh`], [`IndexError::MinimumTooHigh`].
    ///
    /// # Events
    /// `TermsSet`.
    #[ink(message)]
    fn set_terms(
        &mut self,
        fee_bps: u16,
        minimum: u128,
        minting_paused: bool,
    ) -> Result<(), IndexError>;

    /// Takes over certified target weights and prices. Anybody may bring them; the newest once
    /// more is [`Settlement::AlreadyDone`] and changes nothing. Dust of tokens without weight is
    /// written off. A certified list that is no basket is [`Settlement::Void`].
    ///
    /// # Errors
    /// [`IndexError::Feed`], [`IndexError::ContentMismatch`], [`IndexError::Certificate`],
    /// [`IndexError::ValidatorsUnavailable`].
    ///
    /// # Events
    /// `BasketSet`, and `WrittenOff` for each token that is; or `SlotVoid`.
    #[ink(message)]
    fn set_basket(
        &mut self,
        report: Report,
        entries: Vec<Entry>,
        certificate: Opaque<Certificate>,
    ) -> Result<Settlement, IndexError>;

    /// Takes of each holding the part that `tokens` are of the supply, rounded up, from the
    /// caller's allowances; at most `max_amounts`, in the order of [`Index::holdings`]. Credits
    /// what the fee leaves of `tokens`; at least `min_received`. The first mint goes by target
    /// weights and fresh prices, at one TAO a token, and locks `LOCKED_SUPPLY` of it.
    ///
    /// # Errors
    /// [`IndexError::Paused`], [`IndexError::Expired`], [`IndexError::BelowMinimum`],
    /// [`IndexError::WrongLength`], [`IndexError::BeyondLimit`], [`IndexError::Basket`],
    /// [`IndexError::TokenRefused`], [`IndexError::IndexTokenRefused`].
    ///
    /// # Events
    /// `Minted`.
    #[ink(message)]
    fn mint(
        &mut self,
        tokens: u128,
        min_received: u128,
        max_amounts: Vec<u128>,
        deadline_ms: u64,
    ) -> Result<(), IndexError>;

    /// Burns `tokens` of the caller, who has approved it, and pays of each holding the part that
    /// what the fee leaves is of the supply, rounded down; at least `min_amounts`, in the order of
    /// [`Index::holdings`]. What a token refuses to pay is owed.
    ///
    /// # Errors
    /// [`IndexError::Expired`], [`IndexError::BelowMinimum`], [`IndexError::WrongLength`],
    /// [`IndexError::BeyondLimit`], [`IndexError::Basket`], [`IndexError::IndexTokenRefused`].
    ///
    /// # Events
    /// `Redeemed`, and `Owed` for each token that refused.
    #[ink(message)]
    fn redeem(
        &mut self,
        tokens: u128,
        min_amounts: Vec<u128>,
        deadline_ms: u64,
    ) -> Result<(), IndexError>;

    /// Pays the caller what he is owed in a token. If the token refuses again, it stays owed.
    ///
    /// # Errors
    /// [`IndexError::NothingOwed`], [`IndexError::TokenRefused`].
    ///
    /// # Events
    /// `OwedPaid`.
    #[ink(message)]
    fn claim_owed(&mut self, token: AccountId) -> Result<(), IndexError>;

    /// Takes what was sent to this contract unasked into the holding of a token with weight, but for
    /// what was written off. Anybody may.
    ///
    /// # Errors
    /// [`BasketError::UnknownToken`], [`BasketError::NoWeight`], [`BasketError::ZeroAmount`],
    /// [`IndexError::TokenRefused`].
    ///
    /// # Events
    /// `Synced`.
    #[ink(message)]
    fn sync(&mut self, token: AccountId) -> Result<(), IndexError>;

    /// Gives a token that is below its target, from the caller's allowance, and takes one that is
    /// above it, for the same value at the certified prices less a spread, rounded down; at least
    /// `min_take`. Anybody may, while the prices are fresh. The spread falls in a straight line from
    /// 200 bps when the basket was taken over ([`Index::basket_taken_ms`]) to −20 bps 300 s later.
    ///
    /// # Errors
    /// [`IndexError::Expired`], [`IndexError::Basket`], [`IndexError::BeyondLimit`],
    /// [`IndexError::TokenRefused`].
    ///
    /// # Events
    /// `Swapped`.
    #[ink(message)]
    fn swap(
        &mut self,
        give: AccountId,
        give_amount: u128,
        take: AccountId,
        min_take: u128,
        deadline_ms: u64,
    ) -> Result<(), IndexError>;

    /// Settles the NAV of a slot from the signed observations of a certified report: the
    /// stake-weighted lower median. Anybody may bring it; a report that is final already is
    /// [`Settlement::AlreadyDone`], and certified observations that make no NAV are
    /// [`Settlement::Void`].
    ///
    /// # Errors
    /// [`IndexError::Feed`], [`IndexError::ContentMismatch`], [`IndexError::Certificate`],
    /// [`IndexError::ValidatorsUnavailable`].
    ///
    /// # Events
    /// `NavSettled` or `SlotVoid`.
    #[ink(message)]
    fn settle_nav(
        &mut self,
        report: Report,
        observations: Vec<Observation>,
        certificate: Opaque<Certificate>,
    ) -> Result<Settlement, IndexError>;

    /// Hands on how far each seat was off the NAV of a slot to the contract of validators, which
    /// punishes: of the oldest slot in which somebody was off and that was not judged. Anybody may.
    ///
    /// # Errors
    /// [`IndexError::NothingToJudge`], [`IndexError::PenaltiesRefused`].
    ///
    /// # Events
    /// None of this contract.
    #[ink(message)]
    fn judge_nav(&mut self) -> Result<(), IndexError>;

    /// The slot that [`Index::judge_nav`] would judge.
    #[ink(message)]
    fn to_judge(&self) -> Option<u64>;

    /// What is held of each token, its target and its price: the targets, then what leaves.
    #[ink(message)]
    fn holdings(&self) -> Vec<Holding>;

    /// What an account is owed in a token; for this contract itself, what all together are owed.
    #[ink(message)]
    fn owed(&self, account: AccountId, token: AccountId) -> u128;

    /// What of a token was written off: it lies here, and counts nowhere.
    #[ink(message)]
    fn written_off(&self, token: AccountId) -> u128;

    /// The settled NAV of a slot.
    #[ink(message)]
    fn nav(&self, slot: u64) -> Option<Record>;

    /// The newest settled NAV.
    #[ink(message)]
    fn newest_nav(&self) -> Option<Record>;

    /// Slot, digest and time of the newest basket, and of the newest NAV, void ones too. Before the
    /// first NAV its slot is 0, and its time that of the first basket.
    #[ink(message)]
    fn feeds(&self) -> (FeedState, FeedState);

    /// When the newest basket was taken over, in milliseconds since 1970; 0 before the first. From
    /// then on the spread of its swaps falls, whatever the time of its prices.
    #[ink(message)]
    fn basket_taken_ms(&self) -> u64;

    /// Fee and minimum in force, pause and the contracts that this one calls.
    #[ink(message)]
    fn terms(&self) -> IndexTerms;

    /// Fee and minimum that will be in force, if some are announced.
    #[ink(message)]
    fn announced(&self) -> Option<AnnouncedCharges>;
}
