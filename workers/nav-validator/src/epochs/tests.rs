use super::*;
use crate::rows::{Block, Change, Cursor, SettledAward, SettledNav, Trade};
use cicada_amounts::TAO;
use cicada_core::activity::held::Movement;
use cicada_core::activity::Side;
use cicada_core::hash::Digest;

const LENGTH: u64 = 3_600_000;

fn schedule() -> Schedule {
    Schedule::new(1_000, LENGTH).unwrap()
}

/// A mint with its transfer; a token is worth a unit of TAO.
fn mint(time_ms: u64, miner: u8, value: u128) -> [Change; 2] {
    trade(time_ms, miner, Side::Mint, value)
}

fn trade(time_ms: u64, miner: u8, side: Side, value: u128) -> [Change; 2] {
    let (account, tokens) = (Account([miner; 32]), value);
    let (from, to) = match side {
        Side::Mint => (None, Some(account)),
        Side::Redeem => (Some(account), None),
    };
    let moved = Change::Moved(Movement { time_ms, from, to, tokens });
    [Change::Traded(Trade { time_ms, miner: account, side, tokens, value }), moved]
}

/// The time of an epoch, from its beginning on.
fn at(epoch: u64, after_ms: u64) -> u64 {
    1_000 + (epoch - 1) * LENGTH + after_ms
}

fn members(operators: [u8; 2]) -> Vec<(Account, u128)> {
    operators.map(|operator| (Account([operator; 32]), 2_000)).to_vec()
}

fn take(store: &Store, number: u64, time_ms: u64, changes: Vec<Change>) {
    let at = Cursor { block: number, hash: Digest::ZERO, time_ms };
    let changes = (0u32..).zip(changes).collect();
    store
        .take(
            &[Block { at, changes }],
            &BTreeMap::from([(1, members([50, 51])), (2, members([51, 52]))]),
        )
        .unwrap();
}

fn funding(pool: u128, funded: u128) -> Funding {
    let stakes = vec![(Account([50; 32]), 3_000), (Account([51; 32]), 1_000)];
    Funding { emission: Emission::constant(pool), funded, stakes }
}

fn close_due(store: &Store, funding: &Funding) -> Option<Epoch> {
    let now = running(store, &schedule()).unwrap();
    let block = due(store, &now).unwrap()?;
    Some(close(store, &now, block, funding).unwrap())
}

#[test]
fn an_epoch_ends_with_the_first_block_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let end = at(2, 0);
    take(&store, 1, 999, mint(999, 1, TAO).to_vec());
    take(&store, 2, 1_000, [mint(1_000, 1, 2 * TAO), mint(1_000, 2, TAO)].concat());
    take(&store, 3, end - 1, mint(end - 1, 2, TAO / 1_000).to_vec());
    assert_eq!(close_due(&store, &funding(100, 1_000)), None, "not over");
    take(&store, 4, end, mint(end, 3, TAO).to_vec());
    let epoch = close_due(&store, &funding(100, 1_000)).unwrap();
    assert_eq!((epoch.closed_by, epoch.award.epoch, epoch.award.end_ms), (4, 1, end));
    let paid: Vec<u8> = epoch.placements.iter().map(|place| place.miner.0[0]).collect();
    assert_eq!(paid, [1], "who minted before the first epoch and held");
    assert_eq!(close_due(&store, &funding(100, 1_000)), None, "once");
    take(&store, 5, at(3, 0), mint(at(3, 0), 4, TAO).to_vec());
    let epoch = close_due(&store, &funding(100, 1_000)).unwrap();
    let minted: Vec<_> = epoch.scores.iter().map(|s| (s.miner.0[0], s.weighted_tenths)).collect();
    assert_eq!(minted, [(1, 22 * TAO), (2, 11 * TAO)], "the closing block is the next epoch's");
    assert_eq!((epoch.ignored.outside, epoch.ignored.too_small), (1, 1));
    let now = running(&store, &schedule()).unwrap();
    let live = standings(&store, &now, 6).unwrap();
    assert_eq!(live.scores.iter().map(|score| score.miner.0[0]).collect::<Vec<_>>(), [3]);
}

#[test]
fn who_turns_tokens_round_is_paid_nothing_beside_who_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let all = |after: u64, side: Side| trade(at(1, after), 1, side, 100 * TAO);
    let turns =
        (0..100).flat_map(|n| [all(n * 20_000, Side::Mint), all(n * 20_000 + 9, Side::Redeem)]);
    take(&store, 1, at(1, 0), turns.flatten().chain(mint(at(1, 0), 2, TAO)).collect());
    // One with capital of the last minute, for a minute.
    take(&store, 2, at(2, 0) - 60_000, mint(at(2, 0) - 60_000, 3, 1_000 * TAO).to_vec());
    let late = trade(at(2, 60_000), 3, Side::Redeem, 1_000 * TAO);
    let blocks = [(3, at(2, 60_000), late.to_vec()), (4, at(3, 0), vec![]), (5, at(4, 0), vec![])];
    let epochs = blocks.map(|(number, time_ms, changes)| {
        take(&store, number, time_ms, changes);
        close_due(&store, &funding(1_000, 9_000)).unwrap()
    });
    let paid: Vec<Vec<(u8, u128)>> = epochs
        .iter()
        .map(|epoch| epoch.placements.iter().map(|place| (place.miner.0[0], place.base)).collect())
        .collect();
    assert_eq!(paid[0], []);
    assert_eq!(paid[1].iter().map(|(miner, _)| *miner).collect::<Vec<_>>(), [2]);
    assert_eq!(paid[2], []);
    assert!(epochs[1].ignored.not_held > 0);
}

#[test]
fn balances_outlive_the_transfers_that_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    take(&store, 1, at(1, 5), mint(at(1, 5), 1, 10 * TAO).to_vec());
    for epoch in 2..=5 {
        take(&store, epoch, at(epoch, 0), vec![]);
        close_due(&store, &funding(0, 0)).unwrap();
        assert!(store.movements(0..epoch).unwrap().is_empty());
    }
    // It lay still for years; now it counts, up to what was there.
    take(&store, 6, at(5, 9), trade(at(5, 9), 1, Side::Redeem, 4 * TAO).to_vec());
    let now = running(&store, &schedule()).unwrap();
    let live = standings(&store, &now, 7).unwrap();
    assert_eq!(live.scores[0].weighted_tenths, 40 * TAO);
    // What a validator that saw too little cannot know is an error, not a guess.
    take(&store, 7, at(5, 10), trade(at(5, 10), 2, Side::Redeem, TAO).to_vec());
    let error = standings(&store, &now, 8).err().map(|error| error.to_string());
    assert!(error.unwrap().contains("from_block"));
}

#[test]
fn only_who_is_registered_for_the_whole_epoch_is_ranked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let register = |miner: u8, time_ms| Change::Registered(Account([miner; 32]), time_ms);
    let early = vec![register(1, at(1, 9)), register(2, at(1, 9)), register(4, at(1, 9))];
    let mints = (1..=4).flat_map(|miner| mint(at(1, 9), miner, TAO));
    take(&store, 1, at(1, 9), early.into_iter().chain(mints).collect());
    // The third comes a moment late, the second leaves within, the fourth after the end.
    take(&store, 2, at(2, 1), vec![register(3, at(2, 1))]);
    let first = close_due(&store, &funding(1_000, 2_000)).unwrap();
    assert!(first.placements.is_empty());
    take(&store, 3, at(3, 0) - 1, vec![Change::Unregistered(Account([2; 32]), at(3, 0) - 1)]);
    take(&store, 4, at(3, 0), vec![Change::Unregistered(Account([4; 32]), at(3, 0))]);
    let second = close_due(&store, &funding(1_000, 2_000)).unwrap();
    let ranks: Vec<_> = second.placements.iter().map(|p| (p.miner.0[0], p.rank)).collect();
    assert_eq!(ranks, [(1, Some(1)), (4, Some(2)), (2, None), (3, None)]);
}

#[test]
fn money_is_conserved_from_epoch_to_epoch_and_what_is_missing_is_not_paid() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    take(&store, 1, 2_000, mint(2_000, 1, TAO).to_vec());
    take(&store, 2, 1_000 + 3 * LENGTH, vec![]);
    // Three are over at once; the second and the third without any event.
    let epochs: Vec<Epoch> = std::iter::from_fn(|| close_due(&store, &funding(100, 250))).collect();
    let pools: Vec<u128> = epochs.iter().map(|epoch| epoch.award.pool).collect();
    assert_eq!(pools, [100, 100, 50], "no more than was paid in");
    for (epoch, next) in epochs.iter().zip(&epochs[1..]) {
        assert_eq!(epoch.award.carried_out, next.award.carried_in);
    }
    let last = epochs[2].award;
    assert_eq!(last.total + last.carried_out, 250);
    let claims = store.claims(3).unwrap().unwrap();
    assert_eq!(claims.iter().map(|claim| claim.cumulative).sum::<u128>(), last.total);
}

#[test]
fn validators_are_paid_by_stake_and_participation() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let nav = |signers, observers| SettledNav {
        digest: Digest::ZERO,
        epoch: 1,
        signers,
        observers,
        time_ms: 2_000,
        nav_e18: 1,
    };
    // Seat 0 observes both; seat 1 observes the second, and the first it only signs.
    let changes = vec![Change::Settled(1, nav(0b11, 0b01)), Change::Settled(2, nav(0, 0b11))];
    take(&store, 1, 2_000, changes);
    take(&store, 2, 1_000 + LENGTH, vec![]);
    let epoch = close_due(&store, &funding(1_400, 10_000)).unwrap();
    let paid: Vec<(u8, u128)> =
        epoch.validators.iter().map(|paid| (paid.account.0[0], paid.amount)).collect();
    // 5 % of 1,400 in proportion 3,000 · 100 % to 1,000 · 50 %.
    assert_eq!(paid, [(50, 60), (51, 10)]);
}

#[test]
fn who_is_replaced_before_the_end_is_paid_for_his_part() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let nav = |epoch, time_ms| SettledNav {
        digest: Digest::ZERO,
        epoch,
        signers: 0,
        observers: 0b11,
        time_ms,
        nav_e18: 1,
    };
    let navs = vec![Change::Settled(1, nav(1, 2_000)), Change::Settled(2, nav(2, 3_000))];
    take(&store, 1, 3_000, navs);
    take(&store, 2, 1_000 + LENGTH, vec![]);
    let stakes = vec![(Account([51; 32]), 2_000), (Account([52; 32]), 2_000)];
    let funding = Funding { stakes, ..funding(1_600, 10_000) };
    let epoch = close_due(&store, &funding).unwrap();
    let paid: BTreeMap<u8, u128> =
        epoch.validators.iter().map(|paid| (paid.account.0[0], paid.amount)).collect();
    assert_eq!(paid, BTreeMap::from([(50, 20), (51, 40), (52, 20)]), "80 by halves and a whole");
}

#[test]
fn an_award_is_one_more_report_of_the_epoch_in_which_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let award = |epoch, committee, ranked_by, settled_ms| {
        Change::Awarded(
            epoch,
            SettledAward { ranking: Digest::ZERO, ranked_by, committee, settled_ms },
        )
    };
    // Of a committee that nobody knows, it is no report.
    take(&store, 1, at(1, 0), vec![award(1, 9, 0b11, at(1, 0))]);
    take(&store, 2, at(2, 0), vec![award(2, 1, 0b10, at(2, 0))]);
    let paid =
        |epoch: Epoch| -> Vec<u128> { epoch.validators.iter().map(|paid| paid.amount).collect() };
    let first = close_due(&store, &funding(1_400, 10_000)).unwrap();
    assert_eq!(paid(first), [0, 0], "settled with the block that ends it, it is the next one's");
    take(&store, 3, at(3, 0), vec![]);
    let second = close_due(&store, &funding(1_400, 10_000)).unwrap();
    let [whole, none] = paid(second)[..] else { panic!("two in office") };
    assert!(none == 0 && whole > 0);
}

#[test]
fn a_spike_is_flagged_and_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    take(&store, 1, at(1, 9), [mint(at(1, 9), 1, TAO), mint(at(1, 9), 2, TAO)].concat());
    take(
        &store,
        2,
        at(2, 9),
        [mint(at(2, 9), 1, 10 * TAO + 1), mint(at(2, 9), 2, 10 * TAO)].concat(),
    );
    close_due(&store, &funding(100, 1_000)).unwrap();
    take(&store, 3, at(3, 9), vec![]);
    let second = close_due(&store, &funding(100, 1_000)).unwrap();
    assert!(second.spikes.is_empty(), "without a past there is no spike");
    let now = running(&store, &schedule()).unwrap();
    let live = standings(&store, &now, 4).unwrap();
    assert_eq!(live.spikes, [Account([1; 32])], "above ten times, not at ten times");
    assert_eq!(live.scores.len(), 2);
}

#[test]
fn an_epoch_has_a_length_of_at_most_31_days() {
    assert_eq!(Schedule::new(0, 0), None);
    assert!(Schedule::new(0, 744 * 3_600_000).is_some());
    assert_eq!(Schedule::new(0, 744 * 3_600_000 + 1), None);
}
