//! Points and metrics of accounts, written by the contracts on its list (`docs/contracts/reputation.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod reputation {
    /// The state.
    #[ink(storage)]
    pub struct ReputationContract {
        owner: AccountId,
    }

    impl ReputationContract {
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
