use super::accounts::{HOLDERS, HOLDINGS, ORDERS, POSITIONS};
use super::*;
use crate::simulation::{identity, person, Simulation};
use crate::store::{reader, Store};
use cicada_core::quote::Framework;
use cicada_core::Account;

fn filled() -> (tempfile::TempDir, Connection, Simulation) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), &identity()).unwrap();
    let mut simulation = Simulation::new(71);
    for block in simulation.blocks(500) {
        store.take(&block).unwrap();
    }
    let database = reader(folder.path()).unwrap();
    (folder, database, simulation)
}

fn name(text: &str) -> Framework {
    Framework::new(text).unwrap()
}

/// All pages, one after the other.
fn all<T>(mut ask: impl FnMut(Option<String>) -> Page<T>) -> Vec<T> {
    let (mut items, mut next) = (Vec::new(), None);
    loop {
        let page = ask(next.take());
        assert!(page.next.is_none() || !page.items.is_empty());
        items.extend(page.items);
        match page.next {
            Some(place) => next = Some(place),
            None => return items,
        }
    }
}

#[test]
fn no_statement_looks_at_a_whole_table() {
    let (_folder, database, _) = filled();
    let statements = [
        LAST,
        VOLUME,
        QUOTE,
        MARKET,
        TRADES,
        TRADES_OF_MARKET,
        TRADES_OF_ACCOUNT,
        TRADES_OF_BOTH,
        CANDLES,
        HOLDINGS,
        HOLDERS,
        POSITIONS,
        audit::OF_ACCOUNT,
        audit::OF_BLOCK,
    ];
    for select in statements.into_iter().chain(ORDERS) {
        let mut explain = database.prepare(&format!("EXPLAIN QUERY PLAN {select}")).unwrap();
        let count = explain.parameter_count();
        let parameters = rusqlite::params_from_iter(vec![1; count]);
        let steps = explain.query_map(parameters, |row| row.get::<_, String>(3)).unwrap();
        for step in steps.map(Result::unwrap) {
            assert!(!step.contains("SCAN"), "{step}: {select}");
            assert!(!step.contains("TEMP B-TREE"), "{step}: {select}");
        }
    }
}

#[test]
fn pages_of_trades_join_without_gap_or_repetition() {
    let (_folder, database, simulation) = filled();
    let ask = |framework: Option<&Framework>, account, limit| {
        all(|next| {
            let before = next.map_or(Place::END, |next| Place::parse(&next).unwrap());
            trades(&database, framework, account, before, limit).unwrap()
        })
    };
    let whole = ask(None, None, 500);
    assert_eq!(whole.len() as u64, simulation.trades);
    let places = |trades: &[Trade]| -> Vec<(u64, u32)> {
        trades.iter().map(|trade| (trade.block, trade.index)).collect()
    };
    assert!(whole
        .windows(2)
        .all(|two| (two[0].block, two[0].index) > (two[1].block, two[1].index)));
    assert_eq!(places(&ask(None, None, 7)), places(&whole));
    let (claude, somebody) = (name("claude"), person(3));
    for framework in [None, Some(&claude)] {
        for account in [None, Some(somebody)] {
            let expected: Vec<Trade> = whole
                .iter()
                .filter(|trade| framework.is_none_or(|name| trade.framework == *name))
                .filter(|t| account.is_none_or(|a| t.taker == a || t.maker == Some(a)))
                .cloned()
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(places(&ask(framework, account, 3)), places(&expected));
        }
    }
    assert!(matches!(
        trades(&database, Some(&name("none")), None, Place::END, 1),
        Err(QueryError::Absent(_))
    ));
}

#[test]
fn pages_of_orders_holders_and_events_join_too() {
    let (_folder, database, simulation) = filled();
    let ask = |account, framework: Option<&Framework>, state| {
        let ids = |limit| -> Vec<u64> {
            let ask = |next: Option<String>| {
                let before = next.map(|next| next.parse().unwrap());
                orders(&database, account, framework, state, before, limit).unwrap()
            };
            all(ask).iter().map(|order| order.id).collect()
        };
        assert_eq!(ids(3), ids(500));
        ids(500)
    };
    let everything = ask(None, None, None);
    assert!(everything.windows(2).all(|two| two[0] > two[1]));
    let by_state: usize = STATES.iter().map(|state| ask(None, None, Some(state)).len()).sum();
    assert_eq!(by_state, everything.len());
    assert_eq!(ask(None, None, Some("open")).len(), simulation.book.len());
    let owned =
        |owner: Account| simulation.book.iter().filter(|order| order.owner == owner).count();
    let owner = simulation.book[0].owner;
    assert_eq!(ask(Some(owner), None, Some("open")).len(), owned(owner));
    let (claude, in_claude) = (name("claude"), simulation.book.iter().filter(|o| o.market == 0));
    assert_eq!(ask(None, Some(&claude), Some("open")).len(), in_claude.count());
    assert!(ask(Some(owner), Some(&claude), None).len() <= ask(Some(owner), None, None).len());

    let held = simulation.holdings();
    let ask = |limit| {
        all(|next: Option<String>| {
            let after = next.map(|next| {
                let (total, account) = next.split_once('-').unwrap();
                let account = account.parse().unwrap();
                (Units(total.parse().unwrap()), account)
            });
            holders(&database, &claude, after, limit).unwrap()
        })
    };
    let whole: Vec<(Account, Units)> = ask(500).iter().map(|h| (h.account, h.total)).collect();
    assert_eq!(ask(2).iter().map(|h| (h.account, h.total)).collect::<Vec<_>>(), whole);
    assert_eq!(whole.len(), held.keys().filter(|(token, _)| *token == 1).count());
    let supply = market(&database, &claude).unwrap().outstanding.0;
    assert_eq!(whole.iter().map(|(_, total)| total.0).sum::<u128>(), supply);

    let trail = |limit| {
        all(|next| {
            let before = next.map_or(Place::END, |next| Place::parse(&next).unwrap());
            audit::of_account(&database, person(3), before, limit).unwrap()
        })
    };
    let places = |limit| trail(limit).iter().map(|e| (e.block, e.index)).collect::<Vec<_>>();
    assert_eq!(places(5), places(500));
    assert!(trail(500).iter().all(|entry| entry.fields.is_some()));
    let block = trail(500)[0].block;
    let of_block = |limit| {
        all(|next| {
            let after = next.map(|next| next.parse().unwrap());
            audit::of_block(&database, block, after, limit).unwrap()
        })
    };
    assert_eq!(of_block(1).len(), of_block(500).len());
    assert!(of_block(500).windows(2).all(|two| two[0].index < two[1].index));
}

#[test]
fn a_portfolio_adds_up() {
    let (_folder, database, simulation) = filled();
    let mut profit = 0;
    for number in 0..40 {
        let account = person(number);
        let portfolio = portfolio(&database, account).unwrap();
        let held = holdings(&database, account).unwrap();
        assert_eq!(held.holdings[0].amount, portfolio.mmc);
        assert_eq!(held.holdings[0].in_orders, portfolio.mmc_in_orders);
        for view in &portfolio.positions {
            let known =
                held.holdings.iter().find(|h| h.framework.as_ref() == Some(&view.framework));
            assert_eq!(view.amount, known.map_or(Units(0), |h| h.total));
            assert_eq!(view.in_orders, known.map_or(Units(0), |h| h.in_orders));
            let (value, bid) = (view.value.unwrap(), view.bid.unwrap());
            assert_eq!(value.0, view.amount.0 * bid.0);
            let sum = view.realised.0 + view.unrealised.unwrap().0;
            let plain = view.proceeds.0 as i128 + value.0 as i128 + view.cost_given.0 as i128
                - view.paid.0 as i128;
            assert_eq!(sum, plain);
        }
        assert_eq!(portfolio.total.without_bid, 0);
        profit += portfolio.total.realised.0 + portfolio.total.unrealised.0;
    }
    assert_ne!(profit, 0);
    let reserves: Vec<u128> = markets(&database).unwrap().iter().map(|m| m.reserve.0).collect();
    assert_eq!(reserves, simulation.reserves);
    let nobody = portfolio(&database, Account([99; 32])).unwrap();
    assert!(nobody.positions.is_empty() && nobody.total.value == Units(0));
}

#[test]
fn volume_is_that_of_a_day() {
    let (_folder, database, _) = filled();
    let everything = all(|next| {
        let before = next.map_or(Place::END, |next| Place::parse(&next).unwrap());
        trades(&database, Some(&name("openai")), None, before, 500).unwrap()
    });
    // All of it was traded within a day.
    let view = market(&database, &name("openai")).unwrap();
    let at_quote = everything.iter().filter(|trade| trade.maker.is_none());
    assert_eq!(view.volume_24h.0, at_quote.map(|trade| trade.amount.0).sum::<u128>());
    assert_eq!(view.last_price, Some(everything[0].price));
    assert!(view.quote_slot.unwrap() > 1);
}

#[test]
fn candles_have_bounds() {
    let (_folder, database, _) = filled();
    let claude = name("claude");
    let whole = candles(&database, &claude, 60_000, None, None).unwrap();
    assert!(whole.candles.len() > 5);
    let second = whole.candles[1].start_ms;
    let part = candles(&database, &claude, 60_000, Some(second), Some(second + 1)).unwrap();
    assert_eq!(part.candles, whole.candles[1..2], "from is inside, to is outside");
    let bad = |from, to| {
        candles(&database, &claude, 60_000, Some(from), Some(to)).unwrap_err().to_string()
    };
    assert!(bad(5, 4).contains("after"));
    assert!(bad(0, 60_000 * MAX_CANDLES + 1).contains("longer interval"));
    assert!(candles(&database, &claude, 60_000, Some(0), Some(60_000 * MAX_CANDLES)).is_ok());
}

#[test]
fn places_are_read_as_they_are_written() {
    let place = Place { block: 12, index: 3 };
    assert_eq!(Place::parse(&place.to_string()).unwrap(), place);
    for bad in ["", "12", "12-", "-3", "a-b", "99999999999999999999-1", "9223372036854775808-1"] {
        assert!(Place::parse(bad).is_err(), "{bad}");
    }
}
