//! What the market maker has and risks on one framework.

use super::terms::{share_floor, Limits, NOTICE_MS};
use super::window::LastHour;
use super::{ExchangeError, Side};
use crate::fixed::MathError;
use crate::quote::Quote;
use parity_scale_codec::{Decode, Encode};

/// What the market maker pays for within an hour at least, however small its reserve became: one
/// token of each of so many accounts. Nobody is locked in by a limit that is less than a token.
pub const LEAST_TOKENS: u128 = 4;

/// How long an announced withdrawal can be taken once it is due: a day, in milliseconds.
pub const WITHDRAWAL_MS: u64 = 86_400_000;

/// Whether a quote of `time_ms` is fresh: not from the future, and younger than `max_age_ms`.
pub fn is_fresh(time_ms: u64, now_ms: u64, max_age_ms: u64) -> bool {
    now_ms.checked_sub(time_ms).is_some_and(|age| age < max_age_ms)
}

/// `price · amount`, base units of MMC.
///
/// # Errors
/// [`MathError::Overflow`].
#[inline(never)]
pub fn value(price: u128, amount: u128) -> Result<u128, MathError> {
    price.checked_mul(amount).ok_or(MathError::Overflow)
}

/// Adds to an amount where it stands, which is shorter than a sum that is passed on.
///
/// # Errors
/// `Math`.
#[inline(never)]
pub fn grow(amount: &mut u128, by: u128) -> Result<(), ExchangeError> {
    *amount = amount.checked_add(by).ok_or(MathError::Overflow)?;
    Ok(())
}

/// Takes from an amount where it stands.
///
/// # Errors
/// `Math` if it is less.
#[inline(never)]
pub fn shrink(amount: &mut u128, by: u128) -> Result<(), ExchangeError> {
    *amount = amount.checked_sub(by).ok_or(MathError::Overflow)?;
    Ok(())
}

/// A withdrawal from a reserve that the owner announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Withdrawal {
    /// Base units of MMC that may still be taken.
    pub amount: u128,
    /// The bid when it was announced; 0 if no tokens existed.
    pub bid: u128,
    /// From when on, in milliseconds since 1970; until [`WITHDRAWAL_MS`] later.
    pub from_ms: u64,
}

impl Withdrawal {
    /// Whether the time is over in which it can be taken.
    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms.checked_sub(self.from_ms).is_some_and(|waited| waited >= WITHDRAWAL_MS)
    }
}

/// At which prices the market maker trades, and within which limits.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Its price for who is on the other side: the ask for a buyer, the bid for a seller; more than 0.
    pub price: u128,
    /// The bid.
    pub bid: u128,
    /// What it risks.
    pub limits: Limits,
    /// The time.
    pub now_ms: u64,
}

impl Offer {
    /// The offer at a quote to who trades on this side; none at a score of 0.
    pub fn new(side: Side, quote: &Quote, limits: Limits, now_ms: u64) -> Option<Self> {
        Some(Self { price: side.quoted(quote)?, bid: quote.bid, limits, now_ms })
    }

    fn tokens(&self, money: u128) -> u128 {
        money.checked_div(self.price).unwrap_or(0)
    }

    /// The most base units of MMC that are taken or paid within an hour: in all, and of one account.
    #[inline(never)]
    fn hourly(&self, side: Side, reserve: u128) -> (u128, u128) {
        let Limits { hourly_bps, account_bps, .. } = self.limits;
        let all = share_floor(reserve, hourly_bps);
        match side {
            Side::Buy => (all, share_floor(all, account_bps)),
            Side::Sell => {
                let all = all.max(self.price.saturating_mul(LEAST_TOKENS));
                (all, share_floor(all, account_bps).max(self.price))
            }
        }
    }

    /// How many tokens are traded now with all accounts on this side together, after `lately` base
    /// units of MMC in the last hour. None are created that could not be bought back.
    #[inline(never)]
    pub fn room(&self, side: Side, reserve: u128, outstanding: u128, lately: u128) -> u128 {
        let most = match side {
            Side::Buy if !covers(reserve, outstanding, self.bid) => 0,
            // Below zero after the owner lowered the limit: then none.
            Side::Buy => self.limits.max_outstanding.saturating_sub(outstanding),
            Side::Sell => outstanding.min(self.tokens(reserve)),
        };
        let (all, _) = self.hourly(side, reserve);
        most.min(self.tokens(all.saturating_sub(lately)))
    }
}

/// Whether a reserve buys back all tokens at this bid; without a reserve never.
#[inline(never)]
pub fn covers(reserve: u128, outstanding: u128, bid: u128) -> bool {
    reserve > 0 && value(bid, outstanding).is_ok_and(|all| all <= reserve)
}

/// The market maker's side of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Maker {
    /// Base units of MMC with which it buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// Base units of MMC that it took for tokens.
    pub taken: LastHour,
    /// Base units of MMC that it paid for tokens.
    pub paid: LastHour,
    /// What the owner announced to take out.
    pub withdrawal: Option<Withdrawal>,
}

impl Maker {
    /// What it took from buyers, or paid to sellers.
    pub fn last_hour(&self, side: Side) -> &LastHour {
        match side {
            Side::Buy => &self.taken,
            Side::Sell => &self.paid,
        }
    }

    /// How many tokens it trades now with an account on this side, with which it traded `account` in
    /// the last hour.
    #[inline(never)]
    pub fn room(&self, side: Side, offer: &Offer, account: &LastHour) -> u128 {
        let (_, each) = offer.hourly(side, self.reserve);
        let left = each.saturating_sub(account.sum(offer.now_ms));
        let lately = self.last_hour(side).sum(offer.now_ms);
        offer.room(side, self.reserve, self.outstanding, lately).min(offer.tokens(left))
    }

    /// Why it trades no more.
    pub fn shortage(&self, side: Side, offer: &Offer) -> ExchangeError {
        let short = match side {
            Side::Buy => !covers(self.reserve, self.outstanding, offer.bid),
            Side::Sell => self.reserve < offer.price,
        };
        if short {
            ExchangeError::InsufficientReserve
        } else {
            ExchangeError::LimitReached
        }
    }

    /// Trades `amount` with an account on this side; what it costs or yields.
    ///
    /// # Errors
    /// `Math`; the room is the caller's to check.
    #[inline(never)]
    pub fn trade(
        &mut self,
        side: Side,
        offer: &Offer,
        amount: u128,
        account: &mut LastHour,
    ) -> Result<u128, ExchangeError> {
        let value = value(offer.price, amount)?;
        let hour = match side {
            Side::Buy => {
                grow(&mut self.reserve, value)?;
                grow(&mut self.outstanding, amount)?;
                &mut self.taken
            }
            Side::Sell => {
                shrink(&mut self.reserve, value)?;
                shrink(&mut self.outstanding, amount)?;
                &mut self.paid
            }
        };
        hour.record(offer.now_ms, value);
        account.record(offer.now_ms, value);
        Ok(value)
    }

    /// Announces a withdrawal in place of another; from when on it can be taken.
    pub fn announce(&mut self, bid: u128, amount: u128, now_ms: u64) -> u64 {
        let from_ms = now_ms.saturating_add(NOTICE_MS);
        self.withdrawal = Some(Withdrawal { amount, bid, from_ms });
        from_ms
    }

    /// Takes `amount` of what was announced out of the reserve, of which enough stays to buy all
    /// tokens back at `bid` and at the bid of the announcement.
    ///
    /// # Errors
    /// `NotAnnounced`, `TooEarly`, `InsufficientReserve`, `Math`.
    #[inline(never)]
    pub fn withdraw(&mut self, bid: u128, amount: u128, now_ms: u64) -> Result<(), ExchangeError> {
        let announced = self.withdrawal.as_mut().ok_or(ExchangeError::NotAnnounced)?;
        if now_ms < announced.from_ms {
            return Err(ExchangeError::TooEarly);
        }
        if announced.is_over(now_ms) {
            return Err(ExchangeError::NotAnnounced);
        }
        shrink(&mut announced.amount, amount).map_err(|_| ExchangeError::NotAnnounced)?;
        let bound = value(bid.max(announced.bid), self.outstanding)?;
        let mut free = self.reserve;
        let enough = shrink(&mut free, bound).and_then(|()| shrink(&mut free, amount));
        enough.map_err(|_| ExchangeError::InsufficientReserve)?;
        shrink(&mut self.reserve, amount)
    }
}
