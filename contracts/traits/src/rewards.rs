//! Rewards of certified epochs, paid by Merkle claims (`docs/contracts/rewards.md`).
//!
//! Amounts are smallest units of the token; times are milliseconds since 1970.

use crate::payment::TokenRefused;
use crate::stored::Opaque;
use cicada_core::certificate::{Certificate, CertificateError};
use cicada_core::committee::seat_bit;
use cicada_core::fixed::MathError;
use cicada_core::hash::Digest;
use cicada_core::leaderboard::Settlement;
use cicada_core::ranking::Statement;
use cicada_core::report::{FeedError, FeedState, Report};
use cicada_core::rewards::{Award, AwardState, Emission, Registration};
use cicada_core::slashing::{Deviation, Weight};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// The rules of the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct RewardTerms {
    /// When the first epoch begins: at most 366 days after the contract is made.
    pub start_ms: u64,
    /// The shortest epoch, in milliseconds: 1 to 31 days, the longest that has scores.
    pub min_epoch_ms: u64,
    /// The largest pool of an epoch, until the owner changes it.
    pub emission: u128,
    /// What a miner deposits to be ranked, in units of the token; not 0.
    pub bond: u128,
    /// How long a bond stays after its miner left, in milliseconds: 1 to 366 days.
    pub unbonding_ms: u64,
}

/// An epoch that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct EpochRecord {
    /// What it awarded.
    pub award: Award,
    /// The digest of its report.
    pub digest: Digest,
    /// The slot of that.
    pub slot: u64,
    /// When it was settled, in milliseconds since 1970.
    pub time_ms: u64,
    /// Bit `i` is set if seat `i` had signed the award's ranking.
    pub ranked_by: u32,
    /// The committee that attested it.
    pub committee: u32,
    /// Bit `i` is set if seat `i` had weight when it was settled.
    pub weighed: u32,
}

impl EpochRecord {
    /// The seats with weight that had signed the award's ranking.
    pub fn agreeing(&self) -> u32 {
        self.ranked_by & self.weighed
    }

    /// Whether a seat had weight.
    pub fn has_weight(&self, seat: u8) -> bool {
        self.weighed & seat_bit(seat) != 0
    }
}

/// Who signed another ranking than the certified one of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Accused {
    /// Whether all of them are judged: nobody can be accused any more.
    pub judged: bool,
    /// How far each was off, in order of seats; empty once they are judged.
    pub noted: Vec<Deviation>,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum RewardsError {
    /// The shortest epoch has no length, or is above 31 days.
    WrongEpochLength,
    /// The caller is not the owner.
    NotOwner,
    /// An epoch that the change is for can have begun, or can begin within the notice: its emission is
    /// fixed.
    EpochBegun,
    /// Nothing to pay in.
    ZeroAmount,
    /// The token contract refused, or cannot be called.
    TokenRefused,
    /// The report does not extend the feed.
    Feed(FeedError),
    /// The award is not the one whose root the committee signed.
    ContentMismatch,
    /// The certificate is not valid.
    Certificate(CertificateError),
    /// The contract that verifies certificates cannot be called.
    ValidatorsUnavailable,
    /// More hashes than any proof needs.
    ProofTooLong,
    /// The claim is not under the root of its epoch: wrong in a figure or a hash, or proved under
    /// another.
    NotUnderRoot,
    /// All of the claim is paid already.
    NothingDue,
    /// The claims of the newest root sum to more than was awarded: it is paid up to that.
    AboveTotal,
    /// A calculation has no result.
    Math(MathError),
    /// The first epoch would begin more than 366 days from now.
    StartTooLate,
    /// No such epoch is settled.
    UnknownEpoch,
    /// The bond is 0, or stays less than a day or more than 366 days.
    WrongBond,
    /// The caller is registered, or his bond is still here.
    AlreadyRegistered,
    /// The caller is not registered.
    NotRegistered,
    /// The bond is not free yet.
    StillBonded,
    /// A list of more than 64 accounts, or not in strict order of accounts.
    NotARanking,
    /// The list is not the one that the award or the statement stands for.
    OtherRanking,
    /// The statement is of another epoch, or of another time than the award.
    OtherTime,
    /// The committee of the award is neither in office nor the one before until a day ago.
    CommitteeGone,
    /// The committee has no such seat, or the seat has no weight.
    NoWeight,
    /// The seat has not signed the statement.
    Forged,
    /// The ranking is not off by more than the tolerance.
    WithinTolerance,
    /// The epoch is judged, or this seat is accused of at least as much.
    AlreadyJudged,
    /// Until `ACCUSE_MS` after it is settled an epoch is not judged.
    TooSoon,
    /// Nobody is accused, or the epoch is judged.
    NothingToJudge,
    /// Fewer seats with weight than must agree have signed the certified ranking.
    TooFewAgree,
    /// The contract of validators did not take the deviation: it does not list this one as a judge,
    /// has no rules of stake, or its token refused.
    PenaltiesRefused,
}

impl From<FeedError> for RewardsError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<CertificateError> for RewardsError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

impl From<MathError> for RewardsError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl From<TokenRefused> for RewardsError {
    fn from(_: TokenRefused) -> Self {
        Self::TokenRefused
    }
}

/// Pools of epochs, and what is claimed of them.
#[ink::trait_definition]
pub trait Rewards {
    /// Pays `amount` in, out of what the caller allows at the token. It never comes out again
    /// but by a claim.
    ///
    /// # Errors
    /// [`RewardsError::ZeroAmount`], [`RewardsError::Math`], [`RewardsError::TokenRefused`].
    ///
    /// # Events
    /// `Funded`.
    #[ink(message)]
    fn fund(&mut self, amount: u128) -> Result<(), RewardsError>;

    /// Settles the next epoch by a certified report whose one leaf is `award` with the seats that had
    /// signed its ranking, and notes which seats have weight. Anybody may bring
    /// it; the newest report, brought again, is [`Settlement::AlreadyDone`] and changes nothing. A
    /// certified award that does not follow is [`Settlement::Void`]: its slot is taken, and its
    /// pool stays free.
    ///
    /// # Errors
    /// [`RewardsError::Feed`], [`RewardsError::ContentMismatch`], [`RewardsError::Certificate`],
    /// [`RewardsError::ValidatorsUnavailable`].
    ///
    /// # Events
    /// `EpochSettled` or `SlotVoid`.
    #[ink(message)]
    fn settle_epoch(
        &mut self,
        report: Report,
        award: Award,
        ranked_by: u32,
        certificate: Opaque<Certificate>,
    ) -> Result<Settlement, RewardsError>;

    /// Shows that a seat of the committee that attested an award signed a ranking that is off the
    /// certified one by more than the tolerance, with both lists. Anybody may. What is worse takes the
    /// place of what was shown before.
    ///
    /// # Errors
    /// [`RewardsError::UnknownEpoch`], [`RewardsError::NotARanking`], [`RewardsError::OtherTime`],
    /// [`RewardsError::OtherRanking`], [`RewardsError::WithinTolerance`],
    /// [`RewardsError::ValidatorsUnavailable`], [`RewardsError::CommitteeGone`],
    /// [`RewardsError::TooFewAgree`], [`RewardsError::NoWeight`], [`RewardsError::Forged`],
    /// [`RewardsError::AlreadyJudged`].
    ///
    /// # Events
    /// `RankingAccused`.
    #[ink(message)]
    fn accuse_ranking(
        &mut self,
        epoch: u64,
        certified: Vec<Weight>,
        statement: Statement,
        stated: Vec<Weight>,
    ) -> Result<(), RewardsError>;

    /// Hands all who are accused of an epoch on to the contract of validators, which punishes: once,
    /// [`ACCUSE_MS`](cicada_core::ranking::ACCUSE_MS) after it is settled. Anybody may.
    ///
    /// # Errors
    /// [`RewardsError::UnknownEpoch`], [`RewardsError::TooSoon`], [`RewardsError::NothingToJudge`],
    /// [`RewardsError::PenaltiesRefused`].
    ///
    /// # Events
    /// `RankingsJudged`.
    #[ink(message)]
    fn judge_rankings(&mut self, epoch: u64) -> Result<(), RewardsError>;

    /// Who is accused of an epoch.
    #[ink(message)]
    fn accused(&self, epoch: u64) -> Accused;

    /// Pays the caller what his leaf, number `index` under the root of an epoch, says beyond what he
    /// was paid. Answers how much. Leaves are cumulative: an older proof pays what it proves, and
    /// nothing is paid twice.
    ///
    /// # Errors
    /// [`RewardsError::ProofTooLong`], [`RewardsError::UnknownEpoch`], [`RewardsError::NotUnderRoot`],
    /// [`RewardsError::NothingDue`], [`RewardsError::AboveTotal`], [`RewardsError::TokenRefused`].
    ///
    /// # Events
    /// `Claimed`.
    #[ink(message)]
    fn claim(
        &mut self,
        epoch: u64,
        cumulative: u128,
        index: u32,
        proof: Vec<Digest>,
    ) -> Result<u128, RewardsError>;

    /// The same for another account, which is the one that is paid.
    ///
    /// # Errors
    /// As [`Rewards::claim`].
    ///
    /// # Events
    /// `Claimed`.
    #[ink(message)]
    fn claim_for(
        &mut self,
        account: AccountId,
        epoch: u64,
        cumulative: u128,
        index: u32,
        proof: Vec<Digest>,
    ) -> Result<u128, RewardsError>;

    /// Sets the largest pool of the epochs from number `from_epoch` on, at least the newest settled
    /// epoch plus 2. It replaces a change that is still to come. None of the epochs that it is for
    /// can have begun, or can begin within twice the time that a bond stays, if all since the newest
    /// settled one were as short as they may be. The owner.
    ///
    /// # Errors
    /// [`RewardsError::NotOwner`], [`RewardsError::EpochBegun`].
    ///
    /// # Events
    /// `EmissionSet`.
    #[ink(message)]
    fn set_emission(&mut self, from_epoch: u64, amount: u128) -> Result<(), RewardsError>;

    /// Registers the caller for the tiers of the epochs that begin from now on, with the bond of the
    /// terms out of what he allows at the token.
    ///
    /// # Errors
    /// [`RewardsError::AlreadyRegistered`], [`RewardsError::Math`], [`RewardsError::TokenRefused`].
    ///
    /// # Events
    /// `Registered`.
    #[ink(message)]
    fn register(&mut self) -> Result<(), RewardsError>;

    /// Ends the caller's registration, with the epoch that runs. His bond is free after
    /// [`RewardTerms::unbonding_ms`].
    ///
    /// # Errors
    /// [`RewardsError::NotRegistered`].
    ///
    /// # Events
    /// `Unregistered`.
    #[ink(message)]
    fn unregister(&mut self) -> Result<(), RewardsError>;

    /// Pays the caller's bond back.
    ///
    /// # Errors
    /// [`RewardsError::NotRegistered`] without a bond, [`RewardsError::StillBonded`],
    /// [`RewardsError::TokenRefused`].
    ///
    /// # Events
    /// `BondReturned`.
    #[ink(message)]
    fn withdraw_bond(&mut self) -> Result<(), RewardsError>;

    /// The registration of an account, until its bond is paid back.
    #[ink(message)]
    fn registration(&self, account: AccountId) -> Option<Registration>;

    /// All bonds that are here.
    #[ink(message)]
    fn bonded(&self) -> u128;

    /// A settled epoch.
    #[ink(message)]
    fn epoch(&self, epoch: u64) -> Option<EpochRecord>;

    /// What the next epoch follows, and the newest root.
    #[ink(message)]
    fn state(&self) -> AwardState;

    /// Slot, digest and time of the newest report; slot 0 before the first.
    #[ink(message)]
    fn latest(&self) -> FeedState;

    /// What an account was paid in all.
    #[ink(message)]
    fn paid_of(&self, account: AccountId) -> u128;

    /// What all accounts were paid.
    #[ink(message)]
    fn paid(&self) -> u128;

    /// What was ever paid in.
    #[ink(message)]
    fn funded(&self) -> u128;

    /// What is paid in and neither awarded nor carried: the bound of the next pool.
    #[ink(message)]
    fn available(&self) -> u128;

    /// The largest pools of the epochs.
    #[ink(message)]
    fn emission(&self) -> Emission;

    /// The rules; the emission is that of the epoch that runs.
    #[ink(message)]
    fn terms(&self) -> RewardTerms;

    /// The token that is paid.
    #[ink(message)]
    fn token(&self) -> AccountId;

    /// The contract that verifies certificates.
    #[ink(message)]
    fn validators(&self) -> AccountId;
}
