use super::*;
use crate::block::{Bytes, Emitted};
use crate::columns::{Column, Columns};
use crate::simulation::{identity, person, Simulation};
use crate::store::dump::dump;
use cicada_contracts::exchange::events::Traded;
use cicada_contracts::token::events::Transfer;
use cicada_contracts::Event;
use cicada_core::exchange::Side;
use cicada_core::quote::Framework;
use cicada_core::Account;
use parity_scale_codec::Encode;
use std::collections::BTreeMap;

fn fresh() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &identity()).unwrap();
    (folder, store)
}

fn filled(seed: u64, trades: u64) -> (tempfile::TempDir, Store, Simulation, Vec<Block>) {
    let (folder, mut store) = fresh();
    let mut simulation = Simulation::new(seed);
    let blocks = simulation.blocks(trades);
    for block in &blocks {
        assert_eq!(store.take(block).unwrap(), Taken::Now);
    }
    (folder, store, simulation, blocks)
}

fn state(store: &Store) -> serde_json::Value {
    dump(&store.database).unwrap()
}

type Amounts = (u128, u128);

fn holdings(store: &Store) -> BTreeMap<(u32, Account), Amounts> {
    let select = "SELECT token, account, amount, in_orders, total FROM holdings";
    let mut select = store.database.prepare(select).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let [amount, in_orders, total] = [2, 3, 4].map(|column| row.read(column).unwrap());
        assert_eq!(total, amount + in_orders);
        Ok(((row.get(0)?, row.read(1)?), (amount, in_orders)))
    };
    select.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn units(store: &Store, select: &str) -> Vec<u128> {
    let mut select = store.database.prepare(select).unwrap();
    select.query_map([], |row| row.read(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_is_kept_is_what_the_contracts_know() {
    for seed in 0..8 {
        let (_folder, store, simulation, _) = filled(seed, 400);
        assert_eq!(holdings(&store), simulation.holdings(), "seed {seed}");
        assert_eq!(
            units(&store, "SELECT reserve FROM markets ORDER BY market"),
            simulation.reserves
        );
        let select =
            "SELECT id, owner, side, price, remaining FROM orders WHERE state = 'open' ORDER BY id";
        let mut select = store.database.prepare(select).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, u64>(0)?, row.read(1)?, row.read(2)?, row.read(3)?, row.read(4)?))
        };
        let open: Vec<_> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
        let mut book = simulation.book.clone();
        book.sort_by_key(|order| order.id);
        let book: Vec<_> = book.iter().map(|o| (o.id, o.owner, o.side, o.price, o.left)).collect();
        assert_eq!(open, book, "seed {seed}");
        assert!(!open.is_empty(), "a test without resting orders shows little");
        assert_eq!(store.counts().unwrap().trades, simulation.trades);
        assert_eq!(store.counts().unwrap().unknown, 0);
    }
}

#[test]
fn the_exchange_holds_its_reserves_and_nothing_that_nobody_owns() {
    let (_folder, store, simulation, _) = filled(9, 600);
    let held = holdings(&store);
    let reserves: u128 = simulation.reserves.iter().sum();
    assert_eq!(held[&(0, identity().exchange)], (reserves, 0));
    for token in 1..=3 {
        assert!(
            !held.contains_key(&(token, identity().exchange)),
            "tokens in orders are their owners'"
        );
    }
}

#[test]
fn positions_agree_with_holdings_and_trades() {
    let (_folder, store, simulation, _) = filled(10, 600);
    let held = simulation.holdings();
    let mut select = store
        .database
        .prepare("SELECT amount, cost, paid, proceeds, cost_sold, cost_given, market, account FROM positions")
        .unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let position = ledger::read_position(row, 0)?;
        Ok((position, row.get::<_, u32>(6)?, row.read::<Account>(7)?))
    };
    let positions: Vec<_> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
    assert!(positions.len() > 30);
    let mut seen = 0;
    for (position, market, account) in positions {
        let (amount, in_orders) = held.get(&(market + 1, account)).copied().unwrap_or_default();
        seen += usize::from(amount + in_orders > 0);
        assert_eq!(position.amount, amount + in_orders);
        assert_eq!(position.paid, position.cost + position.cost_sold + position.cost_given);
        // What was paid and received, straight from the trades.
        let sum = |side: Side| -> u128 {
            let select = "SELECT value FROM trades WHERE market = ?1 AND \
                          ((taker = ?2 AND side = ?3) OR (maker = ?2 AND side = ?4))";
            let mut select = store.database.prepare(select).unwrap();
            let parameters = (market, account.sql(), side.sql(), side.opposite().sql());
            let values = select.query_map(parameters, |row| row.read::<u128>(0)).unwrap();
            values.map(Result::unwrap).sum()
        };
        assert_eq!((position.paid, position.proceeds), (sum(Side::Buy), sum(Side::Sell)));
    }
    let holders = held.iter().filter(|((token, _), _)| *token > 0).count();
    assert_eq!(seen, holders, "every holder has a position");
}

#[test]
fn candles_are_the_trades_summed_up() {
    let (_folder, store, ..) = filled(11, 500);
    for step in apply::STEPS_MS {
        let volume: u128 =
            units(&store, &format!("SELECT volume FROM candles WHERE step_ms = {step}"))
                .iter()
                .sum();
        assert_eq!(volume, units(&store, "SELECT amount FROM trades").iter().sum());
        let value: u128 =
            units(&store, &format!("SELECT value FROM candles WHERE step_ms = {step}"))
                .iter()
                .sum();
        assert_eq!(value, units(&store, "SELECT value FROM trades").iter().sum());
        let bad = format!(
            "SELECT low FROM candles WHERE step_ms = {step} AND \
             (low > open OR low > close OR high < open OR high < close OR start_ms % {step} <> 0)"
        );
        assert!(units(&store, &bad).is_empty());
    }
    let first =
        units(&store, "SELECT price FROM trades WHERE market = 0 ORDER BY block, idx LIMIT 1");
    let open = "SELECT open FROM candles WHERE market = 0 AND step_ms = 86400000 ORDER BY start_ms LIMIT 1";
    assert_eq!(units(&store, open), first);
}

#[test]
fn a_block_that_is_brought_again_changes_nothing() {
    let (folder, mut store, _, blocks) = filled(12, 200);
    let before = state(&store);
    for block in &blocks {
        assert_eq!(store.take(block).unwrap(), Taken::Before);
    }
    assert_eq!(state(&store), before);
    drop(store);
    let mut store = Store::open(folder.path(), &identity()).unwrap();
    assert_eq!(store.take(&blocks[0]).unwrap(), Taken::Before);
    assert_eq!(state(&store), before, "also after it was opened again");
}

#[test]
fn another_chain_is_refused() {
    let (folder, mut store, mut simulation, blocks) = filled(13, 100);
    let before = state(&store);
    let next = simulation.block();
    // The newest block, an older one with events, and one that stands on another.
    let newest = blocks.last().unwrap();
    let with_events = blocks.iter().find(|block| !block.events.is_empty()).unwrap();
    for block in [newest, with_events] {
        let other = Block { hash: Digest([9; 32]), ..block.clone() };
        let error = store.take(&other).unwrap_err();
        assert!(matches!(error, StoreError::OtherBlock(n) if n == block.number), "{error}");
        assert!(error.to_string().contains("another data folder"), "{error}");
    }
    let stranger = Block { parent: Digest([9; 32]), ..next.clone() };
    assert!(matches!(store.take(&stranger), Err(StoreError::OtherBlock(n)) if n == newest.number));
    let later = Block { number: next.number + 1, ..next.clone() };
    let gap = store.take(&later).unwrap_err();
    assert!(matches!(gap, StoreError::Gap { expected, .. } if expected == next.number), "{gap}");
    assert_eq!(state(&store), before, "nothing of it is kept");
    store.take(&next).unwrap();
    drop(store);
    for (other, what) in [
        (Identity { genesis: Digest([1; 32]), ..identity() }, "chain"),
        (Identity { exchange: Account([1; 32]), ..identity() }, "exchange"),
    ] {
        let error = Store::open(folder.path(), &other).err().unwrap().to_string();
        assert!(error.contains(&format!("another {what}")), "{error}");
    }
}

/// An event: of which contract, its name and its fields.
type Said = (Account, Option<&'static str>, Vec<u8>);

fn said<E: Event + Encode>(contract: Account, event: E) -> Said {
    (contract, Some(E::NAME), event.encode())
}

fn moved(token: Account, from: Option<Account>, to: Option<Account>, value: u128) -> Said {
    said(token, Transfer { from, to, value })
}

/// A block after the newest one with these events of one transaction.
fn after(store: &Store, events: Vec<Said>) -> Block {
    let at = store.cursor().unwrap().unwrap();
    let event = |(index, (contract, name, data)): (u32, Said)| Emitted {
        index,
        extrinsic: Some(1),
        contract,
        name: name.map(Into::into),
        data: Bytes(data),
    };
    Block {
        number: at.block + 1,
        hash: Digest([8; 32]),
        parent: at.hash,
        time_ms: at.time_ms + 1,
        events: (0..).zip(events).map(event).collect(),
        rankings: vec![],
    }
}

#[test]
fn events_that_do_not_fit_stop_it_and_leave_nothing() {
    let (_folder, mut store, ..) = filled(14, 100);
    let before = state(&store);
    let exchange = identity().exchange;
    let name = Framework::new("claude").unwrap();
    let strange = Framework::new("strange").unwrap();
    let poor = moved(identity().currency, Some(Account([5; 32])), Some(Account([6; 32])), 1);
    let trade = |framework: &Framework, order: Option<u64>, amount: u128| {
        let (framework, taker) = (framework.clone(), [5; 32]);
        let (maker, side, price) = (None, Side::Sell, 10);
        said(
            exchange,
            Traded { framework, taker: Account(taker), maker, side, price, amount, order },
        )
    };
    let cases = [
        (poor, "moves more of MMC"),
        ((exchange, Some(Traded::NAME), vec![1, 2]), "no Traded can be read"),
        (trade(&strange, None, 1), "strange has no market"),
        (trade(&name, Some(999_999), 1), "999999 is not open"),
        (trade(&name, None, u128::MAX), "beyond all money"),
        (trade(&name, None, 1 << 100), "does not reach"),
    ];
    for (event, says) in cases {
        let block = after(&store, vec![event]);
        let error = store.take(&block).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(state(&store), before, "{says}");
    }
}

#[test]
fn what_is_not_known_is_kept_as_it_came_and_counted() {
    let (_folder, mut store, ..) = filled(15, 50);
    let before = store.counts().unwrap();
    let exchange = identity().exchange;
    let block = after(
        &store,
        vec![
            (exchange, None, vec![1]),
            (exchange, Some("Renamed"), vec![]),
            (person(1), None, vec![]),
        ],
    );
    store.take(&block).unwrap();
    let counts = store.counts().unwrap();
    assert_eq!(counts.unknown, before.unknown + 2);
    assert_eq!(counts.events, before.events + 2, "what a stranger emits is not kept");
}

#[test]
fn gifts_and_flash_trades_in_one_transaction_settle() {
    let (_folder, mut store, simulation, _) = filled(16, 200);
    let exchange = identity().exchange;
    let token = crate::simulation::account("token", 1);
    let (giver, amount) = simulation
        .holdings()
        .into_iter()
        .find_map(|((token, account), (amount, _))| {
            (token == 1 && amount > 3).then_some((account, amount))
        })
        .unwrap();
    // Somebody gets tokens, sells all of them, and that is all one transaction.
    let new = [77u8; 32];
    let trade = Traded {
        framework: Framework::new("claude").unwrap(),
        taker: Account(new),
        maker: None,
        side: Side::Sell,
        price: 10,
        amount,
        order: None,
    };
    let events = vec![
        said(exchange, trade),
        moved(token, Some(giver), Some(Account(new)), amount),
        moved(token, Some(Account(new)), None, amount),
        moved(identity().currency, Some(exchange), Some(Account(new)), 10 * amount),
    ];
    store.take(&after(&store, events)).unwrap();
    let select = "SELECT amount, cost, paid, proceeds, cost_sold, cost_given FROM positions \
                  WHERE account = ?1 AND market = 0";
    let position = |account: Account| {
        store.database.query_row(select, [account.sql()], |row| ledger::read_position(row, 0))
    };
    let seller = position(Account(new)).unwrap();
    assert_eq!((seller.amount, seller.paid, seller.proceeds), (0, 0, 10 * amount));
    assert_eq!(
        position(giver).unwrap().amount,
        simulation.holdings().get(&(1, giver)).map_or(0, |h| h.1)
    );
}

#[test]
fn the_chain_of_a_store_is_known_before_it_is_opened() {
    let (folder, store) = fresh();
    assert_eq!(genesis(folder.path()).unwrap(), Some(identity().genesis));
    drop(store);
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(genesis(nowhere.path()).unwrap(), None);
    assert!(!file(nowhere.path()).exists(), "nothing is made");
    Connection::open(file(nowhere.path())).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert_eq!(genesis(nowhere.path()).unwrap(), None);
}

#[test]
fn a_file_of_another_program_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let other = Connection::open(file(folder.path())).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Store::open(folder.path(), &identity()).err().unwrap().to_string();
    assert!(error.contains("another program"), "{error}");
    let count = "SELECT count(*) FROM sqlite_schema";
    assert_eq!(other.query_row(count, [], |row| row.get::<_, u64>(0)).unwrap(), 1);
}

#[test]
fn a_node_of_the_same_history_has_the_hashes_that_are_remembered() {
    let (_folder, mut store) = fresh();
    assert_eq!(store.remembered(u64::MAX).unwrap(), None);
    let blocks = Simulation::new(1).blocks(20);
    for block in &blocks {
        store.take(block).unwrap();
    }
    let newest = blocks.last().unwrap();
    assert_eq!(store.remembered(u64::MAX).unwrap(), Some((newest.number, newest.hash)));
    // A node that is behind is compared where it is.
    for upto in blocks[0].number..newest.number {
        if let Some((number, hash)) = store.remembered(upto).unwrap() {
            let block = blocks.iter().find(|block| block.number == number).unwrap();
            assert!(number <= upto && block.hash == hash);
        }
    }
    assert!(store.remembered(newest.number - 1).unwrap().is_some());
}
