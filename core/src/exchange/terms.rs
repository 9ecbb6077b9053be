//! What the owner of the exchange sets, within which bounds, and when it acts.

use super::ExchangeError;
use crate::fixed::BPS;
use parity_scale_codec::{Decode, Encode};

/// The shortest time in which a quote can be fresh: 10 minutes, in milliseconds. Below it, the time
/// from an observation to the block that trades at it would silence the market maker.
pub const MIN_QUOTE_AGE_MS: u64 = 600_000;
/// The longest: 7 days.
pub const MAX_QUOTE_AGE_MS: u64 = 604_800_000;
/// How long before it acts a change or a withdrawal is announced: a day, in milliseconds.
pub const NOTICE_MS: u64 = 86_400_000;

/// How long before it acts the end of a pause is announced, and how long trading is open then before it
/// can be paused again: 2 hours, in milliseconds. Whatever one party traded before the pause or first
/// after it, is forgotten before the next.
pub const RESUME_MS: u64 = 7_200_000;

/// What the market maker risks on each framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Limits {
    /// The most tokens of a framework that may exist; with 0 the market maker only buys back.
    pub max_outstanding: u128,
    /// The most that new tokens may come to be worth, and the most that it pays for tokens, within any
    /// hour: bps of the reserve, 10 to 1,000.
    pub hourly_bps: u16,
    /// The most of that for one account: bps, 1,000 to 10,000.
    pub account_bps: u16,
}

impl Limits {
    /// A hundredth of the reserve an hour and side, a quarter of it for one account; and as many
    /// tokens as a reserve of 25,000,000 MMC buys back at 50,000 points.
    pub const DEFAULT: Self =
        Self { max_outstanding: 500_000, hourly_bps: 100, account_bps: 2_500 };
}

/// What the owner sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct MakerTerms {
    /// The age from which on a quote is stale, in milliseconds: 600,000 to 604,800,000.
    pub max_quote_age_ms: u64,
    /// What the market maker risks on each framework.
    pub limits: Limits,
}

impl MakerTerms {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `InvalidTerms`.
    pub fn check(&self) -> Result<(), ExchangeError> {
        let Limits { hourly_bps, account_bps, .. } = self.limits;
        let in_range = (MIN_QUOTE_AGE_MS..=MAX_QUOTE_AGE_MS).contains(&self.max_quote_age_ms)
            && (10..=1_000).contains(&hourly_bps)
            && (1_000..=10_000).contains(&account_bps);
        in_range.then_some(()).ok_or(ExchangeError::InvalidTerms)
    }
}

/// Terms that will act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct NextTerms {
    /// What they are.
    pub terms: MakerTerms,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
}

/// The terms of now, and those that were announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Schedule {
    /// What acts.
    pub present: MakerTerms,
    /// What will; none if nothing was announced.
    pub next: Option<NextTerms>,
}

impl Schedule {
    /// Terms that act from the start.
    ///
    /// # Errors
    /// `InvalidTerms`.
    pub fn new(present: MakerTerms) -> Result<Self, ExchangeError> {
        present.check()?;
        Ok(Self { present, next: None })
    }

    /// The schedule as it is at a time.
    pub fn at(self, now_ms: u64) -> Self {
        match self.next {
            Some(next) if next.from_ms <= now_ms => Self { present: next.terms, next: None },
            _ => self,
        }
    }

    /// Forgets what was announced and does not act yet.
    pub fn forget(&mut self, now_ms: u64) {
        *self = Self { next: None, ..self.at(now_ms) };
    }

    /// Announces terms in place of others that do not act yet; from when on they act.
    ///
    /// # Errors
    /// `InvalidTerms`.
    pub fn announce(&mut self, terms: MakerTerms, now_ms: u64) -> Result<u64, ExchangeError> {
        terms.check()?;
        let from_ms = now_ms.saturating_add(NOTICE_MS);
        *self = Self { next: Some(NextTerms { terms, from_ms }), ..self.at(now_ms) };
        Ok(from_ms)
    }
}

/// Whether trading is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Gate {
    /// From when on it is, in milliseconds since 1970; none while the end of a pause is not announced.
    pub open_from_ms: Option<u64>,
}

impl Gate {
    /// Open from the start.
    pub const OPEN: Self = Self { open_from_ms: Some(0) };

    /// Whether trading is open at a time.
    pub fn is_open(self, now_ms: u64) -> bool {
        self.open_from_ms.is_some_and(|from_ms| from_ms <= now_ms)
    }

    /// Pauses trading at once, or takes back that a pause will end; whether anything changes.
    ///
    /// # Errors
    /// `TooEarly` within [`RESUME_MS`] after a pause.
    pub fn pause(&mut self, now_ms: u64) -> Result<bool, ExchangeError> {
        let settled =
            |from_ms: u64| now_ms < from_ms || now_ms.saturating_sub(from_ms) >= RESUME_MS;
        if !self.open_from_ms.is_none_or(settled) {
            return Err(ExchangeError::TooEarly);
        }
        Ok(self.open_from_ms.take().is_some())
    }

    /// Announces the end of a pause; from when on trading is open, unless that was known.
    pub fn resume(&mut self, now_ms: u64) -> Option<u64> {
        if self.open_from_ms.is_none() {
            self.open_from_ms = Some(now_ms.saturating_add(RESUME_MS));
            return self.open_from_ms;
        }
        None
    }
}

/// `amount · bps / 10,000`, rounded down; `bps` at most 10,000.
#[inline(never)]
pub fn share_floor(amount: u128, bps: u16) -> u128 {
    // In two parts, neither of which overflows.
    let part = |amount: u128| amount.saturating_mul(bps.into());
    let (whole, rest) = (amount / BPS, amount % BPS);
    part(whole).saturating_add(part(rest) / BPS)
}
