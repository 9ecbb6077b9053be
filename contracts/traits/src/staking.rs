//! What validators stake, and what they lose (`docs/contracts/validators.md`).

use crate::payment::TokenRefused;
use cicada_core::committee::{AttestationKey, AttestationKeys};
use cicada_core::evidence::{Equivocation, EvidenceError};
use cicada_core::fixed::MathError;
use cicada_core::hash::Digest;
use cicada_core::nav::Observation;
use cicada_core::report::{Feed, ReportKind};
pub use cicada_core::slashing::Deviation;
use cicada_core::slashing::{
    Bands, JudgementError, OffenceKind, ParameterError, Rates, StakeError, Standing,
};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

/// The most contracts that may judge.
pub const MAX_JUDGES: usize = 4;

/// Picoseconds of the reference machine that the reputation contract may use to hear of a penalty.
pub const TELL_REF_TIME: u64 = 2_000_000_000;

/// Bytes of storage proof that it may use.
pub const TELL_PROOF_SIZE: u64 = 64 * 1_024;

/// The rules of stake. Under the owner; token and treasury are fixed with the first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct StakingTerms {
    /// The token that is staked.
    pub token: AccountId,
    /// Where penalties go, but for what is due to whoever brings a proof.
    pub treasury: AccountId,
    /// Who hears of penalties: a reputation contract that lists this one as a writer.
    pub reputation: Option<AccountId>,
    /// The contracts that may report deviations, at most [`MAX_JUDGES`].
    pub judges: Vec<AccountId>,
    /// What a seat needs, in units of the token; not 0, and at most twice what it needs now.
    pub minimum: u128,
    /// How long stake that is taken out can still be slashed, in milliseconds; 1 to 366 days.
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
    /// Whether he has asked to be replaced.
    pub is_resigned: bool,
}

/// What a contract that settles observations needs to know of a committee: that in office, or for a
/// day the one before, with the weights of its last block in office; who was convicted since has none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Electorate {
    /// Its epoch.
    pub epoch: u32,
    /// What every signature of that epoch binds.
    pub config_digest: Digest,
    /// Attestation keys in seat order; none if there is no such committee.
    pub keys: Vec<AttestationKey>,
    /// Weights in seat order: the stake, at most 5/4 of the lowest minimum that binds one of them; 0
    /// for a seat that is inactive or ejected.
    pub stakes: Vec<u128>,
}

/// The same, with the keys read as one block: for a contract that asks.
#[ink::scale_derive(Decode)]
pub struct Seats {
    /// As [`Electorate::epoch`].
    pub epoch: u32,
    /// As [`Electorate::config_digest`].
    pub config_digest: Digest,
    /// As [`Electorate::keys`].
    pub keys: AttestationKeys,
    /// As [`Electorate::stakes`].
    pub stakes: Vec<u128>,
}

impl StakingTerms {
    /// The bounds for one kind of offence.
    pub fn bands(&self, kind: OffenceKind) -> &Bands {
        match kind {
            OffenceKind::RankingDeviation => &self.ranking_bands,
            OffenceKind::NavDeviation | OffenceKind::Equivocation => &self.nav_bands,
        }
    }
}

/// Rules that are announced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct AnnouncedTerms {
    /// The rules.
    pub terms: StakingTerms,
    /// From when on they are in force, in milliseconds since 1970.
    pub from_ms: u64,
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
    /// Token and treasury cannot be changed any more.
    Fixed,
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
    /// More deviations than seats, or more judges than [`MAX_JUDGES`].
    TooMany,
    /// Deviations are not in order of rising seats.
    NotInOrder,
    /// This offence was punished already.
    AlreadyPunished,
    /// The evidence convicts nobody.
    Evidence(EvidenceError),
    /// The two observations convict nobody.
    NoConviction,
    /// A calculation has no result.
    Math(MathError),
    /// Too little gas was left to tell the reputation contract.
    ReputationUnavailable,
    /// Token, treasury or reputation would be this contract itself.
    OwnAccount,
    /// Who sits in the committee in office keeps the minimum in.
    Seated,
    /// The operator has asked to be replaced already, or has no stake.
    CannotResign,
    /// The treasury or a judge would be the account whose key is zeros: anybody can sign for it.
    Nobody,
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

impl From<JudgementError> for StakingError {
    fn from(error: JudgementError) -> Self {
        match error {
            JudgementError::UnknownSeat => Self::UnknownSeat,
            JudgementError::NotInOrder => Self::NotInOrder,
        }
    }
}

/// What contracts that settle a feed call.
#[ink::trait_definition]
pub trait Judged {
    /// Who is in office, with what weight; with an epoch, of that one, if it is in office or was the
    /// one before until a day ago.
    #[ink(message)]
    fn electorate(&self, epoch: Option<u32>) -> Electorate;

    /// Punishes seats of a committee, in office or the one before, for how far they were off in a
    /// slot of the caller's feed of `kind`, whose report was of `time_ms`. Only listed judges may.
    /// `deviations` name every seat that was heard. Nobody pays unless a quorum was within
    /// tolerance (of awards: as many as are surely more than may lie, nine of sixteen), nor twice
    /// in an hour but for what is worse, nor for a committee before that one: its slots are passed over.
    ///
    /// # Errors
    /// [`StakingError::NotJudge`], [`StakingError::NoTerms`], [`StakingError::TooMany`],
    /// [`StakingError::UnknownEpoch`], [`StakingError::UnknownSeat`],
    /// [`StakingError::NotInOrder`], [`StakingError::ReputationUnavailable`],
    /// [`StakingError::TokenRefused`].
    ///
    /// # Events
    /// `Slashed` for each penalty.
    #[ink(message)]
    fn report_deviations(
        &mut self,
        kind: ReportKind,
        slot: u64,
        time_ms: u64,
        epoch: u32,
        deviations: Vec<Deviation>,
    ) -> Result<(), StakingError>;
}

/// Stake, penalties, standing.
#[ink::trait_definition]
pub trait Staking {
    /// Sets the rules. Only the owner may. The first act at once; every other set is announced, in
    /// place of what was announced before, and is in force after twice the unbonding delay.
    ///
    /// # Errors
    /// [`StakingError::NotOwner`], [`StakingError::OwnAccount`], [`StakingError::Nobody`],
    /// [`StakingError::Fixed`], [`StakingError::TooMany`], [`StakingError::Parameters`].
    ///
    /// # Events
    /// `TermsSet`.
    #[ink(message)]
    fn set_terms(&mut self, terms: StakingTerms) -> Result<(), StakingError>;

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

    /// Asks to be replaced. Voice, weight and duty stay until a change of committee; the rules in
    /// force now stay those of the caller, until all his stake is out.
    ///
    /// # Errors
    /// [`StakingError::NoTerms`], [`StakingError::CannotResign`].
    ///
    /// # Events
    /// `Resigned`.
    #[ink(message)]
    fn resign(&mut self) -> Result<(), StakingError>;

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

    /// Punishes a seat that attested two reports of one slot. Anybody may bring the proof, and gets
    /// 5 % of the penalty.
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

    /// Punishes a seat that signed two values for one slot and time. Anybody may bring the proof,
    /// and gets 5 % of the penalty.
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

    /// The rules in force; none before the owner set them.
    #[ink(message)]
    fn terms(&self) -> Option<StakingTerms>;

    /// The rules that will be in force, if some are announced.
    #[ink(message)]
    fn announced(&self) -> Option<AnnouncedTerms>;

    /// The seats whose signatures do not count, bit `i` for seat `i`: of the committee in office
    /// (`None`, or its epoch) or of the one before, as long as that counts. Who assembles a certificate
    /// leaves them out. 0 for any other epoch.
    #[ink(message)]
    fn barred(&self, epoch: Option<u32>) -> u32;
}
