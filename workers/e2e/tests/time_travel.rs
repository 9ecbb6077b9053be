//! What takes days on a chain, with the real contracts on an embedded chain whose clock is moved.
//!
//! Ignored by default because it needs the embedded chain: `scripts/test e2e`.

use cicada_amounts::MMC;
use cicada_chain::{account_of, signer, Signer};
use cicada_contracts::escrow::events::EscrowAdvanced;
use cicada_contracts::types::StakingTerms;
use cicada_contracts::{escrow, exchange, token, validators};
use cicada_core::escrow::{
    terms_digest, Fallback, Limits as Windows, Milestone, Panel, Range, Rule, State, Summary, Terms,
};
use cicada_core::exchange::Limits;
use cicada_core::hash::Digest;
use cicada_core::hash::Native;
use cicada_core::quote::Framework;
use cicada_core::slashing::{Bands, Rates};
use cicada_stage::{later, Stage};
use std::time::{Duration, Instant};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// In TAO's smallest units.
const STAKE: u128 = 1_000_000_000_000;

/// A contract that permits what is played here.
const WINDOWS: Windows = Windows {
    review: Range { least_ms: HOUR_MS, most_ms: DAY_MS },
    dispute: Range { least_ms: DAY_MS, most_ms: 7 * DAY_MS },
    completion: Range { least_ms: HOUR_MS, most_ms: DAY_MS },
};

/// Travels, and tells how long that took here.
fn travel(stage: &Stage, ms: u64, spent: &mut Duration) {
    let begin = Instant::now();
    stage.travel(ms);
    *spent += begin.elapsed();
}

async fn volume(stage: &Stage) -> u128 {
    let claude = Framework::new("claude").expect("a framework");
    stage.read("exchange", &exchange::volume_24h(&claude)).await
}

async fn staking(stage: &mut Stage) {
    let tao = stage.place_token("TAO", 9, 10 * STAKE).await;
    let terms = StakingTerms {
        token: tao,
        treasury: account_of(&stage.alice),
        reputation: None,
        judges: vec![],
        minimum: STAKE,
        unbonding_ms: 7 * DAY_MS,
        nav_bands: Bands::NAV,
        ranking_bands: Bands::RANKING,
        rates: Rates::DEFAULT,
    };
    stage.call("validators", &validators::set_terms(&terms)).await;
    stage.approve("TAO", "validators", &stage.alice).await;
    stage.call("validators", &validators::bond(STAKE)).await;
    stage.call("validators", &validators::unbond(STAKE)).await;
}

/// A delivered job that its requester disputes, before a panel that keeps silent.
async fn dispute(stage: &mut Stage, provider: &Signer) -> u64 {
    let contract = escrow::new(&stage.chain.genesis(), &WINDOWS);
    let contract = stage.place("escrow", "escrow", &contract).await;
    let bob = account_of(&signer("//Bob").expect("an account"));
    let now_ms = stage.chain.final_time_ms().await.expect("a final block");
    let terms = Terms {
        requester: account_of(&stage.alice),
        provider: account_of(provider),
        token: stage.at("token"),
        milestones: vec![Milestone { amount: MMC, complete_by_ms: now_ms + 3 * HOUR_MS }],
        rule: Rule::Single,
        panel: Panel { required: 1, members: vec![bob], fee_bps: 0 },
        fund_by_ms: now_ms + HOUR_MS,
        review_ms: HOUR_MS,
        dispute_ms: 3 * DAY_MS,
        fallback: Fallback::Split { provider_bps: 5_000 },
        job: Digest([71; 32]),
    };
    let made = stage.chain.call(&contract, &escrow::create(&terms), &stage.alice).await;
    let made = made.expect("an escrow");
    let mut events = made.events.iter();
    let advanced = events.find_map(|event| event.read::<EscrowAdvanced>().expect("its fields"));
    let number = advanced.expect("the escrow's number").escrow;
    stage.approve("token", "escrow", &stage.alice).await;
    stage.call("escrow", &escrow::fund(number, &terms_digest::<Native>(&terms))).await;
    stage.call_as("escrow", &escrow::complete(number, 0, &Digest([1; 32])), provider).await;
    stage.call("escrow", &escrow::raise_dispute(number, 0, &[])).await;
    number
}

async fn summary(stage: &Stage, number: u64) -> Summary {
    stage.read("escrow", &escrow::summary(number)).await.expect("the escrow")
}

#[tokio::test]
#[ignore = "needs the embedded chain: scripts/test e2e"]
async fn a_day_of_volume_an_unbonding_delay_and_a_dispute_pass_at_once() {
    let mut stage = Stage::new(4).await;
    stage.place_exchange(1_000_000, Limits::DEFAULT).await;
    stage.seat(None).await;
    let (charlie, mut spent) = (signer("//Charlie").expect("an account"), Duration::ZERO);

    // Within a day a trade counts in the volume, after it no longer.
    stage.settle_board(&[("claude", 50_000)]).await;
    let claude = Framework::new("claude").expect("a framework");
    stage.call("exchange", &exchange::list(&claude)).await;
    stage.approve("token", "exchange", &stage.alice).await;
    stage.call("exchange", &exchange::deposit(&claude, 500_000 * MMC)).await;
    stage.call("exchange", &exchange::buy(&claude, 10, u128::MAX, later())).await;
    assert_eq!(volume(&stage).await, 10);
    travel(&stage, 22 * HOUR_MS, &mut spent);
    assert_eq!(volume(&stage).await, 10);
    travel(&stage, 2 * HOUR_MS, &mut spent);
    assert_eq!(volume(&stage).await, 0);

    // Stake is free when the delay is over, not before.
    staking(&mut stage).await;
    let early = stage.try_call("validators", &validators::withdraw()).await;
    assert!(early.is_err(), "the delay has just begun");
    travel(&stage, 7 * DAY_MS, &mut spent);
    stage.call("validators", &validators::withdraw()).await;
    let alice = account_of(&stage.alice);
    assert_eq!(stage.read("TAO", &token::balance_of(&alice)).await, 10 * STAKE);

    // A dispute that nobody decides ends at its deadline.
    let number = dispute(&mut stage, &charlie).await;
    assert!(stage.try_call("escrow", &escrow::expire(number)).await.is_err());
    assert_eq!(summary(&stage, number).await.state, State::Disputed);
    travel(&stage, 3 * DAY_MS, &mut spent);
    stage.call("escrow", &escrow::expire(number)).await;
    let ended = summary(&stage, number).await;
    assert_eq!((ended.state, ended.locked), (State::Resolved, 0));

    println!("11 days of the chain's time passed in {} ms", spent.as_millis());
}
