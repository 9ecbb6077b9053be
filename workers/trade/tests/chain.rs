//! Trading on a real chain. It needs a chain and the built contracts: `scripts/test e2e`.

use cicada_amounts::MMC;
use cicada_chain::{account_of, signer_from_seed, Signer};
use cicada_core::exchange::{ExchangeError, Limits, Side};
use cicada_core::quote::Framework;
use cicada_stage::Stage;
use cicada_trade::{Board, Error, Exchange, Intent, Limit};

/// The smallest committee that survives a liar.
const SEATS: u8 = 4;

fn claude() -> Framework {
    Framework::new("claude").unwrap()
}

async fn build() -> Stage {
    let mut stage = Stage::new(SEATS).await;
    stage.place_exchange(100_000_000, Limits::DEFAULT).await;
    stage.seat(None).await;
    stage
}

fn close(a: u128, b: u128) -> bool {
    a.abs_diff(b) <= b / 20
}

/// Approves and trades, and holds what was foreseen against what happens.
async fn trade(exchange: &Exchange, side: Side, amount: u128, signer: &Signer) -> u128 {
    let owner = account_of(signer);
    let intent = Intent { framework: claude(), side, amount, limit: Limit::Bps(0) };
    let now = exchange.now().await.unwrap();
    let plan = now.plan(&owner, intent.clone()).await.unwrap();
    let deadline = now.now_ms + 60_000;
    let before = exchange.fees(&plan, deadline, &owner).await.unwrap();
    assert!(!before.exact && before.trade > 0);
    let approval = exchange.approve(&plan.need, signer).await.unwrap().unwrap();
    assert!(close(approval.fee, before.approval.unwrap()), "{approval:?} {before:?}");
    let now = exchange.now().await.unwrap();
    let plan = now.plan(&owner, intent).await.unwrap();
    assert_eq!(plan.need.more, 0, "exactly what was needed is allowed");
    let fees = exchange.fees(&plan, deadline, &owner).await.unwrap();
    let deal = exchange.trade(&plan, deadline, signer).await.unwrap();
    assert_eq!((deal.amount, Some(deal.value)), (amount, fees.value));
    assert_eq!(deal.value, plan.expected.value);
    assert!(close(deal.fee, fees.trade) && close(deal.fee, before.trade), "{deal:?} {fees:?}");
    let after = exchange.now().await.unwrap();
    assert_eq!(after.allowance(&plan.need.token, &owner).await.unwrap(), 0, "nothing is left");
    deal.value
}

async fn refused(exchange: &Exchange, side: Side, amount: u128, by: &Signer) -> Error {
    let intent = Intent { framework: claude(), side, amount, limit: Limit::Bps(100) };
    let now = exchange.now().await.unwrap();
    now.plan(&account_of(by), intent).await.unwrap_err()
}

/// Half of 1,000 tokens into an order, which the next buyer meets before the market maker.
async fn order(stage: &Stage, exchange: &Exchange, bob: &Signer) {
    let alice = &stage.alice;
    let now = exchange.now().await.unwrap();
    let owner = account_of(alice);
    let plan = now.plan_order(&owner, claude(), Side::Sell, 50 * MMC, 500).await.unwrap();
    exchange.approve(&plan.need, alice).await.unwrap();
    let placed = exchange.place(&plan, now.now_ms + 60_000, alice).await.unwrap();
    let order = placed.resting.unwrap();
    assert_eq!((order.amount, placed.deal.amount), (500, 0));
    // Her own order is in her way, which is known before she pays for an approval.
    let intent = Intent { framework: claude(), side: Side::Buy, amount: 1, limit: Limit::Bps(100) };
    let now = exchange.now().await.unwrap();
    let own = now.plan(&owner, intent).await.unwrap();
    assert!(own.need.more > 0);
    let refused = exchange.rehearse(&own, now.now_ms + 60_000, &owner).await.unwrap_err();
    assert_eq!(refused.refused(), Some(&ExchangeError::OwnOrder));
    stage.give("token", &account_of(bob), 10_000 * MMC).await;
    assert_eq!(trade(exchange, Side::Buy, 150, bob).await, 7_500 * MMC);
    let view = exchange.now().await.unwrap().view(&claude()).await.unwrap();
    assert_eq!(view.asks[0].amount, 350);
    assert_eq!((view.market.volume_24h, view.solvent()), (1_000, Some(true)));
    assert_eq!(exchange.cancel(order.order, alice).await.unwrap().0, 350);
    let gone = exchange.now().await.unwrap().order(order.order).await;
    assert!(matches!(gone, Err(Error::NoOrder(_))));
}

#[tokio::test]
#[ignore = "needs a node: scripts/test e2e"]
async fn the_example_of_the_seed_on_a_chain() {
    let stage = build().await;
    let exchange = Exchange::at(stage.chain.clone(), stage.at("exchange")).await.unwrap();
    // Nobody else has his key, so nobody gave him money.
    let (alice, bob) = (&stage.alice, &signer_from_seed(stage.keys[0].operator_seed()).unwrap());
    let board = Board::at(stage.chain.clone(), stage.at("leaderboard"));
    assert!(matches!(board.quote(&claude()).await, Err(Error::NoQuote(_))));
    assert!(matches!(refused(&exchange, Side::Buy, 1, alice).await, Error::NotListed(_)));

    stage.settle_board(&[("claude", 50_000)]).await;
    assert_eq!(board.quote(&claude()).await.unwrap().ask, 50_500_000);
    exchange.list(&claude(), alice).await.unwrap();
    let reserve = 25_000_000 * MMC;
    let need = exchange.now().await.unwrap().mmc_need(&account_of(alice), reserve).await.unwrap();
    exchange.approve(&need, alice).await.unwrap();
    exchange.deposit(&claude(), reserve, alice).await.unwrap();
    assert!(matches!(refused(&exchange, Side::Buy, 1, bob).await, Error::TooPoor { .. }));
    assert!(matches!(refused(&exchange, Side::Buy, 1_238, alice).await, Error::Room { .. }));
    assert_eq!(trade(&exchange, Side::Buy, 1_000, alice).await, 50_500 * MMC);
    order(&stage, &exchange, bob).await;

    // A new quote is that of the next trade.
    stage.settle_board(&[("claude", 40_000)]).await;
    assert_eq!(trade(&exchange, Side::Sell, 850, alice).await, 850 * 39_600_000);
    let holdings = exchange.now().await.unwrap().holdings(&account_of(bob)).await.unwrap();
    assert_eq!((holdings.len(), holdings[0].amount), (1, 150));
    assert_eq!(holdings[0].quote.as_ref().unwrap().bid, 39_600_000);
}
