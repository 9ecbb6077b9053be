//! What validators stake, and what they lose (`docs/contracts/validators.md`).

use crate::payment::TokenRefused;
use cicada_core::committee::AttestationKey;
use cicada_core::evidence::{Equivocation, EvidenceError};
use cicada_core::fixed::MathError;
use cicada_core::hash::Hash;
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, ReportKind};
use cicada_core::slashing::{Bands, OffenceKind, ParameterError, Rates, StakeError, Standing};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// The rules of stake. Under the owner; the token is fixed the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct StakingTerms {
    /// The token that is staked.
    pub token: AccountId,
    /// Where penalties go.
    pub treasury: AccountId,
    /// Who hears of penalties: a reputation contract that lists this one as a writer.
    pub reputation: Option<AccountId>,
    /// What a seat needs, in units of the token.
    pub minimum: u128,
    /// How long stake that is taken out can still be slashed, in milliseconds; at most 366 days.
    pub unbonding_ms: u64,
    /// Bounds of deviation of a NAV.
    pub nav_bands: Bands,
    /// Bounds of distance of a ranking.
    pub ranking_bands: Bands,
    /// What each severity costs.
    pub rates: Rates,
}

/// The stake of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct StakeView {
    /// What counts, in units of the token.
    pub bonded: u128,
    /// What is being taken out.
    pub unbonding: u128,
    /// From when on that can be withdrawn, in milliseconds since 1970; 0 if there is none.
    pub releases_ms: u64,
    /// Whether the operator may serve.
    pub standing: Standing,
}

/// What a contract that settles observations needs to know of those who made them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Electorate {
    /// The epoch in office.
    pub epoch: u32,
    /// What every signature of that epoch binds.
    pub config_digest: Hash,
    /// Attestation keys in seat order.
    pub keys: Vec<AttestationKey>,
    /// Stake in seat order; 0 for a seat that is inactive or ejected.
    pub stakes: Vec<u128>,
}

/// How far a seat was off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Deviation {
    /// The seat.
    pub seat: u8,
    /// The deviation in bps, rounded up.
    pub bps: u128,
}

/// Two different values that a seat signed for one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct DoubleObservation {
    /// The committee in which it signed.
    pub epoch: u32,
    /// The feed.
    pub feed: Feed,
    /// The slot.
    pub slot: u64,
    /// One.
    pub one: Observation,
    /// The other.
    pub other: Observation,
}

/// Why a message about stake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum StakingError {
    /// The caller is not the owner.
    NotOwner,
    /// The owner has set no rules yet.
    NoTerms,
    /// The token cannot be changed any more.
    TokenFixed,
    /// Bands or rates make no sense.
    Parameters(ParameterError),
    /// Nothing to move.
    ZeroAmount,
    /// More than there is.
    BeyondStake,
    /// What is being taken out is not free yet.
    StillUnbonding,
    /// The token contract refused, or cannot be called.
    TokenRefused,
    /// The caller is not a contract that may judge.
    NotJudge,
    /// The epoch, or its record, is not there.
    UnknownEpoch,
    /// The committee has no such seat.
    UnknownSeat,
    /// More deviations than seats.
    TooMany,
    /// This offence was punished already.
    AlreadyPunished,
    /// The evidence convicts nobody.
    Evidence(EvidenceError),
    /// The two observations convict nobody.
    NoConviction,
    /// A calculation has no result.
    Math(MathError),
    /// The reputation contract broke off the call: no gas was left for it, or it trapped.
    ReputationUnavailable,
    /// Token, treasury or reputation would be this contract itself.
    OwnAccount,
    /// Who sits in the committee in office keeps the minimum in.
    Seated,
}

impl From<TokenRefused> for StakingError {
    fn from(_: TokenRefused) -> Self {
        Self::TokenRefused
    }
}

impl From<StakeError> for StakingError {
    fn from(error: StakeError) -> Self {
        match error {
            StakeError::ZeroAmount => Self::ZeroAmount,
            StakeError::BeyondStake => Self::BeyondStake,
            StakeError::StillUnbonding => Self::StillUnbonding,
            StakeError::Seated => Self::Seated,
            StakeError::Math(error) => Self::Math(error),
        }
    }
}

impl From<ParameterError> for StakingError {
    fn from(error: ParameterError) -> Self {
        Self::Parameters(error)
    }
}

/// What contracts that settle a feed call.
#[ink::trait_definition]
pub trait Judged {
    /// Who is in office, with what stake.
    #[ink(message)]
    fn electorate(&self) -> Electorate;

    /// Punishes seats of the committee in office for their deviation in a slot of the caller's
    /// feed of `kind`. Only listed judges may. A seat within tolerance, or punished for this slot
    /// already, loses nothing.
    ///
    /// # Errors
    /// [`StakingError::NotJudge`], [`StakingError::NoTerms`], [`StakingError::TooMany`],
    /// [`StakingError::UnknownSeat`], [`StakingError::ReputationUnavailable`],
    /// [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Slashed` for each penalty.
    #[ink(message)]
    fn report_deviations(
        &mut self,
        kind: ReportKind,
        slot: u64,
        offence: OffenceKind,
        deviations: Vec<Deviation>,
    ) -> Result<(), StakingError>;
}

/// Stake, penalties, standing.
#[ink::trait_definition]
pub trait Staking {
    /// Sets the rules. Only the owner may; the token only the first time.
    ///
    /// # Errors
    /// [`StakingError::NotOwner`], [`StakingError::OwnAccount`], [`StakingError::TokenFixed`],
    /// [`StakingError::Parameters`].
    ///
    /// # Events
    /// `TermsSet`.
    #[ink(message)]
    fn set_terms(&mut self, terms: StakingTerms) -> Result<(), StakingError>;

    /// Lists a contract that may report deviations, or takes it off. Only the owner may.
    ///
    /// # Errors
    /// [`StakingError::NotOwner`].
    ///
    /// # Events
    /// `JudgeChanged`, if something changed.
    #[ink(message)]
    fn set_judge(&mut self, contract: AccountId, allowed: bool) -> Result<(), StakingError>;

    /// Adds to the caller's stake, from his allowance at the token.
    ///
    /// # Errors
    /// [`StakingError::NoTerms`], [`StakingError::ZeroAmount`], [`StakingError::Math`],
    /// [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Bonded`.
    #[ink(message)]
    fn bond(&mut self, amount: u128) -> Result<(), StakingError>;

    /// Begins to take stake out. All that the caller is taking out waits from now on, for the delay
    /// of the rules as they are now. Who sits in the committee in office keeps the minimum in.
    ///
    /// # Errors
    /// [`StakingError::NoTerms`], [`StakingError::ZeroAmount`], [`StakingError::BeyondStake`],
    /// [`StakingError::Seated`], [`StakingError::Math`].
    ///
    /// # Events
    /// `Unbonding`.
    #[ink(message)]
    fn unbond(&mut self, amount: u128) -> Result<(), StakingError>;

    /// Pays out what has waited long enough, and says how much.
    ///
    /// # Errors
    /// [`StakingError::ZeroAmount`], [`StakingError::StillUnbonding`],
    /// [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Withdrawn`.
    #[ink(message)]
    fn withdraw(&mut self) -> Result<u128, StakingError>;

    /// Punishes a seat that attested two reports of one slot. Anybody may bring the proof.
    ///
    /// # Errors
    /// [`StakingError::NoTerms`], [`StakingError::UnknownEpoch`], [`StakingError::Evidence`],
    /// [`StakingError::AlreadyPunished`], [`StakingError::ReputationUnavailable`],
    /// [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Slashed`.
    #[ink(message)]
    fn convict(&mut self, evidence: Equivocation) -> Result<(), StakingError>;

    /// Punishes a seat that signed two values for one slot. Anybody may bring the proof.
    ///
    /// # Errors
    /// [`StakingError::NoTerms`], [`StakingError::UnknownEpoch`], [`StakingError::UnknownSeat`],
    /// [`StakingError::NoConviction`], [`StakingError::AlreadyPunished`],
    /// [`StakingError::ReputationUnavailable`], [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Slashed`.
    #[ink(message)]
    fn convict_observer(&mut self, evidence: DoubleObservation) -> Result<(), StakingError>;

    /// The stake of an operator.
    #[ink(message)]
    fn stake_of(&self, operator: AccountId) -> StakeView;

    /// The rules; none before the owner set them.
    #[ink(message)]
    fn terms(&self) -> Option<StakingTerms>;

    /// The seats in office whose signatures do not count, bit `i` for seat `i`. Who assembles a
    /// certificate leaves them out.
    #[ink(message)]
    fn barred(&self) -> u32;

    /// Whether a contract may report deviations.
    #[ink(message)]
    fn is_judge(&self, contract: AccountId) -> bool;
}
