//! Who proposes when, and what is not said again soon.

use super::*;
use cicada_network::proposer_message;
use parity_scale_codec::Output;

/// As it comes, without a length before it.
struct Bytes(Vec<u8>);

impl Encode for Bytes {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        dest.write(&self.0);
    }
}

const DELAY: u64 = 5_000;
const AFTER: u64 = 30_000;

fn turns() -> Bench {
    Bench::under(Rules { backlog: 0, ..Rules::default() })
}

impl Bench {
    /// A value as its seat proposes it.
    fn by(&self, seat: u8, value: &impl Encode) -> Bytes {
        let content = value.encode();
        let message = proposer_message(&self.network.rules_digest(), &content);
        let signature = self.keys[usize::from(seat)].sign(&message.0);
        let report = report_of(&content).unwrap();
        Bytes(seal(&report, &content, &Proposer { seat, signature }))
    }
}

#[test]
fn a_nav_is_taken_from_each_seat_in_its_turn() {
    let bench = turns();
    let nav = bench.seen_nav(23, NOW);
    // Slot 1 is seat 1's first, seat 0's last. The others wait until the first may have been able.
    assert_eq!(bench.check(&bench.by(1, &nav), NOW), Ok(()));
    assert_eq!(bench.wants(&bench.by(1, &nav), NOW), Ok(()));
    for (seat, turn) in [(2, 1), (3, 2), (22, 21), (0, 22)] {
        let (value, from) = (bench.by(seat, &nav), NOW + AFTER + turn * DELAY);
        assert_eq!(bench.check(&value, from), Ok(()), "seat {seat}");
        let words = format!("slot 1 is seat {seat}'s to propose 1 ms from now");
        bench.refuses(&value, from - 1, &words);
        // A leader waits a little more: the clocks of the others may be behind.
        let reason = bench.wants(&value, from + 1_999).unwrap_err();
        assert_eq!(reason, words);
        assert_eq!(bench.wants(&value, from + 2_000), Ok(()), "seat {seat}");
    }
    bench.refuses(&bench.by(1, &nav), NOW - 700, "seat 1's to propose 700 ms from now");
}

#[test]
fn nobody_borrows_the_turn_of_another() {
    let bench = turns();
    let nav = bench.seen_nav(23, NOW);
    let refuses = |value: Vec<u8>, words: &str| bench.refuses(&Bytes(value), NOW, words);
    refuses(nav.encode(), "does not say who proposed it");
    let mut named = bench.by(0, &nav).0;
    let place = named.len() - 65;
    named[place] = 1;
    refuses(named.clone(), "the signature of seat 1, who proposed it, is forged");
    named[place] = 23;
    refuses(named, "slot 1 is seat 23's to propose 140000 ms from now");
    // Genuine, but of another value, and under other rules.
    let other = bench.by(1, &bench.nav(22, NOW)).0;
    let signature = &other[other.len() - 65..];
    refuses([&nav.encode(), signature].concat(), "is forged");
    let elsewhere = Bench::under(Rules::default());
    let message = proposer_message(&elsewhere.network.rules_digest(), &nav.encode());
    let signature = bench.keys[1].sign(&message.0);
    let value = seal(&nav.report, &nav.encode(), &Proposer { seat: 1, signature });
    refuses(value, "is forged");
    for junk in [1, 64, 66] {
        let value = [bench.by(1, &nav).0, vec![0; junk]].concat();
        refuses(value, "does not say who proposed it");
    }
}

#[test]
fn what_came_before_its_turn_was_heard_by_nobody() {
    let bench = turns();
    // Seat 0's validator signs at NOW; without it, a proposal is right if it comes within 5 s.
    let nav = without_seat_0(&bench);
    bench.refuses(&bench.by(2, &nav), NOW + 1_000, "seat 2's to propose 34000 ms from now");
    let words = "signed 5000 ms before it came, is not in it";
    bench.refuses(&bench.by(2, &nav), NOW + AFTER + DELAY, words);
    let bench = turns();
    let nav = without_seat_0(&bench);
    assert_eq!(bench.check(&bench.by(1, &nav), NOW + 1_000), Ok(()), "the first may");
}

fn without_seat_0(bench: &Bench) -> navs::Proposal {
    bench.write("nav.scale", &bench.own_nav(NAV, NOW));
    let slot = bench.state("nav").slot + 1;
    let without = (1..17).map(|seat| bench.observation(seat, slot, NAV, NOW)).collect();
    bench.nav_of(without, NOW)
}

#[test]
fn an_award_is_due_from_the_end_of_its_epoch_on() {
    let bench = turns();
    let award = Award { end_ms: NOW - AFTER - DELAY, ..own_files::FIRST };
    bench.write("awards/epoch-1.scale", &own_files::told(award));
    let settled =
        awards::Settled { state: AwardState::starting(award.start_ms), latest: FeedState::EMPTY };
    bench.write("awards/settled.scale", &settled);
    let value = bench.award(award, NOW);
    assert_eq!(bench.check(&bench.by(1, &value), NOW), Ok(()));
    assert_eq!(bench.check(&bench.by(2, &value), NOW), Ok(()));
    bench.refuses(&bench.by(3, &value), NOW, "slot 1 is seat 3's to propose 5000 ms from now");
    bench.refuses(&value, NOW, "does not say who proposed it");
    // Another end is another award.
    let earlier = bench.award(Award { end_ms: 0, ..award }, NOW);
    bench.refuses(&bench.by(3, &earlier), NOW, "");
}

#[test]
fn a_basket_waits_for_its_turn_too() {
    let bench = turns();
    let basket = bench.basket(own_files::entries(), NOW);
    bench.refuses(&bench.by(1, &basket), NOW, "my validator has not written a basket yet");
    bench.refuses(&bench.by(2, &basket), NOW, "seat 2's to propose 35000 ms from now");
}

#[test]
fn what_stands_in_an_old_log_is_applied_without_a_proposer() {
    for is_old in [true, false] {
        let mut bench = turns();
        let nav = bench.nav(16, NOW);
        let value = if is_old { Bytes(nav.encode()) } else { bench.by(5, &nav) };
        let request = bench.feeds.apply(1, &value.encode()).expect("it follows");
        assert_eq!(request.report, nav.report, "and the report alone is attested");
        assert_eq!(bench.state("nav").digest, nav.report.digest::<Native>());
        let (content, proposer) = open(&value.0);
        assert_eq!((content, proposer.is_none()), (&nav.encode()[..], is_old));
    }
    let mut bench = turns();
    let nav = bench.nav(16, NOW);
    let junk = [nav.encode(), vec![0; 64]].concat();
    assert!(bench.feeds.apply(1, &junk).is_none(), "no value of any feed");
}

#[test]
fn a_leaderboard_names_no_proposer() {
    let mut bench = turns();
    let board = bench.board(NOW);
    assert_eq!(bench.by(9, &board).0, board.encode());
    assert_eq!(bench.check(&board, NOW), Ok(()));
    let named = [board.encode(), vec![7; 65]].concat();
    bench.refuses(&Bytes(named.clone()), NOW, "not a leaderboard");
    assert!(bench.feeds.apply(1, &named).is_none());
}

#[test]
fn without_a_delay_there_are_no_turns() {
    let bench = Bench::under(Rules::UNASKED);
    let nav = bench.seen_nav(23, NOW);
    assert_eq!(bench.check(&nav, NOW), Ok(()));
    assert_eq!(bench.check(&bench.by(0, &nav), NOW), Ok(()));
}

#[test]
fn a_leaderboard_that_says_the_same_comes_240_s_later() {
    let mut bench = turns();
    bench.feeds.apply(1, &bench.board(NOW).encode()).unwrap();
    let later = NOW + 240_000;
    let early = bench.board(later - 1);
    bench.refuses(
        &early,
        later,
        "it says the same as slot 1, 239999 ms after it; that takes 240000",
    );
    let due = bench.board(later);
    bench.refuses(&due, later - 1, "it says the same as slot 1, 239999 ms after it");
    assert_eq!(bench.check(&due, later), Ok(()));
    // Another point, and it is news.
    let results = bench.dir.path().join("results.jsonl");
    let text = std::fs::read_to_string(&results).unwrap();
    let line = text.lines().nth(1).unwrap().replacen("level-1", "level-another", 1);
    std::fs::write(&results, format!("{text}{line}\n")).unwrap();
    bench.restart(true);
    let (feed, board) = (bench.network.feed(ReportKind::Leaderboard).unwrap(), due.board);
    let report = boards::report::<Native>(feed, &FeedState::EMPTY, &board, NOW);
    let first = boards::Proposal { report, board };
    bench.feeds.apply(1, &first.encode()).unwrap();
    let news = bench.board(NOW + 10_000);
    assert_ne!(news.board, first.board);
    assert_eq!(bench.check(&news, NOW + 10_000), Ok(()));
}
