use super::*;
use crate::rows::{Change, SettledNav, Trade};
use cicada_core::activity::Side;
use cicada_core::ranking::{Own, Statement};

const MINER: Account = Account([9; 32]);

fn trade(value: u128) -> Change {
    Change::Traded(Trade { time_ms: 5, miner: MINER, side: Side::Mint, tokens: value, value })
}

fn block(number: u64, changes: Vec<(u32, Change)>) -> Block {
    Block { at: Cursor { block: number, hash: Digest([1; 32]), time_ms: number * 10 }, changes }
}

fn none() -> BTreeMap<u32, Members> {
    BTreeMap::new()
}

fn observation(nav_e18: u128, time_ms: u64) -> Observation {
    Observation { seat: 3, nav_e18, time_ms, signature: [7; 64] }
}

#[test]
fn an_event_counts_once_however_often_its_block_comes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"a").unwrap();
    assert_eq!(store.cursor().unwrap(), None);
    let blocks = [block(5, vec![(1, trade(10)), (3, trade(20))]), block(6, vec![(1, trade(30))])];
    for _ in 0..2 {
        store.take(&blocks, &none()).unwrap();
    }
    store.take(&[blocks[1].clone(), block(7, vec![(0, trade(40))])], &none()).unwrap();
    let values: Vec<u128> = store.events(0..8).unwrap().iter().map(|e| e.value).collect();
    assert_eq!(values, [10, 20, 30, 40]);
    assert_eq!((store.count_events().unwrap(), store.cursor().unwrap().unwrap().block), (4, 7));
    let ids: Vec<(u64, u32)> =
        store.events(5..6).unwrap().iter().map(|e| (e.block, e.index)).collect();
    assert_eq!(ids, [(5, 1), (5, 3)], "the end of a range is not in it");
}

#[test]
fn a_block_that_is_left_out_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"a").unwrap();
    store.take(&[block(5, vec![])], &none()).unwrap();
    let error = store.take(&[block(6, vec![(0, trade(1))]), block(8, vec![])], &none());
    assert!(matches!(error, Err(StoreError::Gap { expected: 7, got: 8 })), "{error:?}");
    assert_eq!(store.cursor().unwrap().unwrap().block, 5, "block 6 neither");
    assert_eq!(store.count_events().unwrap(), 0);
}

#[test]
fn settled_navs_penalties_and_committees_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let nav = SettledNav {
        digest: Digest([2; 32]),
        epoch: 1,
        signers: 3,
        observers: 5,
        time_ms: 40,
        nav_e18: 9,
    };
    let committees = BTreeMap::from([(1, vec![(Account([1; 32]), 5), (Account([2; 32]), 6)])]);
    {
        let store = Store::open(folder.path(), b"a").unwrap();
        let changes = vec![(0, Change::Settled(1, nav)), (1, Change::Settled(2, nav))];
        store.take(&[block(5, changes)], &committees).unwrap();
    }
    let store = Store::open(folder.path(), b"a").unwrap();
    assert_eq!(store.settled_since(40).unwrap(), [(2, nav), (1, nav)]);
    assert!(store.settled_since(41).unwrap().is_empty());
    assert_eq!(store.newest_settled(1).unwrap(), [(2, nav)]);
    assert_eq!(store.committees().unwrap(), committees);
    assert!(store.newest_penalties(9).unwrap().is_empty());
}

#[test]
fn an_epoch_gets_one_ranking_whatever_committee_signs_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = |seat, ranking: u8, signed_ms| Own {
        statement: Statement {
            seat,
            epoch: 4,
            start_ms: 1,
            end_ms: 2,
            ranking: Digest([ranking; 32]),
            signature: [7; 64],
        },
        signed_ms,
    };
    {
        let store = Store::open(folder.path(), b"a").unwrap();
        assert!(!store.has_ranked(4).unwrap());
        store.keep_statement(&Digest([1; 32]), &own(3, 5, 9)).unwrap();
    }
    let store = Store::open(folder.path(), b"a").unwrap();
    assert_eq!(store.statement(4, &Digest([1; 32])).unwrap(), Some(own(3, 5, 9)));
    assert_eq!(store.statement(4, &Digest([2; 32])).unwrap(), None);
    for committee in [[1; 32], [2; 32]] {
        let error = store.keep_statement(&Digest(committee), &own(3, 6, 10));
        assert!(matches!(error, Err(StoreError::RankedOther(4))), "{error:?}");
    }
    let mut later = own(3, 5, 10);
    later.statement.end_ms = 3;
    assert!(store.keep_statement(&Digest([2; 32]), &later).is_err(), "another time");
    store.keep_statement(&Digest([2; 32]), &own(8, 5, 10)).unwrap();
    assert_eq!(store.statement(4, &Digest([2; 32])).unwrap(), Some(own(8, 5, 10)));
    assert!(store.has_ranked(4).unwrap() && !store.has_ranked(5).unwrap());
}

#[test]
fn no_slot_gets_two_values() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path(), b"a").unwrap();
        store.keep_observation(4, &Digest([1; 32]), &observation(100, 1)).unwrap();
        let other = store.keep_observation(4, &Digest([1; 32]), &observation(101, 1));
        assert!(matches!(other, Err(StoreError::SignedOther(4))), "{other:?}");
        store.keep_observation(4, &Digest([1; 32]), &observation(100, 2)).unwrap();
        store.keep_observation(4, &Digest([2; 32]), &observation(101, 2)).unwrap();
        store.keep_observation(5, &Digest([1; 32]), &observation(101, 2)).unwrap();
    }
    let store = Store::open(folder.path(), b"a").unwrap();
    assert_eq!(store.observation(4, &Digest([1; 32])).unwrap(), Some(observation(100, 2)));
    store.keep_observation(4, &Digest([1; 32]), &observation(102, 3)).unwrap();
    let older = store.keep_observation(4, &Digest([1; 32]), &observation(100, 2));
    assert!(older.is_err(), "nothing of a round that is over");
    assert_eq!(store.observation(6, &Digest([1; 32])).unwrap(), None);
}

#[test]
fn a_store_has_one_user_and_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"a").unwrap();
    assert!(matches!(Store::open(folder.path(), b"a"), Err(StoreError::InUse(_))));
    drop(store);
    assert!(matches!(Store::open(folder.path(), b"b"), Err(StoreError::Foreign(_))));
    assert!(Store::open(folder.path(), b"a").is_ok());
}

#[test]
fn whoever_signs_two_values_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), b"a").unwrap();
    let of = |seat, nav_e18, time_ms| Observation { seat, ..observation(nav_e18, time_ms) };
    let seen = |slot, all: &[Observation]| store.witness(slot, &Digest([1; 32]), all).unwrap();
    assert!(seen(4, &[of(1, 100, 1), of(2, 100, 1)]).is_empty());
    assert!(seen(4, &[of(1, 100, 9)]).is_empty(), "the same value at another time");
    assert!(seen(5, &[of(1, 101, 9)]).is_empty(), "another slot");
    assert_eq!(seen(4, &[of(1, 101, 9), of(2, 100, 1)]), [(of(1, 100, 9), of(1, 101, 9))]);
    let earlier = of(1, 102, 1);
    assert_eq!(seen(4, &[earlier]), [(of(1, 100, 1), earlier)], "of an earlier round, told late");
    assert!(
        store.witness(4, &Digest([2; 32]), &[of(1, 102, 9)]).unwrap().is_empty(),
        "of another epoch"
    );
    // Nobody fills the disk with times.
    let many: Vec<_> = (0..1_000).map(|time_ms| of(3, 100, time_ms)).collect();
    assert!(seen(4, &many).is_empty());
    assert!(!seen(4, &[of(3, 101, 31)]).is_empty() && seen(4, &[of(3, 101, 32)]).is_empty());
    assert!(seen(4 + WITNESSED_KEPT + 1, &[]).is_empty());
    assert!(seen(4, &[of(1, 101, 9)]).is_empty(), "forgotten after a day");
}
