//! What the market maker has and risks on one framework.

use super::terms::{share_floor, Limits, NOTICE_MS};
use super::window::{LastHour, Peak};
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
    /// From when on, in milliseconds since 1970; until [`WITHDRAWAL_MS`] later.
    pub from_ms: u64,
}

impl Withdrawal {
    /// Whether the time is over in which it can be taken.
    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms.checked_sub(self.from_ms).is_some_and(|waited| waited >= WITHDRAWAL_MS)
    }

    /// Whether it was announced before a time.
    fn is_before(&self, time_ms: u64) -> bool {
        self.from_ms.saturating_sub(NOTICE_MS) < time_ms
    }
}

/// The newest bid that is known, of whatever age.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Base units of MMC; 0 if there is none.
    pub bid: u128,
    /// Whether the market maker trades at it. Otherwise what was seen before is not forgotten.
    pub fresh: bool,
}

/// How many tokens of so much each `money` is enough for.
fn tokens(money: u128, each: u128) -> u128 {
    money.checked_div(each).unwrap_or(0)
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

/// Where the market maker stands towards one side.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Base units of MMC with which it buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// The highest bid that was seen lately.
    pub peak_bid: u128,
    /// What the trades of the last hour on this side count, in base units of MMC.
    pub lately: u128,
}

impl Position {
    /// How many tokens can be created so that the reserve still buys all back at the highest bid
    /// that was seen lately; none without a reserve.
    #[inline(never)]
    fn creatable(&self, price: u128) -> u128 {
        let bound = value(self.peak_bid, self.outstanding).ok();
        let Some(spare) = bound.and_then(|bound| self.reserve.checked_sub(bound)) else { return 0 };
        match self.peak_bid.checked_sub(price) {
            _ if self.reserve == 0 => 0,
            // Each brings less than it may be worth.
            Some(missing) if missing > 0 => spare.checked_div(missing).unwrap_or(0),
            _ => u128::MAX,
        }
    }
}

impl Offer {
    /// The offer at a quote to who trades on this side; none at a score of 0.
    pub fn new(side: Side, quote: &Quote, limits: Limits, now_ms: u64) -> Option<Self> {
        Some(Self { price: side.quoted(quote)?, bid: quote.bid, limits, now_ms })
    }

    /// What a token counts in an hour, base units of MMC. One that is sold: what is paid for it. One
    /// that is bought: what it may come to be worth, however little it costs now; that is the highest
    /// bid that was seen lately, and no less than its part of the reserve if all existed that may.
    #[inline(never)]
    fn weight(&self, side: Side, at: &Position) -> u128 {
        match side {
            Side::Buy => {
                let part = at.reserve.checked_div(self.limits.max_outstanding).unwrap_or(0);
                self.price.max(at.peak_bid).max(part)
            }
            Side::Sell => self.price,
        }
    }

    /// The most that may count within an hour, base units of MMC: in all, and of one account.
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

    /// How many tokens are traded now with all accounts on this side together.
    #[inline(never)]
    pub fn room(&self, side: Side, at: &Position) -> u128 {
        let most = match side {
            Side::Buy => {
                // Below zero after the owner lowered the limit: then none.
                let more = self.limits.max_outstanding.saturating_sub(at.outstanding);
                more.min(at.creatable(self.price))
            }
            Side::Sell => at.outstanding.min(tokens(at.reserve, self.price)),
        };
        let (all, _) = self.hourly(side, at.reserve);
        most.min(tokens(all.saturating_sub(at.lately), self.weight(side, at)))
    }
}

/// The market maker's side of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Maker {
    /// Base units of MMC with which it buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// What the tokens that it sold count, base units of MMC.
    pub risked: LastHour,
    /// Base units of MMC that it paid for tokens.
    pub paid: LastHour,
    /// The highest bids that were seen lately.
    pub peak: Peak,
    /// What the owner announced to take out.
    pub withdrawal: Option<Withdrawal>,
}

impl Maker {
    fn position(&self, side: Side, offer: &Offer) -> Position {
        let hour = match side {
            Side::Buy => &self.risked,
            Side::Sell => &self.paid,
        };
        Position {
            reserve: self.reserve,
            outstanding: self.outstanding,
            peak_bid: self.peak.highest(offer.now_ms).max(offer.bid),
            lately: hour.sum(offer.now_ms),
        }
    }

    /// How many tokens it trades now with an account on this side, whose trades of the last hour count
    /// `account`.
    #[inline(never)]
    pub fn room(&self, side: Side, offer: &Offer, account: &LastHour) -> u128 {
        let (_, each) = offer.hourly(side, self.reserve);
        let left = each.saturating_sub(account.sum(offer.now_ms));
        let position = self.position(side, offer);
        offer.room(side, &position).min(tokens(left, offer.weight(side, &position)))
    }

    /// Why it trades no more.
    pub fn shortage(&self, side: Side, offer: &Offer) -> ExchangeError {
        let short = match side {
            Side::Buy => self.position(side, offer).creatable(offer.price) == 0,
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
        let counted = value(offer.weight(side, &self.position(side, offer)), amount)?;
        let value = value(offer.price, amount)?;
        let hour = match side {
            Side::Buy => {
                grow(&mut self.reserve, value)?;
                grow(&mut self.outstanding, amount)?;
                &mut self.risked
            }
            Side::Sell => {
                shrink(&mut self.reserve, value)?;
                shrink(&mut self.outstanding, amount)?;
                &mut self.paid
            }
        };
        hour.record(offer.now_ms, counted);
        account.record(offer.now_ms, counted);
        self.peak.raise(offer.now_ms, offer.bid);
        Ok(value)
    }

    /// The bid at which the reserve must buy all tokens back: the newest, and the highest that was seen
    /// in the last seven days, or in those before what was seen last if there is no fresh one.
    #[inline(never)]
    fn owed(&mut self, look: Look, now_ms: u64) -> u128 {
        if look.fresh {
            self.peak.raise(now_ms, look.bid);
        }
        self.peak.highest_then().max(look.bid)
    }

    /// Announces a withdrawal in place of another, after a look at the bid; from when on it can be taken.
    pub fn announce(&mut self, look: Look, amount: u128, now_ms: u64) -> u64 {
        let from_ms = now_ms.saturating_add(NOTICE_MS);
        self.withdrawal = Some(Withdrawal { amount, from_ms });
        let _ = self.owed(look, now_ms);
        from_ms
    }

    /// Takes `amount` of what was announced since `open_from_ms` out of the reserve, of which enough stays
    /// to buy all tokens back.
    ///
    /// # Errors
    /// `NotAnnounced`, `TooEarly`, `InsufficientReserve`, `Math`.
    #[inline(never)]
    pub fn withdraw(
        &mut self,
        look: Look,
        amount: u128,
        open_from_ms: u64,
        now_ms: u64,
    ) -> Result<(), ExchangeError> {
        let announced = self.withdrawal.as_mut().ok_or(ExchangeError::NotAnnounced)?;
        if announced.is_over(now_ms) || announced.is_before(open_from_ms) {
            return Err(ExchangeError::NotAnnounced);
        }
        if now_ms < announced.from_ms {
            return Err(ExchangeError::TooEarly);
        }
        shrink(&mut announced.amount, amount).map_err(|_| ExchangeError::NotAnnounced)?;
        let bound = value(self.owed(look, now_ms), self.outstanding)?;
        let mut free = self.reserve;
        let enough = shrink(&mut free, bound).and_then(|()| shrink(&mut free, amount));
        enough.map_err(|_| ExchangeError::InsufficientReserve)?;
        shrink(&mut self.reserve, amount)
    }
}
