//! The pool in which the index token is traded (`docs/contracts/pair.md`).
//!
//! Nobody owns it and nothing stops it. Its shares are a token, this contract itself.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod events;
mod shares;

#[ink::contract]
pub mod pair {
    pub use crate::events::{Approval, LiquidityAdded, LiquidityRemoved, Swapped, Transfer};
    use crate::shares::{self, Entry};
    use cicada_core::pair::{Deposit, PairError as PoolError, Pool, PriceSum, Side, MAX_FEE_BPS};
    use cicada_traits::pair::{Pair, PairError};
    use cicada_traits::payment;
    use cicada_traits::psp22::{PSP22Error, PSP22Metadata, PSP22};
    use cicada_traits::stored::Stored;
    use ink::env::ReturnFlags;
    use ink::prelude::string::String;
    use ink::prelude::vec::Vec;
    use ink::scale::Encode;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;
    use ink::MessageResult;

    /// Decimals of a share: between those of the two tokens, 18 and 9, of whose product shares are
    /// the root. For the eye alone.
    const DECIMALS: u8 = 13;

    /// The state of one pool.
    #[ink(storage)]
    pub struct PairContract {
        token_a: AccountId,
        token_b: AccountId,
        fee_bps: u16,
        pool: Stored<Pool>,
        prices: Stored<PriceSum>,
        ledger: Mapping<Entry, u128, ManualKey<0x5348_4152>>,
    }

    /// Ends a message that changed nothing but the ledger with this answer: returning would write
    /// the root again. Only with what the message's own `Ok` would encode to.
    fn reply<T: Encode>(answer: T) -> ! {
        ink::env::return_value(ReturnFlags::empty(), &MessageResult::Ok(answer))
    }

    /// [`reply`] of the messages of the standard.
    fn finish() -> ! {
        reply(Ok::<(), ()>(()))
    }

    impl PairContract {
        /// An empty pool. `token_a` is the index token, whose price is told in `token_b`, TAO;
        /// `fee_bps` (0 to 100) is taken of what is paid in, and stays in the pool.
        ///
        /// # Errors
        /// [`PairError::SameToken`], [`PairError::Pool`] with `FeeTooHigh`.
        #[ink(constructor)]
        pub fn new(
            token_a: AccountId,
            token_b: AccountId,
            fee_bps: u16,
        ) -> Result<Self, PairError> {
            if token_a == token_b {
                return Err(PairError::SameToken);
            }
            if u128::from(fee_bps) > MAX_FEE_BPS {
                return Err(PoolError::FeeTooHigh.into());
            }
            Ok(Self {
                token_a,
                token_b,
                fee_bps,
                pool: Stored(Pool::default()),
                prices: Stored(PriceSum::default()),
                ledger: Mapping::new(),
            })
        }

        /// Exactly at the deadline it is too late.
        #[inline(never)]
        fn in_time(&self, deadline_ms: u64) -> Result<(), PairError> {
            if self.env().block_timestamp() >= deadline_ms {
                return Err(PairError::TooLate);
            }
            Ok(())
        }

        /// Replaces the pool, after the price that stood until now was summed.
        #[inline(never)]
        fn update(&mut self, pool: Pool) {
            self.prices = Stored(self.prices.0.at(&self.pool.0, self.env().block_timestamp()));
            self.pool = Stored(pool);
        }

        /// Where a token stands, and which is the other.
        #[inline(never)]
        fn side(&self, token: AccountId) -> Result<(Side, AccountId), PairError> {
            if token == self.token_a {
                return Ok((Side::A, self.token_b));
            }
            if token == self.token_b {
                return Ok((Side::B, self.token_a));
            }
            Err(PairError::UnknownToken)
        }

        /// A trade whose amounts are decided.
        #[inline(never)]
        fn trade(
            &mut self,
            token_in: AccountId,
            amount_in: u128,
            amount_out: u128,
        ) -> Result<(), PairError> {
            let (side, token_out) = self.side(token_in)?;
            let pool = self.pool.0.after_trade(side, amount_in, amount_out)?;
            let trader = self.env().caller();
            self.update(pool);
            self.env().emit_event(Swapped {
                trader,
                token_in,
                amount_in,
                amount_out,
                reserve_a: pool.a,
                reserve_b: pool.b,
            });
            payment::pull(token_in, trader, self.env().account_id(), amount_in)?;
            Ok(payment::pay(token_out, trader, amount_out)?)
        }

        /// What the contract holds of a token beyond its reserve.
        #[inline(never)]
        fn surplus(&self, token: AccountId, reserve: u128) -> Result<u128, PairError> {
            let held = payment::balance(token, self.env().account_id())?;
            // Less than the reserve, if the token lies: then there is none.
            Ok(held.saturating_sub(reserve))
        }
    }

    /// No share was created that the pool's rules did not give, and none is given back that is not
    /// there: the standard's only error here.
    fn lacking(_: PSP22Error) -> PairError {
        PairError::InsufficientShares
    }

    impl Pair for PairContract {
        /// Deposits both tokens for shares.
        #[ink(message)]
        #[inline(never)]
        fn add_liquidity(
            &mut self,
            max_a: u128,
            max_b: u128,
            min_shares: u128,
            deadline_ms: u64,
        ) -> Result<Deposit, PairError> {
            self.in_time(deadline_ms)?;
            let deposit = self.pool.0.deposit(max_a, max_b)?;
            if deposit.shares < min_shares {
                return Err(PairError::TooLittle);
            }
            let (provider, this) = (self.env().caller(), self.env().account_id());
            let pool = self.pool.0.after_deposit(&deposit)?;
            self.update(pool);
            if deposit.locked != 0 {
                // This contract moves no shares of its own: they are locked for ever.
                shares::shift(&mut self.ledger, None, Some(this), deposit.locked)
                    .map_err(lacking)?;
            }
            shares::shift(&mut self.ledger, None, Some(provider), deposit.shares)
                .map_err(lacking)?;
            self.env().emit_event(LiquidityAdded {
                provider,
                amount_a: deposit.a,
                amount_b: deposit.b,
                shares: deposit.shares,
                reserve_a: pool.a,
                reserve_b: pool.b,
            });
            payment::pull(self.token_a, provider, this, deposit.a)?;
            payment::pull(self.token_b, provider, this, deposit.b)?;
            Ok(deposit)
        }

        /// Gives shares back for both tokens.
        #[ink(message)]
        #[inline(never)]
        fn remove_liquidity(
            &mut self,
            shares: u128,
            min_a: u128,
            min_b: u128,
            deadline_ms: u64,
        ) -> Result<(u128, u128), PairError> {
            self.in_time(deadline_ms)?;
            let provider = self.env().caller();
            if shares > self.balance_of(provider) {
                return Err(PairError::InsufficientShares);
            }
            let (amount_a, amount_b) = self.pool.0.withdrawal_floor(shares)?;
            if amount_a < min_a || amount_b < min_b {
                return Err(PairError::TooLittle);
            }
            let pool = self.pool.0.after_withdrawal(shares, amount_a, amount_b)?;
            self.update(pool);
            shares::shift(&mut self.ledger, Some(provider), None, shares).map_err(lacking)?;
            self.env().emit_event(LiquidityRemoved {
                provider,
                amount_a,
                amount_b,
                shares,
                reserve_a: pool.a,
                reserve_b: pool.b,
            });
            payment::pay(self.token_a, provider, amount_a)?;
            payment::pay(self.token_b, provider, amount_b)?;
            Ok((amount_a, amount_b))
        }

        /// Sells an exact amount.
        #[ink(message)]
        #[inline(never)]
        fn swap_exact_in(
            &mut self,
            token_in: AccountId,
            amount_in: u128,
            min_out: u128,
            deadline_ms: u64,
        ) -> Result<u128, PairError> {
            self.in_time(deadline_ms)?;
            let amount_out = self.quote_out(token_in, amount_in)?;
            if amount_out < min_out {
                return Err(PairError::TooLittle);
            }
            self.trade(token_in, amount_in, amount_out)?;
            Ok(amount_out)
        }

        /// Buys an exact amount.
        #[ink(message)]
        #[inline(never)]
        fn swap_exact_out(
            &mut self,
            token_in: AccountId,
            max_in: u128,
            amount_out: u128,
            deadline_ms: u64,
        ) -> Result<u128, PairError> {
            self.in_time(deadline_ms)?;
            let amount_in = self.quote_in(token_in, amount_out)?;
            if amount_in > max_in {
                return Err(PairError::TooMuch);
            }
            self.trade(token_in, amount_in, amount_out)?;
            Ok(amount_in)
        }

        /// Pays what is here beyond the reserves to an account.
        #[ink(message)]
        #[inline(never)]
        fn skim(&mut self, to: AccountId) -> Result<(u128, u128), PairError> {
            let pool = self.pool.0;
            let amount_a = self.surplus(self.token_a, pool.a)?;
            let amount_b = self.surplus(self.token_b, pool.b)?;
            payment::pay(self.token_a, to, amount_a)?;
            payment::pay(self.token_b, to, amount_b)?;
            Ok((amount_a, amount_b))
        }

        /// The index token and TAO.
        #[ink(message)]
        fn tokens(&self) -> (AccountId, AccountId) {
            (self.token_a, self.token_b)
        }

        /// The fee of a trade.
        #[ink(message)]
        fn fee_bps(&self) -> u16 {
            self.fee_bps
        }

        /// The reserves and the shares in them.
        #[ink(message)]
        fn reserves(&self) -> Pool {
            self.pool.0
        }

        /// What an amount would buy.
        #[ink(message)]
        #[inline(never)]
        fn quote_out(&self, token_in: AccountId, amount_in: u128) -> Result<u128, PairError> {
            let (side, _) = self.side(token_in)?;
            Ok(self.pool.0.out_floor(side, amount_in, self.fee_bps.into())?)
        }

        /// What an amount would cost.
        #[ink(message)]
        #[inline(never)]
        fn quote_in(&self, token_in: AccountId, amount_out: u128) -> Result<u128, PairError> {
            let (side, _) = self.side(token_in)?;
            Ok(self.pool.0.in_ceil(side, amount_out, self.fee_bps.into())?)
        }

        /// The price of one index token in TAO.
        #[ink(message)]
        #[inline(never)]
        fn price_e18(&self) -> Result<u128, PairError> {
            Ok(self.pool.0.price_e18_floor()?)
        }

        /// The sum of price and time up to now.
        #[ink(message)]
        #[inline(never)]
        fn cumulative_price(&self) -> PriceSum {
            self.prices.0.at(&self.pool.0, self.env().block_timestamp())
        }
    }

    impl PSP22 for PairContract {
        /// All shares, those locked for ever included.
        #[ink(message)]
        fn total_supply(&self) -> u128 {
            self.pool.0.shares
        }

        /// The shares of an account.
        #[ink(message)]
        fn balance_of(&self, owner: AccountId) -> u128 {
            shares::get(&self.ledger, &Entry::Balance(owner))
        }

        /// What a spender may still move on behalf of an owner.
        #[ink(message)]
        fn allowance(&self, owner: AccountId, spender: AccountId) -> u128 {
            shares::get(&self.ledger, &Entry::Allowance(owner, spender))
        }

        /// Moves shares of the caller.
        #[ink(message)]
        fn transfer(
            &mut self,
            to: AccountId,
            value: u128,
            data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            self.transfer_from(self.env().caller(), to, value, data)
        }

        /// Moves shares of another account that allowed it to the caller.
        #[ink(message)]
        #[inline(never)]
        fn transfer_from(
            &mut self,
            from: AccountId,
            to: AccountId,
            value: u128,
            _data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            if from != to && value != 0 {
                let caller = self.env().caller();
                shares::spend(&mut self.ledger, from, caller, value)?;
                shares::shift(&mut self.ledger, Some(from), Some(to), value)?;
            }
            finish()
        }

        /// Sets what a spender may move on behalf of the caller.
        #[ink(message)]
        fn approve(&mut self, spender: AccountId, value: u128) -> Result<(), PSP22Error> {
            let owner = self.env().caller();
            if owner != spender {
                shares::allow(&mut self.ledger, owner, spender, value);
            }
            finish()
        }

        /// Raises what a spender may move on behalf of the caller.
        #[ink(message)]
        fn increase_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            let owner = self.env().caller();
            if owner != spender && delta_value != 0 {
                // A ceiling, not money: `u128::MAX` already covers all shares there can be.
                let amount = self.allowance(owner, spender).saturating_add(delta_value);
                shares::allow(&mut self.ledger, owner, spender, amount);
            }
            finish()
        }

        /// Lowers what a spender may move on behalf of the caller.
        #[ink(message)]
        fn decrease_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            if delta_value != 0 {
                let owner = self.env().caller();
                shares::spend(&mut self.ledger, owner, spender, delta_value)?;
            }
            finish()
        }
    }

    impl PSP22Metadata for PairContract {
        /// The same for every pool: `tokens` tells them apart.
        #[ink(message)]
        fn token_name(&self) -> Option<String> {
            reply(Some("Cicada pool share"))
        }

        /// The ticker.
        #[ink(message)]
        fn token_symbol(&self) -> Option<String> {
            reply(Some("POOL"))
        }

        /// How many decimals one share has.
        #[ink(message)]
        fn token_decimals(&self) -> u8 {
            DECIMALS
        }
    }
}
