//! What a node holds against the files of its own validator.

use super::*;

pub(super) const FIRST: Award = Award {
    epoch: 1,
    start_ms: NOW - 3_600_000,
    end_ms: NOW - 1_000,
    pool: 1_000,
    carried_in: 0,
    awarded: 900,
    carried_out: 100,
    claims_root: [7; 32],
    claims: 12,
    total: 900,
};

pub(super) fn entries() -> Vec<entries::Entry> {
    let entry = |netuid: u8, weight_bps, price_e18| entries::Entry {
        netuid: netuid.into(),
        token: [netuid + 100; 32],
        weight_bps,
        price_e18,
    };
    vec![entry(1, 7_000, 10_000), entry(8, 3_000, 500_000), entry(3, 0, 77)]
}

#[test]
fn an_award_is_the_one_that_its_own_validator_computed() {
    let bench = Bench::new();
    let proposal = bench.award(FIRST, NOW);
    bench.refuses(&proposal, NOW, "my validator has not computed epoch 1 yet");
    bench.write("awards/epoch-1.scale", &FIRST);
    assert_eq!(bench.check(&proposal, NOW), Ok(()));
    assert_eq!(bench.check_as(&proposal, Origin::Adopted, NOW + 3_600_000), Ok(()));
    let more = Award { awarded: 901, carried_out: 99, total: 901, ..FIRST };
    let words = "epoch 1, awarded: proposed is 901, my validator has 900";
    bench.refuses(&bench.award(more, NOW), NOW, words);
    let other = Award { claims_root: [8; 32], ..FIRST };
    bench.refuses(&bench.award(other, NOW), NOW, "the claims are not those");
    let mut root = proposal;
    root.report.root = [9; 32];
    bench.refuses(&root, NOW, "root");
    bench.write("awards/epoch-1.scale", &[1u8, 2, 3]);
    bench.refuses(&proposal, NOW, "cannot read my award");
    bench.write("awards/epoch-1.scale", &(FIRST, 0u8));
    bench.refuses(&proposal, NOW, "cannot read my award");
}

#[test]
fn an_award_follows_the_one_before_it() {
    let mut bench = Bench::new();
    bench.write("awards/epoch-1.scale", &FIRST);
    let second = Award {
        epoch: 2,
        start_ms: FIRST.end_ms,
        end_ms: NOW,
        carried_in: 100,
        awarded: 1_100,
        carried_out: 0,
        claims: 13,
        total: 2_000,
        ..FIRST
    };
    bench.write("awards/epoch-2.scale", &second);
    // As the first report of the feed, epoch 2 is none that the contract would take.
    bench.refuses(&bench.award(second, NOW), NOW, "WrongEpoch");
    assert!(bench.feeds.apply(1, &bench.award(second, NOW).encode()).is_none());
    bench.feeds.apply(2, &bench.award(FIRST, NOW - 1).encode()).unwrap();
    assert_eq!(bench.check(&bench.award(second, NOW), NOW), Ok(()));
    let gap = Award { start_ms: FIRST.end_ms + 1, ..second };
    bench.write("awards/epoch-2.scale", &gap);
    bench.refuses(&bench.award(gap, NOW), NOW, "WrongStart");
    assert!(bench.feeds.apply(3, &bench.award(gap, NOW).encode()).is_none());
    let unfinished = Award { end_ms: NOW + 1, ..second };
    bench.refuses(&bench.award(unfinished, NOW), NOW, "NotOver");
    let mut changed = bench.award(second, NOW);
    changed.award.pool += 1;
    assert!(bench.feeds.apply(3, &changed.encode()).is_none());
    bench.feeds.apply(4, &bench.award(second, NOW).encode()).unwrap();
    assert_eq!(bench.state("rewards").slot, 2);
}

#[test]
fn a_node_without_a_validator_agrees_to_no_award_and_no_basket() {
    let mut bench = Bench::new();
    bench.restart(false);
    bench.refuses(&bench.award(FIRST, NOW), NOW, "--awards is not given");
    bench.refuses(&bench.basket(entries(), NOW), NOW, "--basket is not given");
    // What the others decided it follows, and attests.
    assert!(bench.feeds.apply(1, &bench.award(FIRST, NOW).encode()).is_some());
    assert!(bench.feeds.apply(2, &bench.basket(entries(), NOW).encode()).is_some());
}
