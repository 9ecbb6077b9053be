//! What a node holds against the files of its own validator.

use super::*;
use cicada_core::ranking::{Own, Statement, Told};
use cicada_core::Account;

pub(super) const FIRST: Award = Award {
    epoch: 1,
    start_ms: NOW - 3_600_000,
    end_ms: NOW - 1_000,
    pool: 1_000,
    carried_in: 0,
    awarded: 900,
    carried_out: 100,
    claims_root: Digest([7; 32]),
    claims: 12,
    total: 900,
    ranking: Digest([4; 32]),
};

pub(super) fn entries() -> Vec<entries::Entry> {
    let entry = |netuid: u8, weight_bps, price_e18| entries::Entry {
        netuid: netuid.into(),
        token: Account([netuid + 100; 32]),
        weight_bps,
        price_e18,
    };
    vec![entry(1, 7_000, 10_000), entry(8, 3_000, 500_000), entry(3, 0, 77)]
}

#[test]
fn an_award_is_the_one_that_its_own_validator_computed() {
    let bench = Bench::new();
    let proposal = bench.award(FIRST, NOW);
    bench.refuses(&proposal, NOW, "my validator has not read yet what the chain has settled");
    bench.settled(&start(), &FeedState::EMPTY);
    bench.refuses(&proposal, NOW, "my validator has not computed epoch 1 yet");
    bench.write("awards/epoch-1.scale", &told(FIRST));
    assert_eq!(bench.check(&proposal, NOW), Ok(()));
    let more = Award { awarded: 901, carried_out: 99, total: 901, ..FIRST };
    let words = "epoch 1, awarded: proposed is 901, my validator has 900";
    bench.refuses(&bench.award(more, NOW), NOW, words);
    let other = Award { claims_root: Digest([8; 32]), ..FIRST };
    bench.refuses(&bench.award(other, NOW), NOW, "the claims are not those");
    let other = Award { ranking: Digest([8; 32]), ..FIRST };
    bench.refuses(&bench.award(other, NOW), NOW, "the ranking is not that");
    let mut root = proposal.clone();
    root.report.root = Digest([9; 32]);
    bench.refuses(&root, NOW, "root");
    bench.write("awards/epoch-1.scale", &[1u8, 2, 3]);
    bench.refuses(&proposal, NOW, "cannot read my award");
    bench.write("awards/epoch-1.scale", &(told(FIRST), 0u8));
    bench.refuses(&proposal, NOW, "cannot read my award");
    bench.write("awards/settled.scale", &7u8);
    bench.refuses(&proposal, NOW, "cannot read what the chain has settled");
}

/// What a validator that has signed nothing tells its node.
pub(super) fn told(award: Award) -> Told {
    Told { award, signed: None }
}

impl Bench {
    /// What a seat says of an award, under a committee.
    fn statement(&self, seat: u8, award: &Award, config_digest: &Digest) -> Statement {
        let mut one = Statement::of(award, seat);
        let message =
            one.message::<Native>(config_digest, &self.network.feed(ReportKind::Rewards).unwrap());
        one.signature = self.keys[usize::from(seat)].attest(&message);
        one
    }

    /// The next award with the statements of these seats.
    pub(super) fn ranked(&self, award: Award, seats: &[u8]) -> awards::Proposal {
        let config = self.network.config_digest();
        let statements = seats.iter().map(|seat| self.statement(*seat, &award, &config)).collect();
        let feed = self.network.feed(ReportKind::Rewards).unwrap();
        awards::Proposal::new::<Native>(award, statements, feed, &self.state("rewards"), NOW)
    }
}

#[test]
fn what_its_validator_signed_of_an_award_is_not_left_out() {
    let bench = Bench::new();
    bench.settled(&start(), &FeedState::EMPTY);
    let config = bench.network.config_digest();
    let tell = |statement: Statement, signed_ms: u64| {
        let signed = Some(Own { statement, signed_ms });
        bench.write("awards/epoch-1.scale", &Told { award: FIRST, signed });
    };
    let own = bench.statement(0, &FIRST, &config);
    tell(own, NOW);
    // There is no time in which it may be passed over.
    bench.refuses(&bench.ranked(FIRST, &[1, 2]), NOW, &hex::encode(own.encode()));
    assert_eq!(bench.check(&bench.ranked(FIRST, &[0]), NOW), Ok(()), "no number is needed");
    // What came before it was signed is right later, too.
    tell(own, NOW + 1);
    let early = bench.ranked(FIRST, &[5]);
    assert_eq!(bench.check(&early, NOW), Ok(()));
    tell(own, NOW);
    bench.refuses(&bench.ranked(FIRST, &[6]), NOW, "is not in it");
    // Nothing of it could be in a proposal: of another committee, another seat, another ranking.
    let wrong = Award { ranking: Digest([9; 32]), ..FIRST };
    let earlier = Award { end_ms: FIRST.end_ms - 1, ..FIRST };
    let others = [
        bench.statement(0, &FIRST, &Digest([1; 32])),
        Statement { seat: 3, ..own },
        bench.statement(0, &wrong, &config),
        bench.statement(0, &earlier, &config),
    ];
    for (seat, other) in (7..).zip(others) {
        tell(other, NOW);
        assert_eq!(bench.check(&bench.ranked(FIRST, &[seat]), NOW), Ok(()), "{other:?}");
    }
}

#[test]
fn statements_are_genuine_of_the_award_and_under_its_root() {
    let bench = Bench::new();
    bench.settled(&start(), &FeedState::EMPTY);
    bench.write("awards/epoch-1.scale", &told(FIRST));
    assert_eq!(bench.check(&bench.ranked(FIRST, &[0, 4, 22]), NOW), Ok(()));
    let changed = |change: &dyn Fn(&mut awards::Proposal)| {
        let mut proposal = bench.ranked(FIRST, &[0, 4, 22]);
        change(&mut proposal);
        let awards::Proposal { award, statements, .. } = proposal;
        let feed = bench.network.feed(ReportKind::Rewards).unwrap();
        awards::Proposal::new::<Native>(award, statements, feed, &bench.state("rewards"), NOW)
    };
    bench.refuses(&changed(&|one| one.statements.swap(0, 1)), NOW, "not in order");
    bench.refuses(&changed(&|one| one.statements[2].seat = 23), NOW, "a seat that there is not");
    bench.refuses(&changed(&|one| one.statements[1].seat = 5), NOW, "seat 5 is forged");
    let other = changed(&|one| one.statements[1].ranking = Digest([9; 32]));
    bench.refuses(&other, NOW, "seat 4 ranked something else");
    let mut fewer = bench.ranked(FIRST, &[0, 4, 22]);
    fewer.statements.pop();
    bench.refuses(&fewer, NOW, "root");
}

/// Before the first epoch.
fn start() -> AwardState {
    AwardState::starting(FIRST.start_ms)
}

fn second() -> Award {
    Award {
        epoch: 2,
        start_ms: FIRST.end_ms,
        end_ms: NOW,
        carried_in: 100,
        awarded: 1_100,
        carried_out: 0,
        claims: 13,
        total: 2_000,
        ..FIRST
    }
}

impl Bench {
    /// What this node's validator reads on the chain.
    fn settled(&self, state: &AwardState, latest: &FeedState) {
        self.write("awards/settled.scale", &awards::Settled { state: *state, latest: *latest });
    }
}

#[test]
fn after_a_void_award_the_same_epoch_comes_in_the_next_slot() {
    let mut bench = Bench::new();
    bench.write("awards/epoch-1.scale", &told(FIRST));
    bench.write("awards/epoch-2.scale", &told(second()));
    bench.settled(&start(), &FeedState::EMPTY);
    let first = bench.award(FIRST, NOW);
    assert_eq!(bench.check(&first, NOW), Ok(()));
    bench.feeds.apply(1, &first.encode()).unwrap();
    // Certified, and not brought yet: whatever comes next waits for it.
    let (again, later) = (NOW + 60_000, NOW + 120_000);
    bench.refuses(&bench.award(FIRST, again), again, "it does not follow slot 0 and epoch 0");
    bench.refuses(&bench.award(second(), again), again, "it does not follow slot 0 and epoch 0");
    // It was void: the slot is taken and the epoch is not.
    bench.settled(&start(), &bench.state("rewards"));
    bench.refuses(&bench.award(second(), again), again, "WrongEpoch");
    let retried = bench.award(FIRST, again);
    assert_eq!(retried.report.slot, 2);
    assert_eq!(bench.check(&retried, again), Ok(()));
    bench.feeds.apply(2, &retried.encode()).unwrap();
    bench.settled(&AwardState::after(&FIRST), &bench.state("rewards"));
    assert_eq!(bench.check(&bench.award(second(), later), later), Ok(()));
}

#[test]
fn an_award_follows_the_one_before_it() {
    let mut bench = Bench::new();
    bench.write("awards/epoch-1.scale", &told(FIRST));
    let second = second();
    bench.write("awards/epoch-2.scale", &told(second));
    bench.settled(&start(), &FeedState::EMPTY);
    // As the first report of the feed, epoch 2 is none that the contract would take.
    bench.refuses(&bench.award(second, NOW), NOW, "WrongEpoch");
    bench.feeds.apply(2, &bench.award(FIRST, NOW - 500).encode()).unwrap();
    bench.settled(&AwardState::after(&FIRST), &bench.state("rewards"));
    assert_eq!(bench.check(&bench.award(second, NOW), NOW), Ok(()));
    let gap = Award { start_ms: FIRST.end_ms + 1, ..second };
    bench.write("awards/epoch-2.scale", &told(gap));
    bench.refuses(&bench.award(gap, NOW), NOW, "WrongStart");
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
