//! What the market maker risks: statements about its money, and the edges of its limits.

use super::maker::{value, Look, Maker, Offer, LEAST_TOKENS, WITHDRAWAL_MS};
use super::terms::{share_floor, Gate, MIN_QUOTE_AGE_MS, NOTICE_MS, RESUME_MS};
use super::window::{LastHour, Peak, DAY_MS};
use super::{ExchangeError, Limits, MakerTerms, Schedule, Side};
use crate::prices::HOUR_MS;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const LIMITS: Limits = Limits { max_outstanding: u128::MAX, hourly_bps: 100, account_bps: 2_500 };

fn offer(side: Side, score: u128, now_ms: u64) -> Offer {
    let (bid, ask) = (990 * score, 1_010 * score);
    let price = if side == Side::Buy { ask } else { bid };
    Offer { price, bid, limits: LIMITS, now_ms }
}

/// Whether the reserve buys all tokens back at this bid.
fn solvent(maker: &Maker, bid: u128) -> bool {
    value(bid, maker.outstanding).is_ok_and(|all| all <= maker.reserve)
}

/// A market maker with this reserve, and how much of it each account used, by side.
struct Market {
    maker: Maker,
    hours: BTreeMap<(u8, Side), LastHour>,
}

impl Market {
    fn new(reserve: u128) -> Self {
        Self { maker: Maker { reserve, ..Maker::default() }, hours: BTreeMap::new() }
    }

    fn room(&self, who: u8, side: Side, offer: &Offer) -> u128 {
        let hour = self.hours.get(&(who, side)).cloned().unwrap_or_default();
        self.maker.room(side, offer, &hour)
    }

    /// Trades up to so many tokens; their value.
    fn trade(&mut self, who: u8, side: Side, offer: &Offer, most: u128) -> u128 {
        let amount = self.room(who, side, offer).min(most);
        let hour = self.hours.entry((who, side)).or_default();
        self.maker.trade(side, offer, amount, hour).unwrap()
    }
}

#[test]
fn an_hour_takes_a_hundredth_of_the_reserve_and_an_account_a_quarter_of_it() {
    // The example of the source: 1,000 at 50.5 MMC of a reserve of 25,000,000.
    let mut market = Market::new(25_000_000_000_000);
    let buy = offer(Side::Buy, 50_000, HOUR_MS);
    assert_eq!(market.room(1, Side::Buy, &buy), 62_500_000_000 / 50_500_000);
    assert_eq!(market.trade(1, Side::Buy, &buy, 1_000), 50_500_000_000);
    assert_eq!(market.trade(1, Side::Buy, &buy, 10_000), 240 * 50_500_000);
    assert_eq!(market.room(1, Side::Buy, &buy), 0);
    assert_eq!(market.maker.shortage(Side::Buy, &buy), ExchangeError::LimitReached);
    for who in 2..6 {
        let _ = market.trade(who, Side::Buy, &buy, u128::MAX);
    }
    assert!(market.maker.risked.sum(HOUR_MS) > 249_900_000_000);
    assert!(market.room(9, Side::Buy, &buy) < 60, "what the purchases added to the reserve");
    // What a quote of another time or score changes: nothing. What an hour and ten minutes do: all.
    let later = offer(Side::Buy, 50_000, 2 * HOUR_MS - 1);
    assert!(market.room(9, Side::Buy, &later) < 60);
    let later = offer(Side::Buy, 50_000, 2 * HOUR_MS + 600_000);
    assert_eq!(market.trade(1, Side::Buy, &later, 1_000), 50_500_000_000);
}

#[test]
fn without_a_reserve_it_does_not_trade() {
    let mut market = Market::new(0);
    let buy = offer(Side::Buy, 50_000, 5);
    assert_eq!(market.room(1, Side::Buy, &buy), 0);
    assert_eq!(market.maker.shortage(Side::Buy, &buy), ExchangeError::InsufficientReserve);
    market.maker.outstanding = 10;
    let sell = offer(Side::Sell, 50_000, 5);
    assert_eq!(market.room(1, Side::Sell, &sell), 0);
    assert_eq!(market.maker.shortage(Side::Sell, &sell), ExchangeError::InsufficientReserve);
}

#[test]
fn what_it_could_not_buy_back_it_does_not_create() {
    let mut market = Market::new(1_000_000_000_000);
    market.maker.outstanding = 20_000;
    // 20,000 at 49.5 are less than the million, at 50.49 more.
    assert!(market.room(1, Side::Buy, &offer(Side::Buy, 50_000, 5)) > 0);
    let risen = offer(Side::Buy, 51_000, 5);
    assert_eq!(market.room(1, Side::Buy, &risen), 0);
    assert_eq!(market.maker.shortage(Side::Buy, &risen), ExchangeError::InsufficientReserve);
    assert!(market.room(1, Side::Sell, &offer(Side::Sell, 51_000, 5)) > 0);
    // A value beyond 128 bits cannot be paid either.
    let beyond = Offer { bid: u128::MAX, ..risen };
    assert_eq!(market.room(1, Side::Buy, &beyond), 0);
}

/// With what `deploy exchange` puts into a reserve, and its limits.
const FILLED: u128 = 25_000_000_000_000;

fn by_default(side: Side, score: u128, now_ms: u64) -> Offer {
    Offer { limits: Limits::DEFAULT, ..offer(side, score, now_ms) }
}

#[test]
fn what_an_hour_sells_is_a_hundredth_of_the_reserve_at_whatever_score_it_is_sold() {
    for score in [1, 100, 1_000, 20_000, 50_000] {
        let mut market = Market::new(FILLED);
        let buy = by_default(Side::Buy, score, HOUR_MS);
        let _ = market.trade(0, Side::Buy, &buy, u128::MAX);
        assert!(market.maker.outstanding * 49_500_000 <= FILLED / 400, "of one, at {score}");
        for who in 1..50 {
            let _ = market.trade(who, Side::Buy, &buy, u128::MAX);
        }
        // A hundredth of all tokens that may exist: at 50,000 points all are worth the reserve. And a
        // hundredth of what the purchases brought.
        assert!(market.maker.outstanding <= 5_050, "{} at {score}", market.maker.outstanding);
        assert_eq!(market.maker.shortage(Side::Buy, &buy), ExchangeError::LimitReached);
    }
    // A score beyond that counts itself.
    let market = Market::new(FILLED);
    let dear = market.room(0, Side::Buy, &by_default(Side::Buy, 500_000, HOUR_MS));
    assert_eq!(dear, FILLED / 400 / 505_000_000);
}

#[test]
fn a_score_that_falls_for_an_hour_gives_an_hours_room_at_the_price_before() {
    let mut market = Market::new(FILLED);
    market.maker.outstanding = 10_000;
    let _ = market.trade(1, Side::Sell, &by_default(Side::Sell, 200_000, 5), 1);
    // 198 MMC were bid for each: as much counts what is bought at 0.00101.
    for who in 0..50 {
        let _ = market.trade(who, Side::Buy, &by_default(Side::Buy, 1, HOUR_MS), u128::MAX);
    }
    let sold = market.maker.outstanding - 9_999;
    assert!(sold * 198_000_000 <= FILLED / 100 && sold > 1_200, "{sold}");
}

#[test]
fn a_score_that_stays_low_gives_no_more_tokens_than_the_highest_of_the_week_covers() {
    // Of a million MMC 10,000 tokens at 49.5 are bound; 505,000 MMC are free for 10,202 more of them.
    let mut market = Market::new(1_000_000_000_000);
    market.maker.outstanding = 10_000;
    let _ = market.trade(1, Side::Sell, &offer(Side::Sell, 50_000, 5), 1);
    let fallen = |now_ms| offer(Side::Buy, 1, now_ms);
    let mut now_ms = 5;
    for _ in 0..100 {
        for who in 0..5 {
            let _ = market.trade(who, Side::Buy, &fallen(now_ms), u128::MAX);
        }
        now_ms += HOUR_MS + 600_000;
    }
    assert_eq!(market.maker.outstanding, 9_999 + 10_202);
    assert!(solvent(&market.maker, 49_500_000));
    let why = market.maker.shortage(Side::Buy, &fallen(now_ms));
    assert_eq!(why, ExchangeError::InsufficientReserve);
    // On the eighth day it is the price, a hundredth of the reserve an hour.
    assert_eq!(market.room(99, Side::Buy, &fallen(8 * DAY_MS - 1)), 0);
    assert!(market.room(99, Side::Buy, &fallen(8 * DAY_MS)) > 1_000_000);
}

#[test]
fn a_peak_is_the_highest_of_today_and_seven_days_before() {
    let mut peak = Peak::default();
    for (day, bid) in [(0, 500), (1, 400), (1, 300), (5, 450), (8, 100)] {
        peak.raise(day * DAY_MS + 7, bid);
    }
    let found = [8, 12, 13, 15, 16].map(|day| peak.highest(day * DAY_MS));
    assert_eq!(found, [450, 450, 100, 100, 0]);
    assert_eq!(peak.highest_then(), 450, "as on day 8");
}

#[test]
fn the_last_tokens_are_bought_back_one_by_one() {
    // The owner left just what 50 tokens cost: a quarter of a hundredth of it is no token.
    let sell = |now_ms| offer(Side::Sell, 50_000, now_ms);
    let mut market = Market::new(50 * sell(0).price);
    market.maker.outstanding = 50;
    let mut now_ms = HOUR_MS;
    while market.maker.outstanding > 0 {
        let before = market.maker.outstanding;
        for who in 0..9 {
            let _ = market.trade(who, Side::Sell, &sell(now_ms), u128::MAX);
        }
        assert_eq!(before - market.maker.outstanding, LEAST_TOKENS.min(before));
        now_ms += HOUR_MS + 600_000;
    }
    assert_eq!(market.maker.reserve, 0);
}

const NEVER: u64 = 0;

fn fresh(bid: u128) -> Look {
    Look { bid, fresh: true }
}

#[test]
fn a_withdrawal_is_announced_a_day_before_and_leaves_what_all_tokens_are_worth() {
    let mut maker = Maker { reserve: 1_000, outstanding: 9, ..Maker::default() };
    let take = |maker: &Maker, bid, amount, now_ms| {
        maker.clone().withdraw(fresh(bid), amount, NEVER, now_ms)
    };
    assert_eq!(take(&maker, 100, 1, 0), Err(ExchangeError::NotAnnounced));
    assert_eq!(maker.announce(fresh(100), 500, 7), 7 + NOTICE_MS);
    let due = 7 + NOTICE_MS;
    assert_eq!(take(&maker, 100, 1, due - 1), Err(ExchangeError::TooEarly));
    assert_eq!(take(&maker, 100, 501, due), Err(ExchangeError::NotAnnounced));
    assert_eq!(take(&maker, 100, 101, due), Err(ExchangeError::InsufficientReserve));
    // A bid that has fallen since frees nothing, one that has risen binds more.
    assert_eq!(take(&maker, 1, 101, due), Err(ExchangeError::InsufficientReserve));
    assert_eq!(take(&maker, 101, 92, due), Err(ExchangeError::InsufficientReserve));
    assert_eq!(take(&maker, 101, 91, due), Ok(()));
    // Nor does announcing again while it is low.
    let mut again = maker.clone();
    let later = again.announce(fresh(1), 900, due);
    assert_eq!(take(&again, 1, 101, later), Err(ExchangeError::InsufficientReserve));
    assert_eq!(take(&again, 1, 100, later), Ok(()));
    let late = due + WITHDRAWAL_MS;
    assert_eq!(take(&maker, 100, 1, late), Err(ExchangeError::NotAnnounced));
    // What was announced before trading was opened anew is forgotten, in time or not.
    assert_eq!(maker.clone().withdraw(fresh(100), 1, 8, due), Err(ExchangeError::NotAnnounced));
    assert_eq!(maker.clone().withdraw(fresh(100), 1, 7, due), Ok(()));
    assert_eq!(maker.withdraw(fresh(100), 60, NEVER, late - 1), Ok(()));
    assert_eq!(maker.withdraw(fresh(100), 40, NEVER, late - 1), Ok(()));
    assert_eq!((maker.reserve, maker.withdrawal.unwrap().amount), (900, 400));
    let beyond = take(&maker, u128::MAX, 1, due);
    assert!(matches!(beyond, Err(ExchangeError::Math(_))), "{beyond:?}");
}

#[test]
fn without_a_fresh_bid_what_was_seen_last_binds_however_long_ago() {
    let mut market = Market::new(1_000_000_000_000);
    let _ = market.trade(1, Side::Buy, &offer(Side::Buy, 50_000, HOUR_MS), 1);
    let (long, reserve) = (400 * DAY_MS, market.maker.reserve);
    let none = Look { bid: 0, fresh: false };
    let due = market.maker.announce(none, reserve, long);
    let take = |look, amount| market.maker.clone().withdraw(look, amount, NEVER, due);
    assert_eq!(take(none, reserve - 49_500_000), Ok(()));
    let short = Err(ExchangeError::InsufficientReserve);
    assert_eq!(take(none, reserve - 49_499_999), short);
    // A newer bid that is stale binds too if it is higher, and frees nothing if it is lower.
    let stale = |bid| Look { bid, fresh: false };
    assert_eq!(take(stale(60_000_000), reserve - 59_999_999), short);
    assert_eq!(take(stale(60_000_000), reserve - 60_000_000), Ok(()));
    assert_eq!(take(stale(7), reserve - 49_499_999), short);
    assert_eq!(take(fresh(7), reserve - 7), Ok(()));
}

#[test]
fn a_bid_that_was_nearly_as_high_yesterday_binds_when_the_highest_is_a_week_old() {
    let mut market = Market::new(1_000_000_000_000);
    let _ = market.trade(1, Side::Buy, &offer(Side::Buy, 50_001, 0), 10);
    for day in 1..=7 {
        let _ = market.trade(1, Side::Buy, &offer(Side::Buy, 50_000, day * DAY_MS), 1);
    }
    let (reserve, outstanding) = (market.maker.reserve, market.maker.outstanding);
    let due = market.maker.announce(fresh(49_500_000), reserve, 8 * DAY_MS);
    let free = reserve - outstanding * 49_500_000;
    let take = |amount| market.maker.clone().withdraw(fresh(990), amount, NEVER, due);
    assert_eq!(take(free + 1), Err(ExchangeError::InsufficientReserve));
    assert_eq!(take(free), Ok(()));
}

#[test]
fn a_pause_begins_at_once_and_its_end_is_announced() {
    let mut gate = Gate::OPEN;
    assert!(gate.is_open(5) && gate.resume(5).is_none(), "it is open");
    let now = 10 * RESUME_MS;
    assert_eq!((gate.pause(now), gate.is_open(now)), (Ok(true), false));
    assert_eq!((gate.pause(now), gate.is_open(u64::MAX)), (Ok(false), false));
    let open = now + RESUME_MS;
    assert_eq!((gate.resume(now), gate.resume(now + 1)), (Some(open), None));
    assert!(!gate.is_open(open - 1) && gate.is_open(open));
    // Until then it can be taken back, after it for a while not.
    let mut back = gate;
    assert_eq!((back.pause(open - 1), back), (Ok(true), Gate { open_from_ms: None }));
    for now in [open, open + RESUME_MS - 1] {
        assert_eq!((gate.pause(now), gate.is_open(now)), (Err(ExchangeError::TooEarly), true));
    }
    assert_eq!((gate.pause(open + RESUME_MS), gate.open_from_ms), (Ok(true), None));
}

#[test]
fn terms_have_ranges_and_act_after_a_day() {
    let terms = |age, hourly_bps, account_bps| MakerTerms {
        max_quote_age_ms: age,
        limits: Limits { max_outstanding: 0, hourly_bps, account_bps },
    };
    let age = MIN_QUOTE_AGE_MS;
    for good in [terms(age, 10, 1_000), terms(604_800_000, 1_000, 10_000)] {
        assert!(Schedule::new(good).is_ok());
    }
    for bad in [
        terms(age - 1, 100, 2_500),
        terms(604_800_001, 100, 2_500),
        terms(age, 9, 2_500),
        terms(age, 1_001, 2_500),
        terms(age, 100, 999),
        terms(age, 100, 10_001),
    ] {
        assert_eq!(Schedule::new(bad), Err(ExchangeError::InvalidTerms));
    }
    let (first, second, third) =
        (terms(age, 10, 1_000), terms(age, 20, 1_000), terms(age, 30, 1_000));
    let mut schedule = Schedule::new(first).unwrap();
    assert_eq!(schedule.announce(terms(0, 0, 0), 5), Err(ExchangeError::InvalidTerms));
    assert_eq!(schedule.announce(second, 5), Ok(5 + NOTICE_MS));
    assert_eq!(schedule.at(4 + NOTICE_MS).present, first);
    assert_eq!(schedule.at(5 + NOTICE_MS).present, second);
    // Another announcement begins its own day, whether the one before acts already or not.
    let mut early = schedule;
    assert_eq!(early.announce(third, 6), Ok(6 + NOTICE_MS));
    assert_eq!((early.at(5 + NOTICE_MS).present, early.at(6 + NOTICE_MS).present), (first, third));
    assert_eq!(schedule.announce(third, 5 + NOTICE_MS), Ok(5 + 2 * NOTICE_MS));
    assert_eq!(schedule.at(6 + NOTICE_MS).present, second);
    assert_eq!(schedule.at(u64::MAX).present, third);
    schedule.forget(6 + NOTICE_MS);
    assert_eq!((schedule.present, schedule.next), (second, None));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Trade { who: u8, side: Side, most: u128 },
    Score(u128),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Up to 200 steps, the waits of which are 4 days at most in all.
    let side = any::<bool>().prop_map(|buys| if buys { Side::Buy } else { Side::Sell });
    let step = prop_oneof![
        6 => (0..9_u8, side, 1..60_u128).prop_map(|(who, side, most)| Step::Trade { who, side, most }),
        1 => prop_oneof![1..90_000_u128, 1..100_u128].prop_map(Step::Score),
        1 => (0..HOUR_MS / 2).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// None of these statements mentions how the limits are kept.
    #[test]
    fn within_an_hour_it_gives_and_takes_no_more_than_its_share(
        reserve in 1..2_000_000_000_000_u128,
        steps in steps(),
    ) {
        let mut market = Market::new(reserve);
        let (mut score, mut now_ms, mut peak) = (50_000, HOUR_MS, 0);
        // Time, account and side of each trade, and its value: of tokens that were bought, what they
        // were worth at the highest bid by then; the reserve before it, and what a token was.
        let mut trades: Vec<(u64, u8, Side, u128, u128, u128)> = vec![];
        for step in steps {
            match step {
                Step::Score(next) => score = next,
                Step::Wait(ms) => now_ms += ms,
                Step::Trade { who, side, most } => {
                    let offer = offer(side, score, now_ms);
                    // The runs are much shorter than a week.
                    peak = peak.max(offer.bid);
                    let before = market.maker.clone();
                    let mut value = market.trade(who, side, &offer, most);
                    let after = &market.maker;
                    if side == Side::Buy {
                        value = value.max((after.outstanding - before.outstanding) * peak);
                    }
                    trades.push((now_ms, who, side, value, before.reserve, offer.price));
                    // What it could buy back, it still can; what it could not, it creates none of.
                    for bid in [offer.bid, peak] {
                        prop_assert!(!solvent(&before, bid) || solvent(after, bid));
                        prop_assert!(solvent(&before, bid) || after.outstanding <= before.outstanding);
                    }
                }
            }
            for side in [Side::Buy, Side::Sell] {
                let hour: Vec<_> =
                    trades.iter().filter(|trade| trade.2 == side && now_ms - trade.0 < HOUR_MS).collect();
                let all: u128 = hour.iter().map(|trade| trade.3).sum();
                let reserve = hour.iter().map(|trade| trade.4).max().unwrap_or(0);
                let price = hour.iter().map(|trade| trade.5).max().unwrap_or(0);
                let least = if side == Side::Sell { LEAST_TOKENS * price } else { 0 };
                let most = share_floor(reserve, 100).max(least);
                prop_assert!(all <= most, "{side:?}: {all} of {reserve}");
                for who in 0..9 {
                    let one: u128 = hour.iter().filter(|trade| trade.1 == who).map(|trade| trade.3).sum();
                    let least = if side == Side::Sell { price } else { 0 };
                    prop_assert!(one <= share_floor(most, 2_500).max(least), "{who} {side:?}: {one}");
                }
            }
        }
    }

    #[test]
    fn a_share_is_that_of_exact_numbers(amount: u128, bps in 0..=10_000_u16) {
        let exact = crate::fixed::mul_div_floor(amount, bps.into(), 10_000);
        prop_assert_eq!(Ok(share_floor(amount, bps)), exact);
    }
}
