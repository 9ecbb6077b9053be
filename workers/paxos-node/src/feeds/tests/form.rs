//! What is read as a value of a feed, and how long it may be.

use super::*;
use cicada_core::leaderboard::{Standing, MAX_FRAMEWORKS};

#[test]
fn only_what_has_the_form_of_its_feed_is_read_as_a_proposal() {
    let bench = Bench::new();
    let nav = bench.nav(3, NOW);
    assert_eq!(report_of(&nav.encode()), Some(nav.report), "the form is all that counts");
    let basket = bench.basket(own_files::entries(), NOW);
    assert_eq!(report_of(&basket.encode()), Some(basket.report));
    let award = bench.award(own_files::FIRST, NOW);
    assert_eq!(report_of(&award.encode()), Some(award.report));
    let board = bench.board(NOW);
    assert_eq!(report_of(&board.encode()), Some(board.report));
    let mut mixed = board.clone();
    mixed.report.feed = award.report.feed;
    assert_eq!(report_of(&mixed.encode()), None);
    assert_eq!(report_of(&nav.report.encode()), None);
    assert_eq!(report_of(&[]), None);
    // The same with or without a tuple's brackets.
    assert_eq!((award.report, award.award, 0u8).encode(), award.encode());
}

#[test]
fn the_longest_values_of_all_feeds_fit() {
    let bench = Bench::new();
    let row = |i: usize| Standing {
        framework: Framework::new(format!("{i:0>32}")).unwrap(),
        score: u64::MAX,
        volume_24h: u128::MAX,
    };
    let mut board = bench.board(NOW);
    board.board.standings = (0..MAX_FRAMEWORKS).map(row).collect();
    let mut nav = bench.nav(1, NOW);
    nav.observations = vec![nav.observations[0]; 32];
    let mut basket = bench.basket(own_files::entries(), NOW);
    basket.entries = vec![basket.entries[0]; entries::MAX_HOLDINGS];
    basket.observations.truncate(1);
    basket.observations[0].prices = vec![(1, 1); entries::MAX_HOLDINGS];
    basket.observations = vec![basket.observations[0].clone(); 32];
    let award = bench.ranked(own_files::FIRST, &[0; 32]);
    let lengths =
        [board.encoded_size(), nav.encoded_size(), basket.encoded_size(), award.encoded_size()];
    assert_eq!(lengths[..3], [3_800, 2_967, 27_608], "as the constant's comment says");
    let longest = lengths.into_iter().max().unwrap() + 65;
    assert!(longest <= LONGEST_VALUE && LONGEST_VALUE < longest * 5 / 4, "{lengths:?}");
}
