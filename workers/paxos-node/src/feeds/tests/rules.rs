//! How often a feed reports, and how much of it waits for the chain.

use super::*;

impl Bench {
    /// A network that keeps to other rules.
    pub(super) fn under(rules: Rules) -> Self {
        let mut bench = Self::new();
        bench.network.rules = rules;
        bench.restart(true);
        bench
    }

    /// Decides and certifies a value.
    fn certify(&mut self, position: Position, value: &impl Encode) {
        self.feeds.apply(position, &value.encode()).expect("it follows");
        self.feeds.certified(position);
    }

    /// Decides and certifies so many leaderboards, a distance apart; the time of the last.
    fn boards(&mut self, positions: std::ops::RangeInclusive<Position>) -> u64 {
        for position in positions.clone() {
            self.certify(position, &self.board(NOW + position * DISTANCE));
        }
        NOW + positions.end() * DISTANCE
    }

    pub(super) fn wants(&self, value: &impl Encode, wall_ms: u64) -> Result<(), String> {
        self.feeds.wants(&value.encode(), at(wall_ms)).map_err(|Refusal(reason)| reason)
    }
}

const DISTANCE: u64 = 10_000;

/// Those of every network, but for turns and repetitions: `turns.rs` is about them.
fn rules() -> Rules {
    Rules { turn_delay_ms: 0, same_ms: 0, ..Rules::default() }
}

#[test]
fn a_report_comes_its_distance_after_the_one_before_by_its_time_and_by_the_clock() {
    let mut bench = Bench::under(rules());
    bench.certify(1, &bench.board(NOW));
    bench.settled.keep(&[(bench.network.feed(ReportKind::Leaderboard).unwrap(), 1)]);
    let soon = bench.board(NOW + DISTANCE - 1);
    bench.refuses(&soon, NOW + DISTANCE, "9999 ms after the report before it, less than 10000 ms");
    let due = bench.board(NOW + DISTANCE);
    bench.refuses(&due, NOW + DISTANCE - 1, "my clock is 9999 ms after the report before it");
    assert_eq!(bench.check(&due, NOW + DISTANCE), Ok(()));
    // What was decided is applied whatever the clock says.
    assert!(bench.feeds.apply(2, &soon.encode()).is_some());
}

#[test]
fn each_feed_has_its_own_distance() {
    let rules = Rules { backlog: 0, ..rules() };
    let mut bench = Bench::under(rules);
    let list = own_files::entries;
    bench.certify(1, &bench.basket(list(), NOW));
    let due = NOW + 300_000;
    let early = bench.basket(list(), due - 1);
    bench.refuses(&early, due, "less than 300000 ms");
    let words = bench.check(&bench.basket(list(), due), due).expect_err("no file of a validator");
    assert!(words.contains("my validator"), "{words}");
    bench.certify(2, &bench.nav(16, NOW));
    bench.refuses(&bench.nav(16, NOW + 9_999), NOW + 9_999, "less than 10000 ms");
    assert_eq!(bench.check(&bench.seen_nav(16, NOW + 10_000), NOW + 10_000), Ok(()));
}

#[test]
fn a_time_to_come_cannot_hold_a_feed() {
    for rules in [rules(), Rules::UNASKED] {
        let bench = Bench::under(rules);
        assert_eq!(bench.check(&bench.board(NOW + 2_000), NOW), Ok(()));
        bench.refuses(&bench.board(NOW + 2_001), NOW, "lies in the future");
    }
}

#[test]
fn a_leader_stops_at_four_certified_slots_that_the_chain_has_not_and_the_others_above_eight() {
    let mut bench = Bench::under(rules());
    for slot in 1..=9 {
        let time = NOW + slot * DISTANCE;
        let next = bench.board(time);
        assert_eq!(bench.check(&next, time), Ok(()), "{slot}");
        assert_eq!(bench.wants(&next, time).is_ok(), slot <= 4, "{slot}");
        bench.certify(slot, &next);
    }
    let time = NOW + 10 * DISTANCE;
    let next = bench.board(time);
    bench.refuses(&next, time, "9 certified slots are not on the chain yet, more than 8");
    // Who has voted elsewhere applies it all the same.
    let settle =
        |slot| bench.settled.keep(&[(bench.network.feed(ReportKind::Leaderboard).unwrap(), slot)]);
    settle(1);
    assert_eq!(bench.check(&next, time), Ok(()));
    settle(5);
    assert!(bench.wants(&next, time).is_err());
    settle(6);
    assert_eq!(bench.wants(&next, time), Ok(()));
    // A network that asks no chain has no backlog.
    let mut bench = Bench::under(Rules { distance_ms: Default::default(), ..Rules::UNASKED });
    let time = bench.boards(1..=20) + DISTANCE;
    assert_eq!(bench.wants(&bench.board(time), time), Ok(()));
}

#[test]
fn decided_slots_without_a_certificate_are_no_backlog() {
    let mut bench = Bench::under(rules());
    for position in 1..=20 {
        let value = bench.board(NOW + position * DISTANCE).encode();
        bench.feeds.apply(position, &value).unwrap();
    }
    let time = NOW + 21 * DISTANCE;
    assert_eq!(bench.check(&bench.board(time), time), Ok(()));
}

#[test]
fn nav_basket_and_rewards_wait_for_the_chain_slot_after_slot() {
    let mut bench = Bench::under(Rules { distance_ms: Default::default(), ..rules() });
    let later = NOW + 400_000;
    bench.certify(1, &bench.nav(16, NOW));
    bench.certify(2, &bench.basket(own_files::entries(), NOW));
    bench.certify(3, &bench.award(own_files::FIRST, NOW));
    let words = "slot 1 before it is not on the chain yet";
    bench.refuses(&bench.seen_nav(16, later), later, words);
    bench.refuses(&bench.basket(own_files::entries(), later), later, words);
    let second = Award { epoch: 2, ..own_files::FIRST };
    bench.refuses(&bench.award(second, later), later, words);
    bench.settled.keep(&[(bench.network.feed(ReportKind::Nav).unwrap(), 1)]);
    assert_eq!(bench.check(&bench.seen_nav(16, later), later), Ok(()));
    bench.refuses(&bench.basket(own_files::entries(), later), later, words);
}
