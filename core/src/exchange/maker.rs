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

/// How long a bid that was seen binds the reserve, though later ones are lower: 7 days, in
/// milliseconds.
pub const PEAK_MS: u64 = 604_800_000;

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
}

/// The highest bid that was seen lately: what tokens were worth, and may be again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Peak {
    /// Base units of MMC.
    pub bid: u128,
    /// When it was seen last, in milliseconds since 1970.
    seen_ms: u64,
}

impl Peak {
    /// After a look at a bid: one that is lower counts only when the peak is [`PEAK_MS`] old.
    pub fn after(self, bid: u128, now_ms: u64) -> Self {
        let old = now_ms.saturating_sub(self.seen_ms) >= PEAK_MS;
        if bid >= self.bid || old {
            Self { bid, seen_ms: now_ms }
        } else {
            self
        }
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

/// Where the market maker stands towards one side.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Base units of MMC with which it buys tokens back.
    pub reserve: u128,
    /// Tokens that exist.
    pub outstanding: u128,
    /// The highest bid that was seen lately.
    pub peak_bid: u128,
    /// Base units of MMC that it took or paid on this side in the last hour.
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

    /// How many tokens are traded now with all accounts on this side together.
    #[inline(never)]
    pub fn room(&self, side: Side, at: &Position) -> u128 {
        let most = match side {
            Side::Buy => {
                // Below zero after the owner lowered the limit: then none.
                let more = self.limits.max_outstanding.saturating_sub(at.outstanding);
                more.min(at.creatable(self.price))
            }
            Side::Sell => at.outstanding.min(self.tokens(at.reserve)),
        };
        let (all, _) = self.hourly(side, at.reserve);
        most.min(self.tokens(all.saturating_sub(at.lately)))
    }
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
    /// The highest bid that was seen lately.
    pub peak: Peak,
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

    fn position(&self, side: Side, offer: &Offer) -> Position {
        Position {
            reserve: self.reserve,
            outstanding: self.outstanding,
            peak_bid: self.peak.after(offer.bid, offer.now_ms).bid,
            lately: self.last_hour(side).sum(offer.now_ms),
        }
    }

    /// How many tokens it trades now with an account on this side, with which it traded `account` in
    /// the last hour.
    #[inline(never)]
    pub fn room(&self, side: Side, offer: &Offer, account: &LastHour) -> u128 {
        let (_, each) = offer.hourly(side, self.reserve);
        let left = each.saturating_sub(account.sum(offer.now_ms));
        offer.room(side, &self.position(side, offer)).min(offer.tokens(left))
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
        self.peak = self.peak.after(offer.bid, offer.now_ms);
        account.record(offer.now_ms, value);
        Ok(value)
    }

    /// Announces a withdrawal in place of another, at this bid; from when on it can be taken.
    pub fn announce(&mut self, bid: u128, amount: u128, now_ms: u64) -> u64 {
        let from_ms = now_ms.saturating_add(NOTICE_MS);
        self.withdrawal = Some(Withdrawal { amount, from_ms });
        self.peak = self.peak.after(bid, now_ms);
        from_ms
    }

    /// Takes `amount` of what was announced out of the reserve, of which enough stays to buy all
    /// tokens back at `bid` and at the highest that was seen lately.
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
        self.peak = self.peak.after(bid, now_ms);
        let bound = value(self.peak.bid, self.outstanding)?;
        let mut free = self.reserve;
        let enough = shrink(&mut free, bound).and_then(|()| shrink(&mut free, amount));
        enough.map_err(|_| ExchangeError::InsufficientReserve)?;
        shrink(&mut self.reserve, amount)
    }
}
