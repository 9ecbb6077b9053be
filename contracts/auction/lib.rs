//! The compute market: requests, offers, first-accept auctions, service levels (`docs/contracts/auction.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod calls;
pub mod events;
mod jobs;
pub mod market;
mod orders;

#[ink::contract]
pub mod auction {
    use crate::calls::Escrow;
    use crate::market::{
        find_request, finish, newest, now, show, success, tell, window, Cell, Market,
    };
    use crate::orders::{ASSIGNMENTS, OFFERS, REQUESTS};
    use cicada_core::hash::Digest;
    use cicada_core::market::{
        Assignment, AuctionStatus, HandOver, Offer, OfferRecord, Parameters, Request,
        RequestRecord, Success,
    };
    use cicada_core::name::Name;
    use cicada_core::prices::Prices;
    use cicada_core::sla::QualityReport;
    use cicada_core::Account;
    use cicada_traits::auction::{Auction, AuctionError, AuctionView, MarketInfo};
    use cicada_traits::stored::Stored;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The market. It holds no money: that lies in the escrow contract.
    #[ink(storage)]
    pub struct AuctionContract {
        /// Never changes.
        market: Stored<Market>,
        /// Used through `market::Cells` alone, so that the modules need no contract.
        cells: Mapping<Cell, Vec<u8>, ManualKey<0x4345_4c4c>>,
    }

    impl AuctionContract {
        /// A market in this token, with the money at `escrow`, the scores at `reputation`, which
        /// must list this contract among its writers, and attested capabilities at `capabilities`.
        ///
        /// # Errors
        /// [`AuctionError::Invalid`], [`AuctionError::EscrowUnavailable`].
        #[ink(constructor)]
        pub fn new(
            token: AccountId,
            escrow: AccountId,
            reputation: AccountId,
            capabilities: AccountId,
            parameters: Parameters,
        ) -> Result<Self, AuctionError> {
            parameters.check()?;
            let limits = Escrow(escrow).limits()?;
            let market =
                Stored(Market { token, escrow, reputation, capabilities, parameters, limits });
            Ok(Self { market, cells: Mapping::new() })
        }
    }

    impl Auction for AuctionContract {
        /// Places a request and locks its money.
        #[ink(message)]
        fn request(&mut self, terms: Request) -> Result<u64, AuctionError> {
            finish(self.market.0.request(terms))
        }

        /// Places an offer and locks its bond.
        #[ink(message)]
        fn offer(&mut self, terms: Offer) -> Result<u64, AuctionError> {
            finish(self.market.0.offer(terms))
        }

        /// Gives the offer units of the request, or a place in its line.
        #[ink(message)]
        fn accept(
            &mut self,
            request: u64,
            offer: u64,
            units: u64,
            min_price: u128,
        ) -> Result<Option<u64>, AuctionError> {
            finish(self.market.0.accept(request, offer, units, min_price))
        }

        /// Gives units to the first in line who still qualifies.
        #[ink(message)]
        fn assign_next(&mut self, request: u64) -> Result<Option<u64>, AuctionError> {
            finish(self.market.0.assign_next(request))
        }

        /// Takes back what is unfilled of a request. Its requester.
        #[ink(message)]
        fn cancel_request(&mut self, request: u64) -> Result<(), AuctionError> {
            finish(self.market.0.end_request(request, true))
        }

        /// Takes back what is unfilled of an offer. Its provider.
        #[ink(message)]
        fn cancel_offer(&mut self, offer: u64) -> Result<(), AuctionError> {
            finish(self.market.0.end_offer(offer, true))
        }

        /// Returns the money of a request whose auction has ended.
        #[ink(message)]
        fn close_request(&mut self, request: u64) -> Result<(), AuctionError> {
            finish(self.market.0.end_request(request, false))
        }

        /// Returns the bond of an offer that has expired.
        #[ink(message)]
        fn close_offer(&mut self, offer: u64) -> Result<(), AuctionError> {
            finish(self.market.0.end_offer(offer, false))
        }

        /// Shows a private payload to the assigned provider. The requester.
        #[ink(message)]
        fn hand_over(&mut self, assignment: u64, payload: HandOver) -> Result<(), AuctionError> {
            finish(self.market.0.hand_over(assignment, &payload))
        }

        /// Starts the work. The provider.
        #[ink(message)]
        fn start(&mut self, assignment: u64) -> Result<(), AuctionError> {
            finish(self.market.0.start(assignment))
        }

        /// Hands a job back that is not delivered. The provider.
        #[ink(message)]
        fn decline(&mut self, assignment: u64) -> Result<(), AuctionError> {
            finish(self.market.0.decline(assignment))
        }

        /// Delivers the result. The provider.
        #[ink(message)]
        fn complete(&mut self, assignment: u64, result: Digest) -> Result<(), AuctionError> {
            finish(self.market.0.complete(assignment, &result))
        }

        /// Pays, less the penalties. The requester, within the review.
        #[ink(message)]
        fn settle(
            &mut self,
            assignment: u64,
            report: Option<QualityReport>,
        ) -> Result<(), AuctionError> {
            finish(self.market.0.settle(assignment, report))
        }

        /// States what a job in dispute missed. The requester.
        #[ink(message)]
        fn report(&mut self, assignment: u64, report: QualityReport) -> Result<(), AuctionError> {
            finish(self.market.0.report(assignment, report))
        }

        /// Draws the conclusions of an escrow that ended otherwise.
        #[ink(message)]
        fn finalize(&mut self, assignment: u64) -> Result<(), AuctionError> {
            finish(self.market.0.finalize(assignment))
        }

        /// Stars for the other side. Requester and provider, once each.
        #[ink(message)]
        fn feedback(&mut self, assignment: u64, stars: u8) -> Result<(), AuctionError> {
            finish(self.market.0.feedback(assignment, stars))
        }
    }

    impl AuctionView for AuctionContract {
        /// A request, who waits for it included.
        #[ink(message)]
        fn request_of(&self, request: u64) -> Option<RequestRecord> {
            show(Cell::Request(request))
        }

        /// An offer.
        #[ink(message)]
        fn offer_of(&self, offer: u64) -> Option<OfferRecord> {
            show(Cell::Offer(offer))
        }

        /// An assignment.
        #[ink(message)]
        fn assignment_of(&self, assignment: u64) -> Option<Assignment> {
            show(Cell::Assignment(assignment))
        }

        /// What was handed over to the provider of an assignment.
        #[ink(message)]
        fn payload_of(&self, assignment: u64) -> Option<HandOver> {
            show(Cell::Payload(assignment))
        }

        /// Where the auction of a request stands now.
        #[ink(message)]
        fn status_of(&self, request: u64) -> Option<AuctionStatus> {
            tell(&find_request(request).ok().map(|record| record.status(now())))
        }

        /// The effective price at which the offer would get the request now.
        #[ink(message)]
        fn quote(&self, request: u64, offer: u64) -> Result<u128, AuctionError> {
            finish(self.market.0.quote(request, offer))
        }

        /// The prices of a task type over the last 24 hourly buckets.
        #[ink(message)]
        fn prices(&self, task_type: Name) -> Option<Prices> {
            tell(&window(task_type).prices(now()))
        }

        /// How a provider has done in a task type.
        #[ink(message)]
        fn success_of(&self, provider: AccountId, task_type: Name) -> Success {
            tell(&success(Account::of(&provider), task_type))
        }

        /// What was fixed when the market was made, and the newest numbers.
        #[ink(message)]
        fn market(&self) -> MarketInfo {
            // Encoded as a `MarketInfo`.
            let newest = (newest(REQUESTS), newest(OFFERS), newest(ASSIGNMENTS));
            tell(&(self.market.0, newest))
        }
    }
}
