//! The compute market: requests, offers, first-accept auctions, service levels (`docs/contracts/auction.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod auction {
    /// The state.
    #[ink(storage)]
    pub struct AuctionContract {
        owner: AccountId,
    }

    impl AuctionContract {
        /// Creates it.
        #[ink(constructor)]
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self {
            Self { owner: Self::env().caller() }
        }

        /// The owner.
        #[ink(message)]
        pub fn owner(&self) -> AccountId {
            self.owner
        }
    }
}
