//! Random operations against a plain model: every unit that was paid in is free, carried, awarded
//! and open, or paid.

use std::collections::BTreeMap;

use crate::stage::*;
use cicada_core::leaderboard::Settlement;
use cicada_core::rewards::{Award, Claim};
use cicada_core::Account;
use cicada_dice::Dice;
use cicada_runtime_tests::on;
use cicada_traits::rewards::{Rewards, RewardsError};

const MINERS: u32 = 12;

/// The money in plain numbers.
#[derive(Default)]
struct Model {
    funded: u128,
    free: u128,
    carried: u128,
    awarded: BTreeMap<Account, u128>,
    paid: BTreeMap<Account, u128>,
}

impl Model {
    fn check(&self, stage: &mut Stage, context: &str) {
        let (awarded, paid): (u128, u128) = (self.awarded.values().sum(), self.paid.values().sum());
        assert_eq!(self.funded, self.free + self.carried + awarded, "{context}");
        assert_eq!(stage.money(), (self.funded, paid, self.free), "{context}");
        assert_eq!(stage.held(), self.funded - paid, "{context}");
        let state = stage.state();
        assert_eq!((state.carried, state.total), (self.carried, awarded), "{context}");
    }

    fn due(&self, who: Account) -> u128 {
        let of = |map: &BTreeMap<Account, u128>| map.get(&who).copied().unwrap_or_default();
        of(&self.awarded) - of(&self.paid)
    }
}

/// Some of the miners, with any scores.
fn random_scores(dice: &mut Dice) -> Vec<cicada_core::scores::Score> {
    let mut scores = Vec::new();
    for number in 0..MINERS {
        if dice.below(3) > 0 {
            scores.push(score(miner(number), u128::from(dice.below(1_000_000))));
        }
    }
    scores
}

/// An epoch, mostly of as much as there is; sometimes of more, or wrong in a figure.
fn settle(stage: &mut Stage, model: &mut Model, dice: &mut Dice) -> bool {
    let pool = match dice.below(6) {
        0 => model.free + 1,
        1 => 0,
        _ => model.free.min(EMISSION) / u128::from(dice.below(3) + 1),
    };
    let some = if dice.below(4) == 0 { vec![] } else { validators() };
    let scores = if dice.below(8) == 0 { vec![] } else { random_scores(dice) };
    let epoch = stage.next(&scores, &some, pool);
    let mut award = epoch.award;
    let wrong = dice.below(5) == 0;
    if wrong {
        let change: [fn(&mut Award); 4] = [
            |award| award.awarded += 1,
            |award| award.total += 1,
            |award| award.carried_in += 1,
            |award| award.epoch += 1,
        ];
        change[dice.below(4) as usize](&mut award);
    }
    let answer = stage.settle_award(award).value;
    if wrong || pool > model.free || pool > EMISSION {
        assert_eq!(answer, Ok(Settlement::Void), "{award:?}");
        return false;
    }
    assert_eq!(answer, Ok(Settlement::Recorded), "{award:?}");
    for (who, amount) in table(&epoch.distribution) {
        *model.awarded.entry(who).or_default() += amount;
    }
    model.free -= pool;
    model.carried = epoch.distribution.carried;
    stage.keep(epoch.claims);
    true
}

/// A claim under the newest root, or one of an older that says it is of the newest, or with a figure
/// that is not true.
fn claim(stage: &mut Stage, model: &mut Model, dice: &mut Dice, old: &[Vec<Claim>]) -> bool {
    let newest = stage.claims.clone();
    let outdated = dice.below(6) == 0 && !old.is_empty();
    if outdated {
        stage.keep(old[dice.below(old.len() as u64) as usize].clone());
    }
    if stage.claims.is_empty() {
        stage.keep(newest);
        return false;
    }
    let picked = stage.claims[dice.below(stage.claims.len() as u64) as usize];
    let (mut cumulative, index, proof) = stage.proof(picked.account);
    let lie = dice.below(8) == 0;
    cumulative += u128::from(lie);
    let message = on(&stage.rewards).claim_for(
        picked.account.0.into(),
        stage.epoch,
        cumulative,
        index,
        proof,
    );
    let answer = stage.call(STRANGER, message).value;
    let changed = stage.claims != newest;
    stage.keep(newest);
    let expected = match (lie || changed, model.due(picked.account)) {
        (true, _) => Err(RewardsError::NotUnderRoot),
        (false, 0) => Err(RewardsError::NothingDue),
        (false, due) => Ok(due),
    };
    assert_eq!(answer, expected, "{picked:?}");
    if let Ok(amount) = answer {
        *model.paid.entry(picked.account).or_default() += amount;
    }
    answer.is_ok()
}

#[test]
fn random_operations_do_what_the_model_says() {
    const STEPS: usize = 1_200;
    let mut stage = Stage::new();
    let (mut model, mut dice) = (Model::default(), Dice::new(71));
    let (mut old, mut epochs, mut claims) = (Vec::new(), 0, 0);
    for step in 0..STEPS {
        let context = format!("step {step}");
        match dice.below(10) {
            0 | 1 => {
                let amount = u128::from(dice.below(3_000_000) + 1);
                let _ = stage.fund(OWNER, amount).succeeds();
                (model.funded, model.free) = (model.funded + amount, model.free + amount);
            }
            2 | 3 => {
                let before = stage.claims.clone();
                if settle(&mut stage, &mut model, &mut dice) {
                    old.push(before);
                    epochs += 1;
                }
            }
            _ => claims += usize::from(claim(&mut stage, &mut model, &mut dice, &old)),
        }
        model.check(&mut stage, &context);
    }
    for (who, amount) in &model.paid {
        assert_eq!((stage.paid_of(*who), stage.balance(who.0.into())), (*amount, *amount));
    }
    assert!(epochs > 50 && claims > 200, "{epochs} epochs, {claims} claims");
}
