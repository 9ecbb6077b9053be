use super::*;
use crate::hash::Native;
use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use proptest::prelude::*;

fn score(miner: u8, final_e9: u128) -> Score {
    Score {
        miner: Account([miner; 32]),
        weighted_tenths: final_e9,
        volume_e9: 0,
        frequency_e9: 0,
        consistency_e9: 0,
        final_e9,
        last_ms: 100,
        registered: true,
    }
}

fn validator(account: u8, stake: u128, participation_bps: u16) -> Validator {
    Validator { account: Account([account; 32]), stake, participation_bps }
}

fn paid(distribution: &Distribution) -> u128 {
    distribution.payouts().unwrap().iter().map(|payout| payout.amount).sum()
}

#[test]
fn a_pool_is_split_70_25_5_and_to_the_unit() {
    assert_eq!(pools(1_000), Ok([700, 250, 50]));
    assert_eq!(pools(3), Ok([2, 1, 0]));
    assert_eq!(pools(0), Ok([0, 0, 0]));
    assert_eq!(pools(u128::MAX).map(|parts| parts.iter().sum()), Ok(u128::MAX));
}

#[test]
fn twenty_equal_miners_fill_all_tiers() {
    let scores: Vec<_> = (1..=21).map(|miner| score(miner, 500)).collect();
    let distribution = distribute(42_000, &scores, &[validator(99, 1, 10_000)]).unwrap();
    assert_eq!(distribution.carried, 1_400, "what twice the base cuts off");
    assert!(distribution.placements.iter().all(|place| place.base == 29_400 / 21));
    // The bonus is 10,500.
    let bonuses: Vec<u128> = distribution.placements.iter().map(|place| place.bonus).collect();
    assert_eq!(bonuses[..6], [2_800, 2_625, 700, 700, 700, 210], "4,200 at most 2,800");
    assert_eq!(bonuses[10..16], [53, 53, 53, 53, 53, 52], "525 among ten");
    assert_eq!(bonuses[20], 0);
    let tiers: Vec<_> = distribution.placements.iter().map(|place| place.tier).collect();
    assert_eq!(tiers[4], Some(Tier::Gold));
    assert_eq!(tiers[5], Some(Tier::Silver));
    assert_eq!(tiers[9], Some(Tier::Silver));
    assert_eq!(tiers[10], Some(Tier::Bronze));
    assert_eq!(tiers[19], Some(Tier::Bronze));
    assert_eq!(tiers[20], None);
    assert_eq!(Tier::ALL.map(Tier::places).iter().sum::<usize>(), 20);
    assert_eq!(Tier::ALL.map(Tier::percent).iter().sum::<u128>(), 100);
    assert_eq!(paid(&distribution), 40_600);
}

#[test]
fn an_empty_tier_is_carried() {
    let one = distribute(1_000, &[score(1, 7)], &[validator(9, 5, 1)]).unwrap();
    assert_eq!((one.placements[0].base, one.placements[0].bonus), (700, 100));
    assert_eq!((one.validators[0].amount, one.carried), (50, 150));
    let two = distribute(1_000, &[score(1, 7), score(2, 7)], &[validator(9, 5, 1)]).unwrap();
    assert_eq!(two.carried, 87, "of 250: 50, 25 and 12, as Platinum has the odd unit");
    assert_eq!(paid(&two), 913);
}

#[test]
fn without_takers_all_is_carried() {
    let none = distribute(1_000, &[], &[]).unwrap();
    assert_eq!((none.placements.len(), none.carried), (0, 1_000));
    let idle = distribute(1_000, &[score(1, 0)], &[validator(9, 5, 0)]).unwrap();
    assert_eq!((idle.placements.len(), idle.carried), (0, 1_000));
    assert_eq!(idle.payouts(), Ok(vec![]));
}

#[test]
fn ties_go_to_the_earlier_last_activity_and_then_to_the_lower_address() {
    let early = Score { last_ms: 50, ..score(9, 5) };
    let ranked = rank(&[score(3, 5), score(2, 5), early, score(8, 6), score(1, 0)]);
    let order: Vec<u8> = ranked.iter().map(|score| score.miner.0[0]).collect();
    assert_eq!(order, [8, 9, 2, 3]);
}

#[test]
fn validators_are_paid_by_stake_and_participation() {
    let list = [validator(1, 100, 5_000), validator(2, 100, 10_000), validator(3, 300, 0)];
    let distribution = distribute(600, &[], &list).unwrap();
    let amounts: Vec<_> =
        distribution.validators.iter().map(|payout| (payout.account.0[0], payout.amount)).collect();
    assert_eq!(amounts, [(2, 20), (1, 10), (3, 0)]);
    let heavy = [validator(1, u128::MAX, 10_000)];
    assert_eq!(distribute(600, &[], &heavy), Err(MathError::Overflow));
}

#[test]
fn who_mines_and_validates_is_paid_once_for_both() {
    let distribution = distribute(1_000, &[score(1, 7)], &[validator(1, 5, 1)]).unwrap();
    assert_eq!(distribution.payouts(), Ok(vec![Payout { account: Account([1; 32]), amount: 850 }]));
}

#[test]
fn claims_add_up_over_epochs_and_pay_what_is_due() {
    let payout = |account: u8, amount| Payout { account: Account([account; 32]), amount };
    let claim = |account: u8, cumulative| Claim { account: Account([account; 32]), cumulative };
    let first = accumulate(&[], &[payout(2, 5), payout(1, 7)]).unwrap();
    assert_eq!(first, [claim(1, 7), claim(2, 5)]);
    let second = accumulate(&first, &[payout(2, 1), payout(3, 4)]).unwrap();
    assert_eq!(second, [claim(1, 7), claim(2, 6), claim(3, 4)]);
    assert_eq!((second[1].due(5), second[1].due(6)), (Ok(1), Ok(0)));
    assert_eq!(second[1].due(7), Err(MathError::Overflow));
    assert_eq!(accumulate(&first, &[payout(1, u128::MAX)]), Err(MathError::Overflow));
    assert_ne!(claim(1, 7).leaf::<Native>(), claim(1, 8).leaf::<Native>());
}

#[test]
fn ten_thousand_claims_have_proofs_of_at_most_fourteen_hashes() {
    let account = |i: u32| {
        let mut account = [0; 32];
        account[..4].copy_from_slice(&i.to_be_bytes());
        account
    };
    let payouts: Vec<_> = (0..10_000)
        .map(|i| Payout { account: Account(account(i)), amount: u128::from(i) + 1 })
        .collect();
    let claims = accumulate(&[], &payouts).unwrap();
    let leaves = leaves::<Native>(&claims);
    let root = merkle::root::<Native>(leaves.clone());
    for index in [0u32, 4_095, 8_191, 8_192, 9_999] {
        let proof = merkle::prove::<Native>(&leaves, index as usize).unwrap();
        assert!(proof.len() <= 14);
        let claim = Claim { account: Account(account(index)), cumulative: u128::from(index) + 1 };
        assert!(merkle::verify::<Native>(&root, 10_000, index, &claim.leaf::<Native>(), &proof));
        let more = Claim { cumulative: claim.cumulative + 1, ..claim };
        assert!(!merkle::verify::<Native>(&root, 10_000, index, &more.leaf::<Native>(), &proof));
    }
}

#[test]
fn fairness_of_simple_distributions() {
    assert_eq!(gini_bps_floor(&[]), Ok(0));
    assert_eq!(gini_bps_floor(&[0, 0]), Ok(0));
    assert_eq!(gini_bps_floor(&[5, 5, 5]), Ok(0));
    assert_eq!(gini_bps_floor(&[0, 0, 0, 8]), Ok(7_500));
    assert_eq!(gini_bps_floor(&[3, 1]), Ok(2_500));
    assert_eq!(gini_bps_floor(&[u128::MAX, 0]), Ok(5_000));
    assert_eq!(gini_bps_floor(&[u128::MAX, 1]), Err(MathError::Overflow));
    assert_eq!(top_ten_bps_floor(&[1; 20]), Ok(5_000));
    assert_eq!(top_ten_bps_floor(&[1; 7]), Ok(10_000));
    assert_eq!(top_ten_bps_floor(&[0, 0]), Ok(0));
    assert_eq!(top_ten_bps_floor(&[&[10; 10][..], &[1; 20]].concat()), Ok(8_333));
}

/// What each is paid of a million: base and bonus together.
fn of_a_million(scores: &[Score]) -> Vec<u128> {
    let placements = distribute(1_000_000, scores, &[]).unwrap().placements;
    let paid = |score: &Score| {
        let place = placements.iter().find(|place| place.miner == score.miner).unwrap();
        place.base + place.bonus
    };
    scores.iter().map(paid).collect()
}

#[test]
fn who_is_not_registered_has_his_base_and_no_rank() {
    let outside = Score { registered: false, ..score(1, 900) };
    let distribution = distribute(1_000, &[outside, score(2, 90), score(3, 10)], &[]).unwrap();
    let places: Vec<_> =
        distribution.placements.iter().map(|p| (p.miner.0[0], p.rank, p.tier)).collect();
    let [first, second] = [Some(Tier::Diamond), Some(Tier::Platinum)];
    assert_eq!(places, [(2, Some(1), first), (3, Some(2), second), (1, None, None)]);
    let paid: Vec<_> = distribution.placements.iter().map(|p| (p.base, p.bonus)).collect();
    assert_eq!(paid, [(63, 100), (7, 14), (630, 0)], "Platinum's 62 are at most twice 7");
    let alone = distribute(1_000, &[outside], &[]).unwrap();
    assert_eq!((paid_to(&alone), alone.carried), (700, 300));
}

fn paid_to(distribution: &Distribution) -> u128 {
    distribution.placements.iter().map(|place| place.base + place.bonus).sum()
}

/// The figures of `docs/contracts/rewards.md`: half of all W, beside ten others with 5 % each.
#[test]
fn what_more_registered_seats_earn() {
    let others = (100..110).map(|miner| score(miner, 50));
    let of = |parts: &[u128]| -> u128 {
        let own = (1u8..).zip(parts).map(|(miner, part)| score(miner, *part));
        let scores: Vec<_> = own.chain(others.clone()).collect();
        of_a_million(&scores)[..parts.len()].iter().sum()
    };
    assert_eq!(of(&[500]), 450_000);
    assert_eq!(of(&[250, 250]), 512_500);
    assert_eq!(of(&[167, 167, 166]), 543_703);
    assert_eq!(of(&[100; 5]), 562_500);
}

#[test]
fn at_the_most_leaves_who_has_one_is_paid_and_the_rest_is_carried() {
    let scores = [score(1, 50), score(2, 30), score(3, 20)];
    let validators = [validator(2, 1, 1), validator(9, 1, 1)];
    let before = [
        Claim { account: Account([1; 32]), cumulative: 4 },
        Claim { account: Account([7; 32]), cumulative: 1 },
    ];
    let whole = distribute(1_000, &scores, &validators).unwrap();
    for most in 0..=6u32 {
        let mut fitted = whole.clone();
        fitted.fit(&before, most).unwrap();
        assert_eq!(paid(&fitted) + fitted.carried, 1_000, "{most}");
        let payouts = fitted.payouts().unwrap();
        let names: Vec<u8> = payouts.iter().map(|payout| payout.account.0[0]).collect();
        let expected: &[u8] = match most {
            0..=2 => &[1],
            3 => &[1, 2],
            4 => &[1, 2, 3],
            _ => &[1, 2, 3, 9],
        };
        assert_eq!(names, expected, "the largest first: {most}");
        let leaves = accumulate(&before, &payouts).unwrap().len();
        assert!(leaves <= 2.max(most as usize));
        if most >= 5 {
            assert_eq!(fitted, whole);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_everybody_is_within_one_unit_of_his_share(
        total in 0u128..1 << 100,
        finals in prop::collection::vec((0u128..=1_000_000_000, 0u64..5), 0..40),
        stakes in prop::collection::vec((0u128..1 << 60, 0u16..=10_000), 0..23),
    ) {
        let scores: Vec<_> = (1u8..)
            .zip(finals)
            .map(|(miner, (final_e9, last_ms))| Score { last_ms, ..score(miner, final_e9) })
            .collect();
        let validators: Vec<_> = (100u8..)
            .zip(stakes)
            .map(|(account, (stake, participation))| validator(account, stake, participation))
            .collect();
        let distribution = distribute(total, &scores, &validators).unwrap();
        prop_assert_eq!(paid(&distribution) + distribution.carried, total);
        let [base, bonus, pool] = pools(total).unwrap();
        let near = |amount: u128, share: Ratio<BigUint>| {
            let floor = u128::try_from(share.floor().to_integer()).unwrap();
            amount == floor || amount == floor + 1
        };
        let sum_of = |members: &[Score]| -> BigUint {
            members.iter().map(|score| BigUint::from(score.final_e9)).sum()
        };
        let ranked = rank(&scores);
        prop_assert_eq!(ranked.len(), distribution.placements.len());
        let tiers: Vec<u128> = split_largest_remainder(bonus, &[40, 25, 20, 10, 5]).unwrap();
        let bounds = [(0, 1), (1, 2), (2, 5), (5, 10), (10, 20)];
        for (at, (score, place)) in ranked.iter().zip(&distribution.placements).enumerate() {
            prop_assert_eq!((score.miner, Some(at + 1)), (place.miner, place.rank.map(|rank| rank as usize)));
            let own = BigUint::from(score.final_e9);
            prop_assert!(near(place.base, Ratio::new(&own * base, sum_of(&ranked))));
            let tier = bounds.iter().position(|(from, to)| (*from..*to).contains(&at));
            prop_assert_eq!(place.tier, tier.map(|tier| Tier::ALL[tier]));
            let Some(tier) = tier else {
                prop_assert_eq!(place.bonus, 0);
                continue;
            };
            let members = &ranked[bounds[tier].0..bounds[tier].1.min(ranked.len())];
            let share = Ratio::new(own * tiers[tier], sum_of(members));
            let is_cut = place.bonus == 2 * place.base && share.ceil() >= Ratio::from(BigUint::from(place.bonus));
            prop_assert!(place.bonus <= 2 * place.base);
            prop_assert!(is_cut || near(place.bonus, share));
        }
        let weight = |v: &Validator| BigUint::from(v.stake) * v.participation_bps;
        let whole: BigUint = validators.iter().map(weight).sum();
        for payout in distribution.validators.iter().filter(|_| whole > BigUint::ZERO) {
            let own = validators.iter().find(|v| v.account == payout.account).map(weight).unwrap();
            prop_assert!(near(payout.amount, Ratio::new(own * pool, whole.clone())));
        }
    }

    /// Splitting a miner among accounts wins no base, but for the rounding of each part.
    #[test]
    fn a_split_account_is_paid_no_more_than_one(
        others in prop::collection::vec(1u128..1_000_000, 1..20),
        parts in prop::collection::vec(1u128..1_000, 2..200), total in 0u128..1 << 80,
    ) {
        let whole: u128 = parts.iter().sum();
        let base_of = |own: &[u128]| -> u128 {
            let weights = own.iter().chain(&others);
            let mut number = 0u16;
            let scores: Vec<_> = weights.map(|weight| {
                number += 1;
                let mut one = score(0, *weight);
                one.miner.0[..2].copy_from_slice(&number.to_be_bytes());
                one
            }).collect();
            let placements = distribute(total, &scores, &[]).unwrap().placements;
            let mine = |place: &&Placement| {
                usize::from(u16::from_be_bytes([place.miner.0[0], place.miner.0[1]])) <= own.len()
            };
            placements.iter().filter(mine).map(|place| place.base).sum()
        };
        let (one, split) = (base_of(&[whole]), base_of(&parts));
        prop_assert!(split <= one + parts.len() as u128, "{split} {one}");
    }

    #[test]
    fn a_better_score_is_never_paid_less(
        finals in prop::collection::vec(1u128..1_000_000, 1..40), total in 0u128..1 << 80,
    ) {
        let scores: Vec<_> =
            (1u8..).zip(finals).map(|(miner, final_e9)| score(miner, final_e9)).collect();
        let placements = distribute(total, &scores, &[]).unwrap().placements;
        prop_assert!(placements.windows(2).all(|pair| pair[0].base >= pair[1].base));
    }

    #[test]
    fn gini_matches_the_mean_of_all_differences(amounts in prop::collection::vec(0u128..1 << 90, 1..20)) {
        let total: BigInt = amounts.iter().map(|amount| BigInt::from(*amount)).sum();
        prop_assume!(total > BigInt::ZERO);
        let pairs = amounts.iter().flat_map(|a| amounts.iter().map(|b| a.abs_diff(*b)));
        let differences: BigInt = pairs.map(BigInt::from).sum();
        let exact = Ratio::new(differences * 10_000, total * 2 * amounts.len());
        let exact = u128::try_from(exact.floor().to_integer()).unwrap();
        prop_assert_eq!(gini_bps_floor(&amounts), Ok(exact));
    }
}
