//! The compute market (`docs/contracts/auction.md`).
//!
//! Before anything else, requesters and providers permit the auction at the escrow contract
//! (`EscrowOperator::set_operator(auction, true)`) and approve the *escrow* contract at the token.

use crate::escrow::EscrowError;
use cicada_core::escrow::Limits;
use cicada_core::hash::Digest;
use cicada_core::market::{
    Assignment, AuctionStatus, HandOver, InvalidTerms, Offer, OfferRecord, Parameters, Request,
    RequestRecord, Success, Unqualified,
};
use cicada_core::name::Name;
use cicada_core::prices::Prices;
use cicada_core::sla::QualityReport;
use ink::primitives::AccountId;

/// Why a message of the auction is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[allow(clippy::cast_possible_truncation)] // in the derived code
pub enum AuctionError {
    /// There is no request, offer or assignment of this number.
    NotFound,
    /// The caller has no part in this.
    NotAllowed,
    /// The terms, the report, the payload or the stars are not acceptable.
    Invalid(InvalidTerms),
    /// The offer does not get the request.
    Unqualified(Unqualified),
    /// The first in line go first: `assign_next`.
    LineWaiting,
    /// The line is not served yet: it still takes accepts.
    LineOpen,
    /// The provider stands in line already.
    AlreadyWaiting,
    /// The line is full of providers with as many points or more.
    LineFull,
    /// It is closed already.
    AlreadyClosed,
    /// Its time is not over yet, and it is not full.
    StillOpen,
    /// Not where the assignment stands now.
    WrongStatus,
    /// The time for this is over.
    TooLate,
    /// Payload and salt do not open the request's commitment.
    WrongOpening,
    /// The assignment's escrow has not ended.
    NotEnded,
    /// The caller has given his stars already.
    AlreadyRated,
    /// The escrow contract refused.
    Escrow(EscrowError),
    /// The escrow contract cannot be called.
    EscrowUnavailable,
    /// The reputation contract cannot be called, or does not let this contract write.
    ReputationUnavailable,
    /// The contract of attested capabilities cannot be called.
    CapabilitiesUnavailable,
}

impl From<InvalidTerms> for AuctionError {
    fn from(error: InvalidTerms) -> Self {
        Self::Invalid(error)
    }
}

impl From<Unqualified> for AuctionError {
    fn from(error: Unqualified) -> Self {
        Self::Unqualified(error)
    }
}

impl From<EscrowError> for AuctionError {
    fn from(error: EscrowError) -> Self {
        Self::Escrow(error)
    }
}

/// What was fixed when the market was made, and the newest numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct MarketInfo {
    /// The PSP22 contract of the money.
    pub token: AccountId,
    /// The contract that holds the money.
    pub escrow: AccountId,
    /// The contract of the scores.
    pub reputation: AccountId,
    /// The contract of attested capabilities.
    pub capabilities: AccountId,
    /// The rest.
    pub parameters: Parameters,
    /// What the escrow contract permits.
    pub limits: Limits,
    /// Requests so far.
    pub requests: u64,
    /// Offers so far.
    pub offers: u64,
    /// Assignments so far.
    pub assignments: u64,
}

/// What requesters and providers do. Numbers of requests, offers and assignments start at 1.
#[ink::trait_definition]
pub trait Auction {
    /// Places a request of the caller's and locks `max_price · units` of his money. Gives its
    /// number.
    ///
    /// # Errors
    /// [`AuctionError::Invalid`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `OrderPlaced`.
    #[ink(message)]
    fn request(&mut self, terms: Request) -> Result<u64, AuctionError>;

    /// Places an offer of the caller's and locks `bond · units` of his money. Gives its number.
    ///
    /// # Errors
    /// [`AuctionError::Invalid`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `OrderPlaced`.
    #[ink(message)]
    fn offer(&mut self, terms: Offer) -> Result<u64, AuctionError>;

    /// Gives the offer up to `units` units of the request, at most what is left of both and at least
    /// an equal part for each place that is left, at the effective price. Each provider gets one
    /// place. The offer's provider may do it, with the least price that he accepts; and
    /// the requester, if the offer is firm (`min_price` is then the offer's, whatever is given).
    /// Gives the number of the assignment; none while accepts only wait in line.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::Unqualified`],
    /// [`AuctionError::Invalid`] for 0 units, [`AuctionError::LineWaiting`],
    /// [`AuctionError::AlreadyWaiting`], [`AuctionError::LineFull`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `Assigned`; or `AcceptQueued`, and `AcceptDropped` for whom it displaces.
    #[ink(message)]
    fn accept(
        &mut self,
        request: u64,
        offer: u64,
        units: u64,
        min_price: u128,
    ) -> Result<Option<u64>, AuctionError>;

    /// Gives units to the first in line who still qualifies; who does not leaves the line.
    /// Anybody may, once the line takes no more. Gives the number of the assignment; none if
    /// nobody in line qualifies any more.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::LineOpen`], [`AuctionError::Unqualified`] with
    /// `RequestClosed`.
    ///
    /// # Events
    /// `Assigned`, and `AcceptDropped` for each who left the line.
    #[ink(message)]
    fn assign_next(&mut self, request: u64) -> Result<Option<u64>, AuctionError>;

    /// Takes back what is unfilled of the caller's request and returns the money locked for it.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::AlreadyClosed`].
    ///
    /// # Events
    /// `OrderClosed`.
    #[ink(message)]
    fn cancel_request(&mut self, request: u64) -> Result<(), AuctionError>;

    /// Takes back what is unfilled of the caller's offer and returns its bond.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::AlreadyClosed`].
    ///
    /// # Events
    /// `OrderClosed`.
    #[ink(message)]
    fn cancel_offer(&mut self, offer: u64) -> Result<(), AuctionError>;

    /// Returns the money of a request whose auction has ended, and of which nothing can come back,
    /// to its requester. Anybody may; the end of its last job does it too.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::AlreadyClosed`], [`AuctionError::StillOpen`].
    ///
    /// # Events
    /// `OrderClosed`.
    #[ink(message)]
    fn close_request(&mut self, request: u64) -> Result<(), AuctionError>;

    /// Returns the bond of what is left of an offer that has expired to its provider. Anybody may.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::AlreadyClosed`], [`AuctionError::StillOpen`].
    ///
    /// # Events
    /// `OrderClosed`.
    #[ink(message)]
    fn close_offer(&mut self, offer: u64) -> Result<(), AuctionError>;

    /// Shows the payload of a private or confidential request to the assigned provider, who must
    /// still have the capability that it needs. Only the requester may, within the time for it. The
    /// time for the job counts from here.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::TooLate`], [`AuctionError::Invalid`], [`AuctionError::Unqualified`],
    /// [`AuctionError::WrongOpening`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn hand_over(&mut self, assignment: u64, payload: HandOver) -> Result<(), AuctionError>;

    /// The provider starts. The response time ends, the execution time begins.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::TooLate`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn start(&mut self, assignment: u64) -> Result<(), AuctionError>;

    /// The provider hands a job back that he has not delivered; its units and its money go back to
    /// the request. Without a mark shortly after the hand-over; later it costs twice the share of
    /// the time that was used of the bond, and from half of the time on reputation.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::TooLate`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn decline(&mut self, assignment: u64) -> Result<(), AuctionError>;

    /// The provider delivers: the digest of the result. What the chain measures too long is taken
    /// off what a release pays.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::TooLate`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn complete(&mut self, assignment: u64, result: Digest) -> Result<(), AuctionError>;

    /// The requester pays, within the review: the amount less the penalties. Without a report he
    /// takes uptime and quality as they are; with one, each that it does not show to be kept is
    /// missed.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::TooLate`], [`AuctionError::Invalid`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn settle(
        &mut self,
        assignment: u64,
        report: Option<QualityReport>,
    ) -> Result<(), AuctionError>;

    /// The requester states, while a dispute runs, what a delivered job missed: taken off what is
    /// paid if nobody decides.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::Invalid`], [`AuctionError::Escrow`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn report(&mut self, assignment: u64, report: QualityReport) -> Result<(), AuctionError>;

    /// Draws the conclusions when the escrow of an assignment has ended otherwise: by a decision
    /// there, a deadline or a dispute. Anybody may.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::WrongStatus`] if that is done already,
    /// [`AuctionError::NotEnded`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn finalize(&mut self, assignment: u64) -> Result<(), AuctionError>;

    /// The caller's 1 to 5 stars for the other side of an ended assignment, once. None where
    /// there was no trade: not delivered, or refunded.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::NotAllowed`], [`AuctionError::WrongStatus`],
    /// [`AuctionError::AlreadyRated`], [`AuctionError::Invalid`],
    /// [`AuctionError::ReputationUnavailable`].
    ///
    /// # Events
    /// `JobAdvanced`.
    #[ink(message)]
    fn feedback(&mut self, assignment: u64, stars: u8) -> Result<(), AuctionError>;
}

/// What everybody may look at.
#[ink::trait_definition]
pub trait AuctionView {
    /// A request, who waits for it included.
    #[ink(message)]
    fn request_of(&self, request: u64) -> Option<RequestRecord>;

    /// An offer.
    #[ink(message)]
    fn offer_of(&self, offer: u64) -> Option<OfferRecord>;

    /// An assignment.
    #[ink(message)]
    fn assignment_of(&self, assignment: u64) -> Option<Assignment>;

    /// What was handed over to the provider of an assignment.
    #[ink(message)]
    fn payload_of(&self, assignment: u64) -> Option<HandOver>;

    /// Where the auction of a request stands now.
    #[ink(message)]
    fn status_of(&self, request: u64) -> Option<AuctionStatus>;

    /// The effective price per unit at which the offer would get the request now, or why not.
    ///
    /// # Errors
    /// [`AuctionError::NotFound`], [`AuctionError::Unqualified`],
    /// [`AuctionError::ReputationUnavailable`], [`AuctionError::CapabilitiesUnavailable`].
    #[ink(message)]
    fn quote(&self, request: u64, offer: u64) -> Result<u128, AuctionError>;

    /// The prices of a task type over the last 24 hourly buckets; none without a settled job.
    #[ink(message)]
    fn prices(&self, task_type: Name) -> Option<Prices>;

    /// How a provider has done in a task type.
    #[ink(message)]
    fn success_of(&self, provider: AccountId, task_type: Name) -> Success;

    /// What was fixed when the market was made, and the newest numbers.
    #[ink(message)]
    fn market(&self) -> MarketInfo;
}
