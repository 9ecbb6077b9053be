//! Performance tokens at the quotes of the newest leaderboard, and a book of orders
//! (`docs/contracts/exchange.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod calls;
pub mod cells;
mod desk;
pub mod events;

#[ink::contract]
pub mod exchange {
    use crate::cells::{find_market, find_name, find_order, finish, tell, Cell, Orders};
    use crate::desk::{now, Desk};
    pub use crate::events::{
        Deposited, MarketListed, OrderCancelled, OrderPlaced, OwnershipAccepted, OwnershipProposed,
        PauseChanged, TermsAnnounced, Traded, WithdrawalAnnounced, Withdrawn,
    };
    use cicada_core::exchange::{Gate, Level, MakerTerms, Market, Order, Schedule, Side, Trade};
    use cicada_core::quote::{Framework, Quote};
    use cicada_core::Account;
    use cicada_traits::exchange::{Exchange, ExchangeError, ExchangeTerms, Placed, MAX_PAGE};
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::stored::Stored;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The exchange.
    #[ink(storage)]
    pub struct ExchangeContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        terms: Stored<ExchangeTerms>,
        /// Used through `cells::Cells` alone, so that the modules need no contract.
        cells: Mapping<Cell, Vec<u8>, ManualKey<0x4345_4c4c>>,
    }

    impl ExchangeContract {
        /// An exchange without markets. The caller is owner and market maker. `currency` is the
        /// contract of MMC, `token_code` the code of performance tokens.
        ///
        /// # Errors
        /// [`ExchangeError::InvalidTerms`].
        #[ink(constructor)]
        pub fn new(
            currency: AccountId,
            leaderboard: AccountId,
            token_code: [u8; 32],
            maker: MakerTerms,
        ) -> Result<Self, ExchangeError> {
            let terms = ExchangeTerms {
                currency,
                leaderboard,
                token_code,
                maker: Schedule::new(maker)?,
                gate: Gate::OPEN,
                markets: 0,
            };
            let owner = Self::env().caller();
            Ok(Self { owner, proposed_owner: None, terms: Stored(terms), cells: Mapping::new() })
        }

        fn desk(&self) -> Desk<'_> {
            Desk(&self.terms.0)
        }

        #[inline(never)]
        fn ensure_owner(&self) -> Result<(), ExchangeError> {
            if self.env().caller() == self.owner {
                Ok(())
            } else {
                Err(ExchangeError::NotOwner)
            }
        }
    }

    impl Exchange for ExchangeContract {
        /// Opens the market of a framework.
        #[ink(message)]
        #[inline(never)]
        fn list(&mut self, framework: Framework) -> Result<AccountId, ExchangeError> {
            let token = self.desk().list(&framework)?;
            // Each is a paid transaction with a contract of its own.
            self.terms.0.markets = self.terms.0.markets.saturating_add(1);
            Ok(token)
        }

        /// Buys, all or nothing.
        #[ink(message)]
        fn buy(
            &mut self,
            framework: Framework,
            amount: u128,
            max_cost: u128,
            deadline_ms: u64,
        ) -> Result<Trade, ExchangeError> {
            finish(self.desk().trade(Side::Buy, &framework, amount, max_cost, deadline_ms))
        }

        /// Sells, all or nothing.
        #[ink(message)]
        fn sell(
            &mut self,
            framework: Framework,
            amount: u128,
            min_proceeds: u128,
            deadline_ms: u64,
        ) -> Result<Trade, ExchangeError> {
            finish(self.desk().trade(Side::Sell, &framework, amount, min_proceeds, deadline_ms))
        }

        /// Trades what a limit allows, and leaves the rest in the book.
        #[ink(message)]
        fn place(
            &mut self,
            framework: Framework,
            side: Side,
            price: u128,
            amount: u128,
            deadline_ms: u64,
        ) -> Result<Placed, ExchangeError> {
            finish(self.desk().place(&framework, side, price, amount, deadline_ms))
        }

        /// Takes an order out of the book. Its owner.
        #[ink(message)]
        fn cancel(&mut self, order: u64) -> Result<u128, ExchangeError> {
            finish(self.desk().cancel(order))
        }

        /// Has the market maker fill a resting order.
        #[ink(message)]
        fn fill_order(&mut self, order: u64) -> Result<u128, ExchangeError> {
            finish(self.desk().fill_order(order))
        }

        /// Adds to a reserve.
        #[ink(message)]
        fn deposit(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
            finish(self.desk().deposit(framework, amount))
        }

        /// Announces a withdrawal. The owner.
        #[ink(message)]
        fn announce_withdrawal(
            &mut self,
            framework: Framework,
            amount: u128,
        ) -> Result<u64, ExchangeError> {
            let allowed = self.ensure_owner();
            finish(allowed.and_then(|()| self.desk().announce(framework, amount)))
        }

        /// Takes what was announced out of a reserve. The owner.
        #[ink(message)]
        fn withdraw(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
            let allowed = self.ensure_owner();
            finish(allowed.and_then(|()| self.desk().withdraw(framework, amount)))
        }

        /// Announces what the market maker will risk. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_terms(&mut self, terms: MakerTerms) -> Result<u64, ExchangeError> {
            self.ensure_owner()?;
            self.desk().ensure_open()?;
            let from_ms = self.terms.0.maker.announce(terms, now())?;
            self.env().emit_event(TermsAnnounced { terms, from_ms });
            Ok(from_ms)
        }

        /// Pauses trading, or announces that it is resumed. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_paused(&mut self, paused: bool) -> Result<(), ExchangeError> {
            self.ensure_owner()?;
            let now = now();
            let terms = &mut self.terms.0;
            let from_ms = if paused {
                terms.maker.forget(now);
                terms.gate.pause(now)?.then_some(now)
            } else {
                terms.gate.resume(now)
            };
            if let Some(from_ms) = from_ms {
                self.env().emit_event(PauseChanged { paused, from_ms });
            }
            Ok(())
        }

        /// The parameters.
        #[ink(message)]
        fn terms(&self) -> ExchangeTerms {
            let terms = self.terms.0;
            tell(&ExchangeTerms { maker: terms.maker.at(now()), ..terms })
        }

        /// Listed frameworks.
        #[ink(message)]
        fn frameworks(&self, from: u32, limit: u32) -> Vec<Framework> {
            let end = from.saturating_add(limit.min(MAX_PAGE)).min(self.terms.0.markets);
            let names: Vec<Framework> = (from..end).filter_map(find_name).collect();
            tell(&names)
        }

        /// The market of a framework.
        #[ink(message)]
        fn market(&self, framework: Framework) -> Option<Market> {
            tell(&find_market(&framework).ok().map(|market| market.view(now())))
        }

        /// The quote at which the market maker trades now.
        #[ink(message)]
        fn quote(&self, framework: Framework) -> Result<Quote, ExchangeError> {
            finish(self.desk().quote(&framework))
        }

        /// How many tokens the market maker trades now with an account.
        #[ink(message)]
        fn room(
            &self,
            framework: Framework,
            side: Side,
            account: AccountId,
        ) -> Result<u128, ExchangeError> {
            finish(self.desk().room(&framework, side, &Account::of(&account)))
        }

        /// The best price levels of one side of the book.
        #[ink(message)]
        fn depth(&self, framework: Framework, side: Side, limit: u32) -> Vec<Level> {
            let levels = find_market(&framework).map(|mut market| {
                let mut orders = Orders { market: market.id, side };
                market.book(side, &mut orders).levels(limit)
            });
            tell(&levels.unwrap_or_default())
        }

        /// A resting order.
        #[ink(message)]
        fn order(&self, order: u64) -> Option<Order> {
            let found = find_order(order).ok();
            tell(&found.map(|(resting, framework)| Order {
                owner: Account(resting.owner.0),
                framework,
                side: resting.side,
                price: resting.price(),
                amount: resting.amount,
            }))
        }

        /// Tokens traded with the market maker in the last 24 hourly buckets.
        #[ink(message)]
        fn volume_24h(&self, framework: Framework) -> u128 {
            tell(&find_market(&framework).map_or(0, |market| market.volume.sum(now())))
        }
    }

    impl Ownable for ExchangeContract {
        /// The owner.
        #[ink(message)]
        fn owner(&self) -> AccountId {
            self.owner
        }

        /// Offers ownership to an account. The owner.
        #[ink(message)]
        #[inline(never)]
        fn propose_owner(&mut self, account: AccountId) -> Result<(), OwnableError> {
            if self.env().caller() != self.owner {
                return Err(OwnableError::NotOwner);
            }
            self.proposed_owner = Some(account);
            self.env().emit_event(OwnershipProposed { owner: self.owner, proposed: account });
            Ok(())
        }

        /// Takes the ownership that was offered to the caller.
        #[ink(message)]
        #[inline(never)]
        fn accept_ownership(&mut self) -> Result<(), OwnableError> {
            let caller = self.env().caller();
            if self.proposed_owner != Some(caller) {
                return Err(OwnableError::NotProposed);
            }
            self.proposed_owner = None;
            self.owner = caller;
            self.env().emit_event(OwnershipAccepted { owner: caller });
            Ok(())
        }
    }
}
