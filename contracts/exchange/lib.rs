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
        PauseChanged, TermsChanged, Traded, Withdrawn,
    };
    use cicada_core::exchange::maker::MAX_QUOTE_AGE_MS;
    use cicada_core::exchange::{Level, Limits, Market, Order, Side, Trade};
    use cicada_core::quote::{Framework, Quote};
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
        /// contract of MMC, `token_code` the code of performance tokens, `max_quote_age_ms` 1 to
        /// 604,800,000 milliseconds.
        ///
        /// # Errors
        /// [`ExchangeError::InvalidTerms`].
        #[ink(constructor)]
        pub fn new(
            currency: AccountId,
            leaderboard: AccountId,
            token_code: [u8; 32],
            max_quote_age_ms: u64,
            limits: Limits,
        ) -> Result<Self, ExchangeError> {
            check_age(max_quote_age_ms)?;
            let terms = ExchangeTerms {
                currency,
                leaderboard,
                token_code,
                max_quote_age_ms,
                limits,
                paused: false,
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

    fn check_age(max_quote_age_ms: u64) -> Result<(), ExchangeError> {
        if (1..=MAX_QUOTE_AGE_MS).contains(&max_quote_age_ms) {
            Ok(())
        } else {
            Err(ExchangeError::InvalidTerms)
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

        /// Fills resting orders that the quote has reached.
        #[ink(message)]
        fn fill_orders(&mut self, framework: Framework) -> Result<u32, ExchangeError> {
            finish(self.desk().fill_orders(&framework))
        }

        /// Adds to a reserve.
        #[ink(message)]
        fn deposit(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
            finish(self.desk().deposit(framework, amount))
        }

        /// Takes out of a reserve. The owner.
        #[ink(message)]
        fn withdraw(&mut self, framework: Framework, amount: u128) -> Result<(), ExchangeError> {
            let allowed = self.ensure_owner();
            finish(allowed.and_then(|()| self.desk().withdraw(framework, amount)))
        }

        /// Changes what the market maker risks. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_terms(
            &mut self,
            max_quote_age_ms: u64,
            limits: Limits,
        ) -> Result<(), ExchangeError> {
            self.ensure_owner()?;
            check_age(max_quote_age_ms)?;
            let terms = &mut self.terms.0;
            (terms.max_quote_age_ms, terms.limits) = (max_quote_age_ms, limits);
            self.env().emit_event(TermsChanged { max_quote_age_ms, limits });
            Ok(())
        }

        /// Stops or resumes trading. The owner.
        #[ink(message)]
        #[inline(never)]
        fn set_paused(&mut self, paused: bool) -> Result<(), ExchangeError> {
            self.ensure_owner()?;
            if self.terms.0.paused != paused {
                self.terms.0.paused = paused;
                self.env().emit_event(PauseChanged { paused });
            }
            Ok(())
        }

        /// The parameters.
        #[ink(message)]
        fn terms(&self) -> ExchangeTerms {
            tell(&self.terms)
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
                owner: resting.owner,
                framework,
                side: resting.side,
                price: resting.price(),
                amount: resting.amount,
            }))
        }

        /// Tokens traded in the last 24 hourly buckets.
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
