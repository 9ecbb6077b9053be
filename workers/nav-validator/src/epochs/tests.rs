use super::*;
use crate::rows::{Block, Change, Cursor, SettledNav, Trade};
use cicada_amounts::TAO;
use cicada_core::activity::Side;

const LENGTH: u64 = 3_600_000;

fn schedule() -> Schedule {
    Schedule::new(1_000, LENGTH).unwrap()
}

fn mint(time_ms: u64, miner: u8, value: u128) -> Change {
    Change::Traded(Trade { time_ms, miner: [miner; 32], side: Side::Mint, value })
}

fn take(store: &Store, number: u64, time_ms: u64, changes: Vec<Change>) {
    let at = Cursor { block: number, hash: [0; 32], time_ms };
    let changes = (0u32..).zip(changes).collect();
    store.take(&[Block { at, changes }], &BTreeMap::from([(1, vec![[50; 32], [51; 32]])])).unwrap();
}

fn funding(pool: u128, funded: u128) -> Funding {
    let stakes = vec![([50; 32], 3_000), ([51; 32], 1_000)];
    Funding { emission: Emission::constant(pool), funded, stakes }
}

fn close_due(store: &Store, funding: &Funding) -> Option<Epoch> {
    let now = running(store, &schedule()).unwrap();
    let block = due(store, &now).unwrap()?;
    Some(close(store, &now, block, funding, &Related::default()).unwrap())
}

#[test]
fn an_epoch_ends_with_the_first_block_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let end = 1_000 + LENGTH;
    take(&store, 1, 999, vec![mint(999, 1, TAO)]);
    take(&store, 2, 1_000, vec![mint(1_000, 1, 2 * TAO), mint(1_000, 2, TAO)]);
    take(&store, 3, end - 1, vec![mint(end - 1, 2, TAO / 1_000)]);
    assert_eq!(close_due(&store, &funding(100, 1_000)), None, "not over");
    take(&store, 4, end, vec![mint(end, 3, TAO)]);
    let epoch = close_due(&store, &funding(100, 1_000)).unwrap();
    assert_eq!((epoch.closed_by, epoch.award.epoch, epoch.award.end_ms), (4, 1, end));
    let ranked: Vec<u8> = epoch.placements.iter().map(|place| place.miner[0]).collect();
    assert_eq!(ranked, [1, 2], "the event of the closing block is the next epoch's");
    assert_eq!((epoch.ignored.outside, epoch.ignored.too_small), (1, 1));
    assert_eq!(close_due(&store, &funding(100, 1_000)), None, "once");
    let now = running(&store, &schedule()).unwrap();
    let live = standings(&store, &now, 5, &Related::default()).unwrap();
    assert_eq!(live.scores.iter().map(|score| score.miner[0]).collect::<Vec<_>>(), [3]);
}

#[test]
fn money_is_conserved_from_epoch_to_epoch_and_what_is_missing_is_not_paid() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    take(&store, 1, 2_000, vec![mint(2_000, 1, TAO)]);
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
        digest: [0; 32],
        epoch: 1,
        signers,
        observers,
        time_ms: 2_000,
        nav_e18: 1,
    };
    // Seat 0 signs the first and observes in the second; seat 1 is in the second only.
    let changes = vec![Change::Settled(1, nav(0b01, 0)), Change::Settled(2, nav(0b10, 0b01))];
    take(&store, 1, 2_000, changes);
    take(&store, 2, 1_000 + LENGTH, vec![]);
    let epoch = close_due(&store, &funding(1_400, 10_000)).unwrap();
    let paid: Vec<(u8, u128)> =
        epoch.validators.iter().map(|paid| (paid.account[0], paid.amount)).collect();
    // 5 % of 1,400 in proportion 3,000 · 100 % to 1,000 · 50 %.
    assert_eq!(paid, [(50, 60), (51, 10)]);
}

#[test]
fn a_spike_is_flagged_and_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    take(&store, 1, 2_000, vec![mint(2_000, 1, TAO), mint(2_000, 2, TAO)]);
    take(&store, 2, 1_000 + LENGTH, vec![]);
    let first = close_due(&store, &funding(100, 1_000)).unwrap();
    assert!(first.spikes.is_empty(), "without a past there is no spike");
    let later = 2_000 + LENGTH;
    take(&store, 3, later, vec![mint(later, 1, 10 * TAO + 1), mint(later, 2, 10 * TAO)]);
    let now = running(&store, &schedule()).unwrap();
    let live = standings(&store, &now, 4, &Related::default()).unwrap();
    assert_eq!(live.spikes, [[1; 32]], "above ten times, not at ten times");
    assert_eq!(live.scores.len(), 2);
}

#[test]
fn a_round_trip_of_related_accounts_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"").unwrap();
    let redeem =
        Change::Traded(Trade { time_ms: 2_000, miner: [2; 32], side: Side::Redeem, value: TAO });
    take(&store, 1, 2_000, vec![mint(2_000, 1, TAO), redeem]);
    let now = running(&store, &schedule()).unwrap();
    let counted = |related: &Related| -> Vec<u8> {
        let live = standings(&store, &now, 2, related).unwrap();
        live.tally.activities.iter().map(|activity| activity.miner[0]).collect()
    };
    assert_eq!(counted(&Related::default()), [1, 2]);
    let related = Related::new(&[vec![[1; 32], [2; 32]]]).unwrap();
    assert_eq!(counted(&related), [2], "the mint was closed by the redemption");
}

#[test]
fn an_epoch_has_a_length_of_at_most_31_days() {
    assert_eq!(Schedule::new(0, 0), None);
    assert!(Schedule::new(0, 744 * 3_600_000).is_some());
    assert_eq!(Schedule::new(0, 744 * 3_600_000 + 1), None);
}
