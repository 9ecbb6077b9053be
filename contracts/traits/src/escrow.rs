//! Money held until a job is done (`docs/contracts/escrow.md`).

use crate::payment::TokenRefused;
use cicada_core::certificate::Signature;
use cicada_core::escrow::{
    AuditEntry, Ballot, Decision, Evidence, Holdings, Limits, Part, Reserve, Summary, Terms,
    Verdict,
};
use cicada_core::hash::Digest;
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;

pub use cicada_core::escrow::{EscrowError, TermsError};

/// Computation that a token may use for a payment, in picoseconds of reference time: ten times what
/// a plain one needs.
pub const PAY_REF_TIME: u64 = 10_000_000_000;
/// Bytes of storage proof that it may use: more than the longest code of a usual chain (256 KiB).
pub const PAY_PROOF_SIZE: u64 = 320 * 1024;

impl From<TokenRefused> for EscrowError {
    fn from(_: TokenRefused) -> Self {
        Self::TokenRefused
    }
}

/// Escrows of two people, and what anybody may do to any escrow.
///
/// A message about an escrow that is not there is [`EscrowError::NotFound`]; every message that
/// succeeds adds an entry to the log of the escrow, with an event `EscrowAdvanced`.
#[ink::trait_definition]
pub trait Escrow {
    /// Makes an escrow without money and gives its number. The requester or the provider.
    ///
    /// # Errors
    /// `NotAllowed`, `Terms`.
    #[ink(message)]
    fn create(&mut self, terms: Terms) -> Result<u64, EscrowError>;

    /// Makes an escrow, locks its money, which the requester must have approved at the token, and
    /// gives its number. The requester. `fund_by_ms` says nothing here.
    ///
    /// # Errors
    /// `NotAllowed`, `Terms`, `TokenRefused`.
    #[ink(message)]
    fn create_funded(&mut self, terms: Terms) -> Result<u64, EscrowError>;

    /// Locks the money, which the requester must have approved at the token, of an escrow with
    /// terms of this digest ([`cicada_core::escrow::terms_digest`]). The requester.
    ///
    /// # Errors
    /// `OtherTerms`, `WrongState`, `NotAllowed`, `TooLate`, `TokenRefused`.
    #[ink(message)]
    fn fund(&mut self, escrow: u64, terms: Digest) -> Result<(), EscrowError>;

    /// Delivers the part in work, whose result has this digest. The provider, where no operator
    /// measures.
    ///
    /// # Errors
    /// `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`.
    #[ink(message)]
    fn complete(&mut self, escrow: u64, milestone: u8, result: Digest) -> Result<(), EscrowError>;

    /// Releases the part, or gives back all that is left. Whom the rule names.
    ///
    /// # Errors
    /// `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`.
    #[ink(message)]
    fn decide(&mut self, escrow: u64, part: Part, decision: Decision) -> Result<(), EscrowError>;

    /// As `decide` by `signer`, who signed the digest of a
    /// [`cicada_core::escrow::SignedDecision`] off line. Anybody.
    ///
    /// # Errors
    /// Those of `decide`, `SignatureExpired`, `StaleNonce`, `BadSignature`.
    #[ink(message)]
    fn decide_signed(
        &mut self,
        escrow: u64,
        part: Part,
        decision: Decision,
        signer: AccountId,
        nonce: u64,
        expires_ms: u64,
        signature: Signature,
    ) -> Result<(), EscrowError>;

    /// Hands a completed part to the arbitrators, with up to 8 pieces of evidence. A party; he
    /// deposits the arbitrators' fee, which he must have approved at the token.
    ///
    /// # Errors
    /// `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`, `TooMuchEvidence`, `WrongCid`,
    /// `TokenRefused`.
    #[ink(message)]
    fn raise_dispute(
        &mut self,
        escrow: u64,
        milestone: u8,
        evidence: Vec<Vec<u8>>,
    ) -> Result<(), EscrowError>;

    /// Adds evidence to a dispute. A party.
    ///
    /// # Errors
    /// `WrongState`, `NotAllowed`, `TooLate`, `TooMuchEvidence`, `WrongCid`.
    #[ink(message)]
    fn add_evidence(&mut self, escrow: u64, cid: Vec<u8>) -> Result<(), EscrowError>;

    /// Votes in the dispute over a part, or changes a vote. An arbitrator.
    ///
    /// # Errors
    /// `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`, `WrongAmount`.
    #[ink(message)]
    fn vote(&mut self, escrow: u64, milestone: u8, verdict: Verdict) -> Result<(), EscrowError>;

    /// Applies the deadline that has passed. Anybody.
    ///
    /// # Errors
    /// `NotDue`.
    #[ink(message)]
    fn expire(&mut self, escrow: u64) -> Result<(), EscrowError>;

    /// Pays the caller what the token refused to pay out to him, or what he earned as an
    /// arbitrator. Gives the amount.
    ///
    /// # Errors
    /// `WrongAmount` if there is nothing, `TokenRefused`.
    ///
    /// # Events
    /// `Claimed`.
    #[ink(message)]
    fn claim(&mut self, token: AccountId) -> Result<u128, EscrowError>;

    /// The terms of an escrow.
    #[ink(message)]
    fn terms(&self, escrow: u64) -> Option<Terms>;

    /// The decisions that wait for others to agree; in and after a dispute, the votes.
    #[ink(message)]
    fn votes(&self, escrow: u64) -> Vec<Ballot>;

    /// The evidence of both sides about a part, in order.
    #[ink(message)]
    fn evidence(&self, escrow: u64, milestone: u8) -> Vec<Evidence>;

    /// Up to `limit` (at most [`cicada_core::escrow::MAX_PAGE`]) entries of the log from `from` on.
    #[ink(message)]
    fn audit(&self, escrow: u64, from: u32, limit: u32) -> Vec<AuditEntry>;

    /// The nonce of a signer's last signed decision about an escrow; 0 before the first.
    #[ink(message)]
    fn nonce(&self, escrow: u64, signer: AccountId) -> u64;

    /// What this contract holds of an account: its reserves, the escrows that it funds, deposits.
    #[ink(message)]
    fn locked(&self, owner: AccountId, token: AccountId) -> u128;

    /// What an account can spend at the token, what is locked here, and what it can claim.
    ///
    /// # Errors
    /// `TokenRefused` if the token does not answer.
    #[ink(message)]
    fn holdings(&self, owner: AccountId, token: AccountId) -> Result<Holdings, EscrowError>;

    /// How many escrows there are; their numbers are 0 to one less.
    #[ink(message)]
    fn count(&self) -> u64;

    /// What all terms must lie within.
    #[ink(message)]
    fn limits(&self) -> Limits;

    /// The genesis hash that signed decisions and logs bind.
    #[ink(message)]
    fn genesis(&self) -> Digest;
}

/// Escrows run by an operator: a contract, such as the compute market, whom both parties have
/// permitted to act for them.
#[ink::trait_definition]
pub trait EscrowOperator {
    /// Permits or forbids a contract to act for the caller: to lock the caller's money in
    /// reserves and to run escrows in which the caller is a party. Escrows and reserves that
    /// exist are not touched.
    ///
    /// # Events
    /// `OperatorSet`.
    #[ink(message)]
    fn set_operator(&mut self, operator: AccountId, allowed: bool) -> Result<(), EscrowError>;

    /// Whether `operator` may act for `owner`.
    #[ink(message)]
    fn is_operator(&self, owner: AccountId, operator: AccountId) -> bool;

    /// Locks `amount` of `owner`'s `token` for the caller, who must be his operator. Gives the
    /// number of the reserve. The owner must have approved this contract at the token.
    ///
    /// # Errors
    /// `NotAllowed`, `WrongAmount` for 0, `TokenRefused`.
    ///
    /// # Events
    /// `ReserveOpened`.
    #[ink(message)]
    fn reserve(
        &mut self,
        owner: AccountId,
        token: AccountId,
        amount: u128,
    ) -> Result<u64, EscrowError>;

    /// Pays from a reserve. Only its operator may. An amount of 0 succeeds and does nothing. What
    /// the token refuses is credited.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`, `ReserveTooSmall`.
    ///
    /// # Events
    /// `ReserveSpent`.
    #[ink(message)]
    fn spend(&mut self, reserve: u64, to: AccountId, amount: u128) -> Result<(), EscrowError>;

    /// Closes a reserve and pays its owner what is left of it, which it gives. Only its operator
    /// may. What escrows drawn from it give back later goes to the owner too.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`.
    ///
    /// # Events
    /// `ReserveSpent`.
    #[ink(message)]
    fn close_reserve(&mut self, reserve: u64) -> Result<u128, EscrowError>;

    /// Makes a funded escrow from a reserve of the requester, run by the caller. Only the
    /// reserve's operator may, and the provider must have permitted him too. `fund_by_ms` says
    /// nothing here. Gives the number of the escrow.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed` (also if requester or token are not the reserve's), `Terms`,
    /// `ReserveTooSmall`.
    ///
    /// # Events
    /// `ReserveSpent`, `EscrowAdvanced`.
    #[ink(message)]
    fn draw(&mut self, reserve: u64, terms: Terms) -> Result<u64, EscrowError>;

    /// The provider has completed the part in work. Of what it pays, `deduction` goes to the
    /// requester (at most the part's amount). Only the escrow's operator may.
    ///
    /// # Errors
    /// `NotFound`, `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`, `WrongAmount`.
    #[ink(message)]
    fn complete_for(
        &mut self,
        escrow: u64,
        milestone: u8,
        result: Digest,
        deduction: u128,
    ) -> Result<(), EscrowError>;

    /// Of what the part in dispute pays if nobody decides, `deduction` goes to the requester (at
    /// most the part's amount), if that is more than at its completion. Only the escrow's
    /// operator may.
    ///
    /// # Errors
    /// `NotFound`, `WrongState`, `WrongPart`, `NotAllowed`, `TooLate`, `WrongAmount`.
    #[ink(message)]
    fn report(&mut self, escrow: u64, milestone: u8, deduction: u128) -> Result<(), EscrowError>;

    /// Pays all that is left: `provider_share` to the provider, the rest to the requester. Not in
    /// a dispute. Only the escrow's operator may. After the deadline of completion it may only
    /// give everything back; after the review window nothing.
    ///
    /// # Errors
    /// `NotFound`, `WrongState`, `NotAllowed`, `TooLate`, `WrongAmount`.
    #[ink(message)]
    fn settle(&mut self, escrow: u64, provider_share: u128) -> Result<(), EscrowError>;

    /// A reserve.
    #[ink(message)]
    fn reserve_of(&self, reserve: u64) -> Option<Reserve>;

    /// An escrow as others see it.
    #[ink(message)]
    fn summary(&self, escrow: u64) -> Option<Summary>;
}
