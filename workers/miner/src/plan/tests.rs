use super::*;
use crate::fake::{World, COSTS, NOW, RULES, TOKEN};
use crate::gas::Costs;
use crate::ledger::Ledger;
use cicada_amounts::TAO;
use cicada_core::arbitrage::Halt;

fn idle(world: &World) -> Option<Idle> {
    world.decide(&RULES).idle
}

#[test]
fn above_nav_it_mints_once_and_sells_in_several_trades() {
    let mut world = World::at_price(10_500);
    let decision = world.decide(&RULES);
    assert_eq!((decision.spread_bps, decision.idle), (500, None));
    let planned = decision.batch.unwrap();
    let Batch::MintAndSell { tokens, trades } = &planned.batch else { panic!("{planned:?}") };
    assert_eq!(trades.iter().map(|trade| trade.pays.0).sum::<u128>(), tokens.0);
    assert!(trades.len() > 1 && trades.iter().all(|trade| trade.gets.0 < 11 * TAO));
    let before = world.wealth();
    world.apply(&planned.batch, &RULES);
    let gas = COSTS.mint + COSTS.trade * trades.len() as u128;
    let gained = i128::try_from(world.wealth() - before - gas).unwrap();
    assert!((gained - planned.profit.0).abs() < 100, "{gained}, planned {:?}", planned.profit);
    assert_eq!(world.seen.purse.index, 0, "nothing is kept");
}

#[test]
fn below_nav_it_buys_and_redeems_and_keeps_the_subnet_tokens() {
    let mut world = World::at_price(9_600);
    let mintable = world.seen.mintable_floor();
    let planned = world.decide(&RULES).batch.unwrap();
    let Batch::BuyAndRedeem { trades } = &planned.batch else { panic!("{planned:?}") };
    assert_eq!(trades[0].pays.0, 10 * TAO);
    let before = world.wealth();
    world.apply(&planned.batch, &RULES);
    let gas = COSTS.redeem + COSTS.trade * trades.len() as u128;
    let gained = i128::try_from(world.wealth() - before - gas).unwrap();
    assert!((gained - planned.profit.0).abs() < 100, "{gained}, planned {:?}", planned.profit);
    assert!(world.seen.mintable_floor() > mintable);
}

#[test]
fn a_spread_of_two_percent_is_closed_within_three_looks() {
    for bps in [9_800, 10_200] {
        let mut world = World::at_price(bps);
        let (had, mut ledger) = (world.wealth(), Ledger::default());
        let looks = world.run(&RULES, &mut ledger);
        assert!((1..=3).contains(&looks), "{looks}");
        assert!(world.spread() < 50, "{}", world.spread());
        assert!(world.wealth() > had);
    }
}

#[test]
fn one_trade_a_look_is_one_trade_of_at_most_ten_tao() {
    let rules = Rules { max_trades: 1, ..RULES };
    let planned = World::at_price(11_000).decide(&rules).batch.unwrap();
    let Batch::MintAndSell { tokens, trades } = planned.batch else { panic!() };
    assert_eq!((tokens.0, trades.len()), (10 * TOKEN, 1));
}

#[test]
fn a_trade_takes_four_fifths_of_what_is_there_and_leaves_crumbs_alone() {
    let rules = Rules { max_trades: 1, ..RULES };
    let mut world = World::at_price(9_000);
    // Otherwise what it buys would be more than half of what it has.
    world.seen.purse.tao = TAO;
    let planned = world.decide(&rules).batch.unwrap();
    let Batch::BuyAndRedeem { trades } = planned.batch else { panic!() };
    assert_eq!(trades[0].pays.0, TAO / 10 * 8);
    world.seen.purse.tao = TAO / 8 - 1;
    assert_eq!(idle(&world), Some(Idle::NothingPays));
}

#[test]
fn near_nav_without_nav_or_without_a_market_it_waits() {
    assert_eq!(idle(&World::at_price(10_049)), Some(Idle::SmallSpread));
    assert_eq!(idle(&World::at_price(9_951)), Some(Idle::SmallSpread));
    let world = World::at_price(11_000);
    let blind = Moment { nav_e18: 0, ..world.moment() };
    assert_eq!(decide(&world.seen, &RULES, &blind).unwrap().idle, Some(Idle::NoFreshNav));
    let mut empty = world.clone();
    empty.seen.pool = Default::default();
    assert_eq!(idle(&empty), Some(Idle::EmptyPool));
    let mut unborn = world;
    unborn.seen.index.supply = 0;
    assert_eq!(idle(&unborn), Some(Idle::NoSupply));
}

#[test]
fn no_trade_may_turn_out_a_loss_at_nav() {
    let mut trades = 0;
    for (spread, pool_fee, index_fee) in (50u128..=300)
        .step_by(10)
        .flat_map(|spread| [(spread, 0, 0), (spread, 30, 0), (spread, 30, 10)])
    {
        let world = |bps| {
            let mut world = World::at_price(bps);
            (world.seen.pair_fee_bps, world.seen.index.fee_bps) = (pool_fee, index_fee);
            world
        };
        let (dear, cheap) = (world(10_000 + spread), world(10_000 - spread));
        let nav = dear.nav();
        let why = format!("{spread} bps, fees {pool_fee} and {index_fee}");
        match dear.decide(&RULES).batch.map(|planned| planned.batch) {
            Some(Batch::MintAndSell { trades: sales, .. }) => {
                let mut gas = COSTS.mint;
                for sale in &sales {
                    // The fee makes what is minted cost more than what is sold.
                    let value = mul_div_ceil(sale.pays.0, nav, UNIT_SCALE).unwrap();
                    gas += COSTS.trade;
                    assert!(sale.least.0 >= value + gas, "{why}: {sale:?}");
                    assert!(sale.least <= sale.gets);
                    gas = 0;
                }
                trades += sales.len();
            }
            other => assert_eq!(other, None, "{why}"),
        }
        match cheap.decide(&RULES).batch.map(|planned| planned.batch) {
            Some(Batch::BuyAndRedeem { trades: purchases }) => {
                let mut gas = COSTS.redeem;
                for purchase in &purchases {
                    let left = after_fee_floor(purchase.least.0, index_fee).unwrap();
                    gas += COSTS.trade;
                    let (value, cost) = (worth_floor(left, nav).unwrap(), purchase.pays.0 + gas);
                    assert!(value + 1 >= cost, "{why}: {value} for {cost}");
                    assert!(purchase.least <= purchase.gets);
                    gas = 0;
                }
                trades += purchases.len();
            }
            other => assert_eq!(other, None, "{why}"),
        }
    }
    assert!(trades > 100, "{trades}");
}

#[test]
fn gas_that_eats_the_profit_stops_a_trade() {
    let world = World::at_price(10_200);
    let gas = Costs { mint: TAO, ..COSTS };
    let dear = Moment { costs: gas, ..world.moment() };
    assert_eq!(decide(&world.seen, &RULES, &dear).unwrap().idle, Some(Idle::NothingPays));
}

#[test]
fn losses_stop_everything() {
    let world = World::at_price(11_000);
    for (halt, idle) in [(Halt::DailyLoss, Idle::DailyLoss), (Halt::StopLoss, Idle::StopLoss)] {
        let moment = Moment { halt: Some(halt), neutral_due: true, ..world.moment() };
        let rules = Rules { neutral: Some(NEUTRAL), ..RULES };
        let decision = decide(&world.seen, &rules, &moment).unwrap();
        assert_eq!((decision.batch, decision.idle), (None, Some(idle)));
    }
}

#[test]
fn a_fall_of_the_nav_is_a_loss_that_stops_it() {
    let mut world = World::at_price(9_000);
    let mut ledger = Ledger::default();
    assert!(world.run(&RULES, &mut ledger) > 0);
    for held in &mut world.seen.index.holdings {
        held.price_e18 = held.price_e18 / 10 * 7;
    }
    world.settle_nav();
    world.seen.pool.b *= 2;
    assert_eq!(world.run(&RULES, &mut ledger), 0);
    assert!(ledger.stopped);
}

#[test]
fn what_it_holds_is_sold_before_anything_is_minted() {
    let mut world = World::at_price(10_300);
    world.mint(8 * TOKEN, &RULES);
    world.settle_nav();
    let planned = world.decide(&RULES).batch.unwrap();
    let Batch::SellStock { trades } = &planned.batch else { panic!("{planned:?}") };
    assert!(trades.iter().map(|trade| trade.pays.0).sum::<u128>() <= 8 * TOKEN);
    world.apply(&planned.batch, &RULES);
}

#[test]
fn paused_minting_and_a_minimum_are_respected() {
    let mut world = World::at_price(10_300);
    world.seen.index.minting_paused = true;
    assert_eq!(idle(&world), Some(Idle::MintingPaused));
    world.seen.index.minting_paused = false;
    world.seen.index.minimum = 100 * TOKEN;
    assert_eq!(idle(&world), Some(Idle::NothingPays));
    let mut cheap = World::at_price(9_700);
    cheap.seen.index.minimum = 100 * TOKEN;
    assert_eq!(idle(&cheap), Some(Idle::NothingPays), "it could not be redeemed");
}

#[test]
fn above_half_it_takes_on_no_more_and_from_four_fifths_it_gives_up() {
    let mut world = World::at_price(9_700);
    world.seen.purse = crate::seen::Purse { tao: 40 * TAO, index: 60 * TOKEN, basket: vec![0; 20] };
    assert_eq!(idle(&world), Some(Idle::FullInventory));
    world.seen.purse.tao = 10 * TAO;
    // 10 of 70 TAO, so 25 tokens too many; redeeming brings more than a price below NAV.
    let planned = world.decide(&RULES).batch.unwrap();
    assert_eq!(planned.batch, Batch::RedeemStock { tokens: Units(25 * TOKEN) });
    world.apply(&planned.batch, &RULES);
    world.settle_nav();
    let wealth = world.seen.wealth(world.nav()).unwrap();
    assert_eq!(inventory(&wealth, &RULES.limits), Ok(Inventory::Balanced));

    let mut dear = World::at_price(10_300);
    dear.seen.purse = crate::seen::Purse { tao: 10 * TAO, index: 60 * TOKEN, basket: vec![0; 20] };
    let planned = dear.decide(&RULES).batch.unwrap();
    let Batch::SellStock { trades } = &planned.batch else { panic!("{planned:?}") };
    assert_eq!(trades[0].pays.0, 10 * TOKEN, "a sale is one trade");
    dear.apply(&planned.batch, &RULES);
}

#[test]
fn between_mint_and_sale_it_holds_at_most_half() {
    let mut world = World::at_price(12_000);
    // All its wealth is subnet tokens: 4 TAO of them.
    world.seen.purse.tao = 0;
    for (own, held) in world.seen.purse.basket.iter_mut().zip(&world.seen.index.holdings) {
        *own = held.amount / 250;
    }
    let planned = world.decide(&RULES).batch.unwrap();
    let Batch::MintAndSell { tokens: Units(tokens), .. } = planned.batch else { panic!() };
    assert!(tokens <= 2 * TOKEN && tokens > 2 * TOKEN - TOKEN / 1_000, "{tokens}");
}

const NEUTRAL: Neutral = Neutral { size: TAO, every_ms: 1, max_cost: TAO / 100 };

#[test]
fn neutral_volume_only_if_it_is_wanted_due_and_cheap() {
    let world = World::at_price(10_000);
    let due = Moment { neutral_due: true, ..world.moment() };
    let decided = |rules: &Rules, moment: &Moment, world: &World| {
        decide(&world.seen, rules, moment).unwrap().batch.map(|planned| planned.batch)
    };
    let wanted = Rules { neutral: Some(NEUTRAL), ..RULES };
    assert_eq!(decided(&RULES, &due, &world), None);
    assert_eq!(decided(&wanted, &world.moment(), &world), None);
    let batch = decided(&wanted, &due, &world).unwrap();
    assert_eq!(batch, Batch::NeutralVolume { tokens: Units(TOKEN) });
    let mut fee = world.clone();
    fee.seen.index.fee_bps = 100;
    assert_eq!(decided(&wanted, &due, &fee), None, "two percent of 1 TAO are above 0.01");
    let mut after = world.clone();
    after.apply(&batch, &wanted);
    assert_eq!(after.seen.pool, world.seen.pool, "no price moves");
    assert!(after.wealth() <= world.wealth());
    assert!(after.wealth() + 100 > world.wealth());
}

#[test]
fn limits_of_a_transaction_leave_the_slippage_and_no_more() {
    let world = World::at_price(10_000);
    let (most, least) = (
        mint_limits(&world.seen, 10 * TOKEN, &RULES).unwrap(),
        redeem_limits(&world.seen, 10 * TOKEN, &RULES).unwrap(),
    );
    // 1 % of 50 TAO of the first token at 0.1 TAO: 5 tokens.
    assert_eq!((most[0], least[0]), (5_025_000_000, 4_975_000_000));
    assert_eq!(most.len(), 20);
    assert!(world.seen.fresh_nav(300_000, NOW + 300_000).is_some());
}

#[test]
fn random_markets_are_never_traded_at_a_loss() {
    // A small generator of our own is enough: the plan has its properties tested in core.
    let mut state = 71u64;
    let mut random = |below: u128| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from(state >> 33) % below
    };
    let mut done = 0;
    for _ in 0..300 {
        let mut world = World::at_price(8_000 + random(4_000));
        world.seen.index.fee_bps = random(101);
        world.seen.pair_fee_bps = random(101);
        world.seen.purse.tao = random(200 * TAO);
        world.seen.purse.index = random(20 * TOKEN);
        let rules = Rules { max_trades: 1 + u32::try_from(random(6)).unwrap(), ..RULES };
        let (before, nav) = (world.clone(), world.nav());
        let Some(planned) = world.decide(&rules).batch else { continue };
        world.apply(&planned.batch, &rules);
        let gained = crate::looks::gain(&before.seen, &world.seen, nav).unwrap().unwrap();
        assert!(gained > -100, "{gained} by {planned:?}");
        done += 1;
    }
    assert!(done > 200, "{done}");
}
