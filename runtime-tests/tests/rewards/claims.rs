//! Claims: each account is paid what it was awarded, to the unit, once.

use std::collections::BTreeMap;

use crate::stage::*;
use cicada_core::hash::{Digest, Native};
use cicada_core::merkle::{self, Tree};
use cicada_core::rewards::{leaves, Award, Claim, MAX_PROOF};
use cicada_core::Account;
use cicada_runtime_tests::{account, address, check_gas, on, Gas};
use cicada_traits::rewards::{Rewards, RewardsError};
use rewards::rewards::Claimed;

impl Stage {
    /// One epoch of 1,000 units; bob and charlie mine, the better one is bob.
    fn two_miners() -> Self {
        let mut stage = Self::funded(10_000);
        let epoch = stage.next(&[score(id("bob"), 3), score(id("charlie"), 1)], &[], 1_000);
        stage.settle(epoch);
        stage
    }

    /// Settles an award over a tree that the committee certified, right or not.
    fn settle_tree(&mut self, award: Award, claims: Vec<Claim>) -> Award {
        let tree = Tree::new::<Native>(leaves::<Native>(&claims));
        let award = Award { claims_root: tree.root(), ..award };
        let _ = self.settle_award(award).succeeds();
        self.keep(claims);
        award
    }

    fn bring_claim(
        &mut self,
        account: Account,
        cumulative: u128,
        index: u32,
        proof: Vec<Digest>,
    ) -> Answer<u128> {
        let message =
            on(&self.rewards).claim_for(account.0.into(), self.epoch, cumulative, index, proof);
        self.call(STRANGER, message)
    }
}

#[test]
fn a_miner_is_paid_what_he_was_awarded() {
    let mut stage = Stage::two_miners();
    // 525 of the base, and Diamond's 40 % of 250.
    let receipt = stage.claim("bob").succeeds();
    assert_eq!(receipt.value, 625);
    let event = receipt.event::<Claimed>(&stage.rewards);
    assert_eq!(event, Claimed { account: account("bob"), amount: 625, cumulative: 625 });
    assert_eq!((stage.balance(account("bob")), stage.paid_of(id("bob"))), (625, 625));
    // 175 of the base, and Platinum's 25 % of 250, which is 62.5 with the odd unit.
    assert_eq!(stage.claim("charlie").succeeds().value, 238);
    assert_eq!(stage.money(), (10_000, 863, 9_000));
    assert_eq!((stage.held(), stage.state().carried), (9_137, 137));
}

#[test]
fn nobody_is_paid_twice() {
    let mut stage = Stage::two_miners();
    let _ = stage.claim("bob").succeeds();
    assert_eq!(stage.claim("bob").fails(), RewardsError::NothingDue);
    assert_eq!(stage.claim_for(STRANGER, id("bob")).fails(), RewardsError::NothingDue);
    assert_eq!((stage.balance(account("bob")), stage.money().1), (625, 625));
}

#[test]
fn a_stranger_may_claim_for_a_miner_who_is_the_one_that_is_paid() {
    let mut stage = Stage::two_miners();
    let receipt = stage.claim_for(STRANGER, id("bob")).succeeds();
    assert_eq!(receipt.event::<Claimed>(&stage.rewards).account, account("bob"));
    assert_eq!(stage.balance(account("bob")), 625);
    assert_eq!(stage.balance(account(STRANGER)), 0);
}

#[test]
fn what_is_not_under_the_root_is_not_paid() {
    let mut stage = Stage::two_miners();
    let not_there = RewardsError::NotUnderRoot;
    let (amount, index, proof) = stage.proof(id("bob"));
    let other = stage.proof(id("charlie"));
    let bob = id("bob");
    let mut refuse = |account, amount, index, proof: &[Digest]| {
        assert_eq!(stage.bring_claim(account, amount, index, proof.to_vec()).fails(), not_there);
    };
    refuse(bob, amount + 1, index, &proof);
    refuse(bob, amount - 1, index, &proof);
    refuse(bob, amount, other.1, &proof);
    refuse(bob, amount, 2, &proof);
    refuse(bob, amount, u32::MAX, &proof);
    refuse(bob, amount, index, &other.2);
    refuse(bob, amount, index, &[]);
    refuse(bob, amount, index, &[proof[0], proof[0]]);
    refuse(id(STRANGER), amount, index, &proof);
    refuse(id("charlie"), amount, index, &proof);
    // The caller's own account counts in `claim`.
    let message = on(&stage.rewards).claim(1, amount, index, proof.clone());
    assert_eq!(stage.call("charlie", message).fails(), not_there);
    assert_eq!(stage.money().1, 0);
    assert_eq!(stage.bring_claim(bob, amount, index, proof).succeeds().value, 625);
}

#[test]
fn before_the_first_epoch_there_is_nothing_to_claim() {
    let mut stage = Stage::funded(10_000);
    let claim = Claim { account: id("bob"), cumulative: 5 };
    stage.keep(vec![claim]);
    assert_eq!(stage.claim("bob").fails(), RewardsError::UnknownEpoch);
}

#[test]
fn a_proof_longer_than_any_is_refused_before_it_is_read() {
    let mut stage = Stage::two_miners();
    let (amount, index, _) = stage.proof(id("bob"));
    let long = vec![Digest::ZERO; MAX_PROOF + 1];
    let error = stage.bring_claim(id("bob"), amount, index, long).fails();
    assert_eq!(error, RewardsError::ProofTooLong);
    let error = stage.bring_claim(id("bob"), amount, index, vec![Digest::ZERO; MAX_PROOF]).fails();
    assert_eq!(error, RewardsError::NotUnderRoot);
}

#[test]
fn an_older_proof_pays_what_it_proves_and_a_newer_one_the_rest() {
    let mut stage = Stage::two_miners();
    let first = stage.claims.clone();
    let (old, index, proof) = stage.proof(id("bob"));
    let (old_charlie, _, _) = stage.proof(id("charlie"));
    let _ = stage.claim("charlie").succeeds();
    let scores = [score(id("bob"), 1), score(id("charlie"), 1), score(id("dave"), 1)];
    let epoch = stage.next(&scores, &[], 1_000);
    stage.settle(epoch);
    // The proof is of the first epoch, whatever it is called.
    let error = stage.bring_claim(id("bob"), old, index, proof).fails();
    assert_eq!(error, RewardsError::NotUnderRoot);
    let second = stage.claims.clone();
    stage.keep_of(1, first.clone());
    assert_eq!(stage.claim("bob").succeeds().value, old);
    assert_eq!(stage.claim("bob").fails(), RewardsError::NothingDue);
    stage.keep_of(2, second);
    let (both, _, _) = stage.proof(id("bob"));
    assert_eq!(stage.claim("bob").succeeds().value, both - old);
    let (charlie, _, _) = stage.proof(id("charlie"));
    assert_eq!(stage.claim("charlie").succeeds().value, charlie - old_charlie);
    assert_eq!(stage.balance(account("charlie")), charlie);
    // Each is paid up to his newest leaf, and no further, by whatever proof.
    for (name, all) in [("bob", both), ("charlie", charlie)] {
        assert_eq!(stage.paid_of(id(name)), all);
        assert_eq!(stage.claim(name).fails(), RewardsError::NothingDue);
    }
    stage.keep_of(1, first);
    assert_eq!(stage.claim("bob").fails(), RewardsError::NothingDue);
    stage.epoch = 3;
    assert_eq!(stage.claim("bob").fails(), RewardsError::UnknownEpoch);
}

#[test]
fn claims_that_sum_to_more_than_was_awarded_are_paid_up_to_that() {
    // The committee certified a tree whose claims are twice what the award says.
    let mut stage = Stage::funded(10_000);
    let honest = stage.next(&[score(id("bob"), 1), score(id("charlie"), 1)], &[], 1_000);
    let claims: Vec<_> = ["bob", "charlie"]
        .map(|name| Claim { account: id(name), cumulative: honest.award.awarded })
        .into();
    let mut claims = claims;
    claims.sort_by_key(|claim| claim.account);
    let award = stage.settle_tree(honest.award, claims);
    assert_eq!(stage.claim("bob").succeeds().value, award.awarded);
    assert_eq!(stage.claim("charlie").fails(), RewardsError::AboveTotal);
    assert_eq!(stage.money(), (10_000, award.awarded, 9_000));
}

#[test]
fn a_claim_that_fell_is_not_paid() {
    // The committee certified less for bob than he was paid already.
    let mut stage = Stage::two_miners();
    let _ = stage.claim("bob").succeeds();
    let mut epoch = stage.next(&[], &[], 1_000);
    for claim in &mut epoch.claims {
        claim.cumulative = 7;
    }
    let _ = stage.settle_tree(epoch.award, epoch.claims);
    assert_eq!(stage.claim("bob").fails(), RewardsError::NothingDue);
    assert_eq!(stage.claim("charlie").succeeds().value, 7);
}

#[test]
fn a_token_that_refuses_leaves_the_claim_open() {
    let mut stage = Stage::two_miners();
    let code = stage.world.as_(account(OWNER)).upload("leaderboard");
    let token = address(&stage.token);
    let before = stage.world.snapshot();
    stage.world.set_code(token, code);
    assert_eq!(stage.claim("bob").fails(), RewardsError::TokenRefused);
    assert_eq!((stage.paid_of(id("bob")), stage.money().1), (0, 0));
    stage.world.restore(&before);
    assert_eq!(stage.claim("bob").succeeds().value, 625);
}

/// The gas of the first claim among so many miners, and the length of its proof.
fn first_claim(miners: u32, scenario: &str) -> (Gas, usize) {
    let mut stage = Stage::funded(1_000_000);
    let epoch = stage.next(&scores(miners, 1), &[], 1_000_000);
    stage.settle(epoch);
    let (_, index, proof) = stage.proof(miner(1));
    assert_eq!(index, 1);
    let receipt = stage.claim_for(STRANGER, miner(1)).succeeds();
    check_gas(scenario, &receipt);
    (receipt.gas, proof.len())
}

#[test]
fn the_cost_of_a_claim_grows_with_the_proof_alone() {
    let (few, short) = first_claim(10, "rewards.claim_for: 10 miners");
    let (many, long) = first_claim(10_000, "rewards.claim_for: 10,000 miners");
    assert_eq!((short, long), (4, 14));
    // Ten hashes more, each less than 2 % of a claim; nothing else.
    let more = many.ref_time - few.ref_time;
    assert!(more < few.ref_time / 50 * 10, "{more} on top of {}", few.ref_time);
    assert!(many.proof_size - few.proof_size < few.proof_size / 100);
}

#[test]
fn twenty_four_epochs_of_ten_thousand_miners_are_paid_to_the_unit() {
    const MINERS: u32 = 10_000;
    const POOL: u128 = 1_000_000;
    let mut stage = Stage::funded(24 * POOL);
    let mut awarded: BTreeMap<Account, u128> = BTreeMap::new();
    let mut paid: BTreeMap<Account, u128> = BTreeMap::new();
    for number in 1u32..=24 {
        let epoch = stage.next(&scores(MINERS, number), &validators(), POOL);
        for (account, amount) in table(&epoch.distribution) {
            *awarded.entry(account).or_default() += amount;
        }
        let award = epoch.award;
        stage.settle(epoch);
        // Every claim is proved by core with the contract's own figures.
        let state = stage.state();
        for (index, claim) in (0u32..).zip(&stage.claims) {
            let proof = stage.tree.prove(index as usize).expect("a leaf");
            assert!(proof.len() <= 14);
            let leaf = claim.leaf::<Native>();
            let root = &state.claims_root;
            assert!(merkle::verify::<Native>(root, state.claims, index, &leaf, &proof));
            assert_eq!(awarded[&claim.account], claim.cumulative);
        }
        if number % 6 == 0 {
            // Thirty of them on the chain, some for the first time.
            for step in 0..30 {
                let who = miner((step * 331 * number) % MINERS);
                let due = awarded[&who] - paid.get(&who).copied().unwrap_or_default();
                match due {
                    0 => {
                        assert_eq!(stage.claim_for(STRANGER, who).fails(), RewardsError::NothingDue)
                    }
                    due => assert_eq!(stage.claim_for(STRANGER, who).succeeds().value, due),
                }
                paid.insert(who, awarded[&who]);
            }
        }
        assert_eq!(award.awarded + award.carried_out, POOL + award.carried_in);
    }
    for (who, amount) in &paid {
        assert_eq!(stage.balance(who.0.into()), *amount);
    }
    let total: u128 = paid.values().sum();
    assert_eq!(stage.money(), (24 * POOL, total, 0));
    assert_eq!(stage.held(), 24 * POOL - total);
    let all: u128 = awarded.values().sum();
    assert_eq!((stage.state().total, stage.state().carried), (all, 24 * POOL - all));
}
