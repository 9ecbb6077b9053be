//! `reputation`: only the listed contracts write, nothing falls below zero, and time heals.

use cicada_core::reputation::{
    Counts, Decay, Event, HistoryEntry, Metrics, Summary, MAX_EVENTS, MAX_HISTORY_PAGE,
    WRITER_DELAY_MS,
};
use cicada_core::Account;
use cicada_runtime_tests::{
    account, check_gas, check_size, on, AccountId, Bundle, Gas, Receipt, World,
};
use cicada_traits::ownable::{Ownable, OwnableError};
use cicada_traits::reputation::{Reputation, ReputationError, ReputationView, Writers};
use reputation::reputation::{
    OwnershipAccepted, OwnershipProposed, ReputationChanged, ReputationContractRef, WriterChanged,
};

const DAY: u64 = 86_400_000;
const TENTH_BPS: u16 = 1_000;
const FULL: Metrics =
    Metrics { reliability_bps: 10_000, performance_bps: 10_000, fairness_bps: 10_000 };

/// A reputation contract of alice's, in which the market may write; dave works.
struct Book {
    world: World,
    contract: ReputationContractRef,
    market: AccountId,
    dave: AccountId,
    start_ms: u64,
}

impl Book {
    fn with(epoch_ms: u64, decay_bps: u16) -> Self {
        let mut world = World::new();
        let (alice, market) = (account("alice"), account("bob"));
        let constructor = ReputationContractRef::new(epoch_ms, decay_bps);
        let contract = world.as_(alice).deploy("reputation", constructor).expect("valid numbers");
        let start_ms = world.now();
        let _ = world.as_(alice).call(on(&contract).set_writer(market, true)).succeeds();
        Self { world, contract, market, dave: account("dave"), start_ms }
    }

    fn new() -> Self {
        Self::with(DAY, TENTH_BPS)
    }

    fn send(&mut self, events: &[Event]) -> Receipt<Result<(), ReputationError>> {
        let message = on(&self.contract).record(self.dave, events.to_vec());
        self.world.as_(self.market).call(message)
    }

    fn record(&mut self, events: &[Event]) -> Receipt<()> {
        self.send(events).succeeds()
    }

    fn points(&mut self) -> u32 {
        self.world.read(on(&self.contract).points(self.dave))
    }

    fn summary(&mut self) -> Summary {
        self.world.read(on(&self.contract).summary(self.dave))
    }

    fn history(&mut self, from: u64, limit: u32) -> Vec<HistoryEntry> {
        let page = self.world.read(on(&self.contract).history(self.dave, from, limit));
        page.iter().map(|entry| entry.open().expect("an entry")).collect()
    }
}

// ---- points, metrics, counts ----

#[test]
fn the_contract_stays_small() {
    check_size("reputation");
    let size = Bundle::load("reputation").wasm.len();
    assert!(size <= 20_000, "{size} bytes");
}

#[test]
fn a_newcomer_stands_at_the_start_without_any_transaction() {
    let mut book = Book::new();
    let start = Summary {
        points: 50,
        metrics: FULL,
        score_bps: 10_000,
        events: 0,
        counts: Counts::default(),
    };
    assert_eq!(book.summary(), start);
    assert_eq!(book.points(), 50);
    assert!(book.history(0, 50).is_empty());
    book.world.advance(1_000 * DAY);
    assert_eq!(book.summary(), start);
}

#[test]
fn a_completed_job_is_worth_ten_points_and_an_event() {
    let mut book = Book::new();
    let receipt = book.record(&[Event::Completed]);
    check_gas("reputation.record: first event of an account", &receipt);
    let changed = ReputationChanged {
        account: book.dave,
        index: 0,
        points_before: 50,
        entry: HistoryEntry {
            event: Event::Completed,
            writer: Account::of(&book.market),
            points: 60,
            metrics: FULL,
            time_ms: book.world.now(),
        },
    };
    assert_eq!(receipt.event::<ReputationChanged>(&book.contract), changed);
    assert_eq!(book.points(), 60);
    let receipt = book.record(&[Event::Completed]);
    check_gas("reputation.record: one event", &receipt);
    assert_eq!(book.points(), 70);
}

#[test]
fn each_event_moves_its_points() {
    use Event::*;
    let cases = [
        (Completed, 60),
        (FastResponse, 52),
        (Failed, 30),
        (SlaViolated { points: 7 }, 43),
        (Feedback { stars: 1 }, 40),
        (Feedback { stars: 2 }, 40),
        (Feedback { stars: 3 }, 50),
        (Feedback { stars: 4 }, 55),
        (Feedback { stars: 5 }, 55),
        (DisputeWon, 65),
        (DisputeLost, 25),
        (Collusion, 50),
    ];
    let mut book = Book::new();
    let start = book.world.snapshot();
    for (event, points) in cases {
        book.world.restore(&start);
        let _ = book.record(&[event]);
        assert_eq!(book.points(), points, "{event:?}");
    }
}

#[test]
fn each_penalty_moves_its_metric() {
    use Event::*;
    let cases = [
        (Downtime, [9_000, 10_000, 10_000], 9_666),
        (Slow, [10_000, 9_500, 10_000], 9_833),
        (WrongResult, [8_000, 10_000, 10_000], 9_333),
        (FalseProvisioning, [10_000, 10_000, 5_000], 8_333),
        (ProfitManipulation, [10_000, 10_000, 2_000], 7_333),
        (Collusion, [10_000, 10_000, 0], 6_666),
    ];
    let mut book = Book::new();
    let start = book.world.snapshot();
    for (event, [reliability_bps, performance_bps, fairness_bps], score_bps) in cases {
        book.world.restore(&start);
        let _ = book.record(&[event]);
        let metrics = Metrics { reliability_bps, performance_bps, fairness_bps };
        let summary = book.summary();
        assert_eq!((summary.metrics, summary.score_bps), (metrics, score_bps), "{event:?}");
    }
}

#[test]
fn every_event_is_counted() {
    use Event::*;
    let mut book = Book::new();
    let _ = book.record(&[Completed, Completed, FastResponse, Failed, DisputeWon, DisputeLost]);
    let _ = book.record(&[SlaViolated { points: 1 }, Feedback { stars: 3 }, Feedback { stars: 5 }]);
    let _ = book.record(&[Downtime, Slow, WrongResult, FalseProvisioning, Collusion]);
    let counts = Counts {
        completed: 2,
        failed: 1,
        disputes_won: 1,
        disputes_lost: 1,
        feedbacks: 2,
        stars: 8,
        violations: 1,
        penalties: 3,
        frauds: 2,
    };
    let summary = book.summary();
    assert_eq!((summary.counts, summary.events), (counts, 14));
}

#[test]
fn eight_events_are_applied_in_order() {
    let mut book = Book::new();
    // To 0 first, then up: another order would end elsewhere.
    let mut events = vec![Event::SlaViolated { points: 1_000 }];
    events.resize(MAX_EVENTS, Event::FastResponse);
    let receipt = book.record(&events);
    check_gas("reputation.record: eight events", &receipt);
    let changes = receipt.events::<ReputationChanged>(&book.contract);
    let steps: Vec<_> =
        changes.iter().map(|c| (c.index, c.points_before, c.entry.points)).collect();
    assert_eq!(steps[..3], [(0, 50, 0), (1, 0, 2), (2, 2, 4)]);
    assert_eq!((steps.len(), book.points()), (8, 14));
}

#[test]
fn no_event_is_no_change() {
    let mut book = Book::new();
    let receipt = book.record(&[]);
    assert!(receipt.emitted.is_empty());
    assert_eq!((book.points(), book.summary().events), (50, 0));
}

#[test]
fn points_stop_at_zero_and_come_back_from_there() {
    let mut book = Book::new();
    let _ = book.record(&[Event::DisputeLost, Event::DisputeLost, Event::Failed]);
    assert_eq!(book.points(), 0);
    let _ = book.record(&[Event::FastResponse]);
    assert_eq!(book.points(), 2);
}

#[test]
fn the_largest_penalty_does_not_wrap() {
    let mut book = Book::new();
    let _ = book.record(&[Event::SlaViolated { points: u32::MAX }, Event::Collusion]);
    let _ = book.record(&[Event::Collusion, Event::SlaViolated { points: u32::MAX }]);
    let summary = book.summary();
    assert_eq!((summary.points, summary.metrics.fairness_bps), (0, 0));
}

#[test]
fn accounts_do_not_touch_one_another() {
    let mut book = Book::new();
    let _ = book.record(&[Event::Completed]);
    let other = book.world.read(on(&book.contract).summary(account("eve")));
    assert_eq!((other.points, other.events), (50, 0));
}

// ---- who may write ----

#[test]
fn only_a_listed_writer_records() {
    let mut book = Book::new();
    // Not the owner, not the account itself, nobody.
    for caller in ["alice", "dave", "eve"] {
        let message = on(&book.contract).record(book.dave, vec![Event::Completed]);
        let error = book.world.as_(account(caller)).call(message).fails();
        assert_eq!(error, ReputationError::NotWriter);
    }
    assert_eq!(book.points(), 50);
}

#[test]
fn the_owner_lists_writers_once() {
    let mut book = Book::new();
    let (alice, eve) = (account("alice"), account("eve"));
    let receipt = book.world.as_(alice).call(on(&book.contract).set_writer(eve, true)).succeeds();
    check_gas("reputation.set_writer", &receipt);
    let event = receipt.event::<WriterChanged>(&book.contract);
    let from_ms = book.world.now();
    assert_eq!(event, WriterChanged { account: eve, allowed: true, from_ms });
    assert!(book.world.read(on(&book.contract).is_writer(eve)));
    // Again: nothing happens.
    let again = book.world.as_(alice).call(on(&book.contract).set_writer(eve, true)).succeeds();
    assert!(again.emitted.is_empty());
}

#[test]
fn a_writer_that_is_taken_off_the_list_gives_its_cell_back() {
    let mut book = Book::new();
    let message = on(&book.contract).set_writer(book.market, false);
    let receipt = book.world.as_(account("alice")).call(message).succeeds();
    let event = receipt.event::<WriterChanged>(&book.contract);
    let from_ms = book.world.now();
    assert_eq!(event, WriterChanged { account: book.market, allowed: false, from_ms });
    // The cell and its eight bytes cost nine. The chain rounds shares of a deposit down.
    assert_eq!(receipt.deposit, -8);
    assert!(!book.world.read(on(&book.contract).is_writer(book.market)));
    assert_eq!(book.send(&[Event::Completed]).fails(), ReputationError::NotWriter);
}

#[test]
fn once_there_are_scores_a_new_writer_waits_and_everybody_sees_it() {
    let mut book = Book::new();
    let (alice, eve) = (account("alice"), account("eve"));
    let _ = book.record(&[Event::Completed]);
    let write = |book: &mut Book| {
        let message = on(&book.contract).record(book.dave, vec![Event::Collusion]);
        book.world.as_(eve).call(message)
    };
    let receipt = book.world.as_(alice).call(on(&book.contract).set_writer(eve, true)).succeeds();
    let from_ms = book.world.now() + WRITER_DELAY_MS;
    let event = receipt.event::<WriterChanged>(&book.contract);
    assert_eq!(event, WriterChanged { account: eve, allowed: true, from_ms });
    // Saying it again changes nothing, and taking it off and putting it on begins anew.
    let again = book.world.as_(alice).call(on(&book.contract).set_writer(eve, true)).succeeds();
    assert!(again.emitted.is_empty());
    book.world.at(from_ms - 1);
    assert!(!book.world.read(on(&book.contract).is_writer(eve)));
    assert_eq!(write(&mut book).fails(), ReputationError::NotWriter);
    let _ = book.record(&[Event::Completed]);
    book.world.at(from_ms);
    assert!(book.world.read(on(&book.contract).is_writer(eve)));
    let _ = write(&mut book).succeeds();
    for allowed in [false, true] {
        let _ = book.world.as_(alice).call(on(&book.contract).set_writer(eve, allowed)).succeeds();
        assert_eq!(write(&mut book).fails(), ReputationError::NotWriter);
    }
}

#[test]
fn nobody_else_changes_the_list() {
    let mut book = Book::new();
    for caller in [book.market, account("eve")] {
        let message = on(&book.contract).set_writer(caller, true);
        assert_eq!(book.world.as_(caller).call(message).fails(), ReputationError::NotOwner);
    }
}

#[test]
fn ownership_moves_in_two_steps() {
    let mut book = Book::new();
    let (alice, eve) = (account("alice"), account("eve"));
    assert_eq!(book.world.read(on(&book.contract).owner()), alice);
    let refused = book.world.as_(eve).call(on(&book.contract).propose_owner(eve)).fails();
    assert_eq!(refused, OwnableError::NotOwner);
    let refused = book.world.as_(eve).call(on(&book.contract).accept_ownership()).fails();
    assert_eq!(refused, OwnableError::NotProposed);
    let receipt = book.world.as_(alice).call(on(&book.contract).propose_owner(eve)).succeeds();
    let proposed = OwnershipProposed { owner: alice, proposed: eve };
    assert_eq!(receipt.event::<OwnershipProposed>(&book.contract), proposed);
    assert_eq!(book.world.read(on(&book.contract).owner()), alice);
    let receipt = book.world.as_(eve).call(on(&book.contract).accept_ownership()).succeeds();
    let accepted = receipt.event::<OwnershipAccepted>(&book.contract);
    assert_eq!(accepted, OwnershipAccepted { owner: eve });
    let message = on(&book.contract).set_writer(alice, true);
    assert_eq!(book.world.as_(alice).call(message).fails(), ReputationError::NotOwner);
    // An offer counts once.
    let again = book.world.as_(eve).call(on(&book.contract).accept_ownership()).fails();
    assert_eq!(again, OwnableError::NotProposed);
}

#[test]
fn more_than_eight_events_are_refused() {
    let mut book = Book::new();
    let error = book.send(&[Event::Completed; MAX_EVENTS + 1]).fails();
    assert_eq!(error, ReputationError::TooManyEvents);
}

#[test]
fn wrong_stars_undo_the_whole_call() {
    let mut book = Book::new();
    for stars in [0, 6, u8::MAX] {
        let error = book.send(&[Event::Completed, Event::Feedback { stars }]).fails();
        assert_eq!(error, ReputationError::InvalidStars);
        assert_eq!((book.points(), book.history(0, 50).len()), (50, 0));
    }
}

// ---- time ----

#[test]
fn a_point_above_the_start_decays_exactly_at_the_end_of_the_epoch() {
    let mut book = Book::new();
    let _ = book.record(&[Event::Completed; 8]);
    let _ = book.record(&[Event::Completed; 2]);
    assert_eq!(book.points(), 150);
    let start = book.start_ms;
    book.world.at(start + DAY - 1);
    assert_eq!(book.points(), 150);
    book.world.at(start + DAY);
    assert_eq!(book.points(), 140);
    book.world.at(start + 2 * DAY - 1);
    assert_eq!(book.points(), 140);
    book.world.at(start + 2 * DAY);
    assert_eq!(book.points(), 131);
}

#[test]
fn below_the_start_time_heals() {
    let mut book = Book::new();
    let _ = book.record(&[Event::SlaViolated { points: 50 }, Event::Collusion]);
    let start = book.start_ms;
    book.world.at(start + DAY);
    let summary = book.summary();
    assert_eq!((summary.points, summary.metrics.fairness_bps), (5, 1_000));
    book.world.at(start + 400 * DAY);
    let summary = book.summary();
    assert_eq!((summary.points, summary.metrics, summary.counts.frauds), (50, FULL, 1));
}

#[test]
fn writing_begins_from_the_decayed_figure() {
    let mut book = Book::new();
    let _ = book.record(&[Event::Completed; 8]);
    let _ = book.record(&[Event::Completed; 2]);
    let start = book.start_ms;
    book.world.at(start + DAY);
    let receipt = book.record(&[Event::Failed]);
    let event = receipt.event::<ReputationChanged>(&book.contract);
    assert_eq!((event.points_before, event.entry.points), (140, 120));
    check_gas("reputation.record: one event after an epoch", &receipt);
    book.world.at(start + 2 * DAY);
    assert_eq!(book.points(), 113);
}

#[test]
fn it_does_not_matter_how_often_an_account_is_read_or_written() {
    let mut book = Book::new();
    let _ = book.record(&[Event::Completed; 8]);
    let (start, now) = (book.start_ms, book.world.snapshot());
    book.world.at(start + 9 * DAY);
    let at_once = book.points();
    book.world.restore(&now);
    for day in 1..=9 {
        book.world.at(start + day * DAY);
        let _ = book.record(&[Event::Feedback { stars: 3 }]);
    }
    assert_eq!(book.points(), at_once);
}

#[test]
fn without_decay_nothing_moves() {
    let mut book = Book::with(0, 0);
    let _ = book.record(&[Event::Completed, Event::Slow]);
    book.world.advance(100_000 * DAY);
    let summary = book.summary();
    assert_eq!((summary.points, summary.metrics.performance_bps), (60, 9_500));
}

#[test]
fn an_impossible_decay_is_refused() {
    let mut world = World::new();
    for (epoch_ms, decay_bps) in [(0, 1), (DAY, 10_001)] {
        let constructor = ReputationContractRef::new(epoch_ms, decay_bps);
        let answer = world.as_(account("alice")).deploy("reputation", constructor);
        assert_eq!(answer.err(), Some(ReputationError::InvalidDecay));
    }
}

#[test]
fn the_decay_is_that_of_the_creation() {
    let mut book = Book::new();
    let decay = Decay { start_ms: book.start_ms, epoch_ms: DAY, decay_bps: TENTH_BPS };
    assert_eq!(book.world.read(on(&book.contract).decay()), decay);
}

// ---- history ----

#[test]
fn history_is_read_by_page() {
    let mut book = Book::new();
    let mut entries = Vec::new();
    for round in 0..7u32 {
        book.world.next_block();
        let _ = book.record(&[Event::FastResponse; MAX_EVENTS]);
        for step in 1..=8 {
            entries.push(HistoryEntry {
                event: Event::FastResponse,
                writer: Account::of(&book.market),
                points: 50 + 2 * (8 * round + step),
                metrics: FULL,
                time_ms: book.world.now(),
            });
        }
    }
    assert_eq!(book.history(0, 3), entries[..3]);
    assert_eq!(book.history(0, u32::MAX), entries[..MAX_HISTORY_PAGE as usize]);
    assert_eq!(book.history(50, 50), entries[50..]);
    assert_eq!(book.history(55, 1), entries[55..]);
    assert!(book.history(56, 50).is_empty());
    assert!(book.history(0, 0).is_empty());
    assert!(book.history(u64::MAX, 50).is_empty());
}

#[test]
fn the_history_keeps_every_kind_of_event() {
    let mut book = Book::new();
    let events = [Event::SlaViolated { points: 3 }, Event::Feedback { stars: 2 }, Event::Slow];
    let _ = book.record(&events);
    let history = book.history(0, 50);
    assert_eq!(history.iter().map(|entry| entry.event).collect::<Vec<_>>(), events);
    assert_eq!(history.iter().map(|entry| entry.points).collect::<Vec<_>>(), [47, 37, 37]);
    assert_eq!(history[2].metrics.performance_bps, 9_500);
}

// ---- gas ----

fn costs(book: &mut Book) -> [Gas; 4] {
    let contract = &book.contract;
    let (dave, alice) = (book.dave, account("alice"));
    [
        book.world.as_(book.market).call(on(contract).record(dave, vec![Event::Completed])).gas,
        book.world.as_(alice).call(on(contract).points(dave)).gas,
        book.world.as_(alice).call(on(contract).summary(dave)).gas,
        book.world.as_(alice).call(on(contract).history(dave, 0, 1)).gas,
    ]
}

#[test]
fn a_thousand_accounts_cost_no_more_than_ten() {
    let mut book = Book::new();
    let dave = book.dave;
    let fill = |book: &mut Book, names: std::ops::Range<u32>| {
        for i in names {
            book.dave = account(&format!("worker-{i}"));
            let _ = book.record(&[Event::Completed]);
        }
        book.dave = dave;
        let _ = book.record(&[Event::Completed]);
        let now = book.world.snapshot();
        let costs = costs(book);
        book.world.restore(&now);
        costs
    };
    let ten = fill(&mut book, 0..10);
    let thousand = fill(&mut book, 10..1_000);
    for (few, many) in ten.iter().zip(&thousand) {
        assert!(many.ref_time.abs_diff(few.ref_time) * 50 <= few.ref_time, "{few:?} {many:?}");
        assert!(many.proof_size.abs_diff(few.proof_size) * 50 <= few.proof_size);
    }
}
