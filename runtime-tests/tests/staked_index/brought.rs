//! What the index and the rewards are asked, reports with their certificates among it.

use cicada_core::basket::holdings::{self, Entry};
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::merkle::Tree;
use cicada_core::nav::{self, Observation};
use cicada_core::report::{Report, ReportKind};
use cicada_core::rewards::{leaves, Award};
use cicada_core::Account;
use cicada_runtime_tests::{on, AccountId};
use cicada_traits::index::Index;
use cicada_traits::rewards::Rewards;

use crate::chain::Outcome;
use crate::model::{inputs, Done};
use crate::op::{AwardFault, BasketFault, BasketOp, Epoch, NavFault, RewardOp, Signed, Target};
use crate::people::{Coin, Who};
use crate::stage::Stage;

impl Stage {
    pub fn run_basket(&mut self, op: &BasketOp) -> Outcome {
        let mut on_it = on(&self.index);
        match op {
            BasketOp::SetTerms { by, fee_bps, minimum, paused } => {
                self.tell(*by, on_it.set_terms(*fee_bps, *minimum, *paused))
            }
            BasketOp::SetBasket { entries, time_ms, fault, signed } => {
                self.bring_basket(entries, *time_ms, *fault, signed)
            }
            BasketOp::BringBasketAgain => {
                let (report, entries, certificate) = self.basket.clone().expect("one was brought");
                let message = on_it.set_basket(report, entries, (&certificate).into());
                self.send(Who::Stranger, message, Done::Settled)
            }
            BasketOp::Mint { by, tokens, least, most, deadline_ms } => {
                self.tell(*by, on_it.mint(*tokens, *least, most.clone(), *deadline_ms))
            }
            BasketOp::Redeem { by, tokens, least, deadline_ms } => {
                self.tell(*by, on_it.redeem(*tokens, least.clone(), *deadline_ms))
            }
            BasketOp::ClaimOwed { by, subnet } => {
                self.tell(*by, on_it.claim_owed(self.coin(Coin::Subnet(*subnet))))
            }
            BasketOp::Sync { subnet } => {
                self.tell(Who::Stranger, on_it.sync(self.coin(Coin::Subnet(*subnet))))
            }
            BasketOp::Swap { by, give, amount, take, least, deadline_ms } => {
                let [give, take] = [*give, *take].map(|subnet| self.coin(Coin::Subnet(subnet)));
                self.tell(*by, on_it.swap(give, *amount, take, *least, *deadline_ms))
            }
            BasketOp::SettleNav { values, time_ms, fault, signed } => {
                self.bring_nav(values, *time_ms, *fault, signed)
            }
            BasketOp::JudgeNav => self.tell(Who::Stranger, on_it.judge_nav()),
            BasketOp::BringNavAgain { slot, rival } => {
                let place = usize::try_from(slot - 1).expect("fits");
                let (mut report, observations, certificate) = self.navs[place].clone();
                report.time_ms += u64::from(*rival);
                let message = on_it.settle_nav(report, observations, (&certificate).into());
                self.send(Who::Stranger, message, Done::Settled)
            }
        }
    }

    fn entry(&self, target: &Target) -> Entry {
        Entry {
            netuid: u16::from(target.subnet) + 1,
            token: Account::of(&self.coin(Coin::Subnet(target.subnet))),
            weight_bps: target.weight_bps,
            price_e18: target.price_e18,
        }
    }

    fn bring_basket(
        &mut self,
        entries: &[Target],
        time_ms: u64,
        fault: Option<BasketFault>,
        signed: &Signed,
    ) -> Outcome {
        let entries: Vec<Entry> = entries.iter().map(|target| self.entry(target)).collect();
        let state = self.world.read(on(&self.index).feeds()).0;
        let feed = self.feed(ReportKind::Basket);
        let mut report = holdings::report::<Native>(feed, &state, &entries, time_ms);
        match fault {
            Some(BasketFault::OtherContent) => report.root.0[0] ^= 1,
            Some(BasketFault::Skipped) => report.slot += 1,
            None => {}
        }
        let certificate = self.certify(&report, signed);
        let message = on(&self.index).set_basket(report, entries.clone(), (&certificate).into());
        let outcome = self.send(Who::Stranger, message, Done::Settled);
        if outcome.answer.is_ok() {
            self.basket = Some((report, entries, certificate));
        }
        outcome
    }

    /// What the seats sign for a slot, with a fault in it.
    fn observe(
        &self,
        values: &[(u8, u128)],
        slot: u64,
        time_ms: u64,
        fault: Option<NavFault>,
    ) -> Vec<Observation> {
        let epoch = self.epoch_in_office();
        let (digest, feed) = (self.config_digest(epoch), self.feed(ReportKind::Nav));
        let observe = |(place, (seat, nav_e18)): (usize, &(u8, u128))| {
            let time_ms = match fault {
                Some(NavFault::OtherTime(at)) if at == place => time_ms - 1,
                _ => time_ms,
            };
            let lie = u128::from(fault == Some(NavFault::Forged(place)));
            let mut made =
                Observation { seat: *seat, nav_e18: nav_e18 + lie, time_ms, signature: [0; 64] };
            let message = made.message::<Native>(&digest, &feed, slot);
            made.signature = self.sign(epoch, *seat, &message);
            Observation { nav_e18: *nav_e18, ..made }
        };
        values.iter().enumerate().map(observe).collect()
    }

    fn bring_nav(
        &mut self,
        values: &[(u8, u128)],
        time_ms: u64,
        fault: Option<NavFault>,
        signed: &Signed,
    ) -> Outcome {
        let state = self.world.read(on(&self.index).feeds()).1;
        let mut observations = self.observe(values, state.slot + 1, time_ms, fault);
        if fault == Some(NavFault::Unordered) {
            observations.swap(0, 1);
        }
        let feed = self.feed(ReportKind::Nav);
        let mut report = nav::report::<Native>(feed, &state, &observations, time_ms);
        match fault {
            Some(NavFault::OtherContent) => report.root.0[0] ^= 1,
            Some(NavFault::Skipped) => report.slot += 1,
            _ => {}
        }
        let certificate = self.certify(&report, signed);
        let message =
            on(&self.index).settle_nav(report, observations.clone(), (&certificate).into());
        let outcome = self.send(Who::Stranger, message, Done::Settled);
        if outcome.answer.is_ok() {
            self.navs.push((report, observations, certificate));
        }
        outcome
    }

    pub fn run_reward(&mut self, op: &RewardOp) -> Outcome {
        let mut on_it = on(&self.rewards);
        match op {
            RewardOp::Fund { by, amount } => self.tell(*by, on_it.fund(*amount)),
            RewardOp::SettleEpoch(epoch) => self.bring_epoch(epoch),
            RewardOp::BringEpochAgain => {
                let (report, award, certificate) = self.epoch.clone().expect("one was brought");
                let message = on_it.settle_epoch(report, award, 0, (&certificate).into());
                self.send(Who::Stranger, message, Done::Settled)
            }
            RewardOp::Claim { by, of, extra, ago } => self.claim(*by, *of, *extra, *ago),
            RewardOp::SetEmission { by, from_epoch, amount } => {
                self.tell(*by, on_it.set_emission(*from_epoch, *amount))
            }
        }
    }

    fn bring_epoch(&mut self, epoch: &Epoch) -> Outcome {
        let state = self.world.read(on(&self.rewards).state());
        let latest = self.world.read(on(&self.rewards).latest());
        let (scores, validators) = inputs(epoch);
        let before = self.claims.last().expect("there is one");
        let made = Award::compute::<Native>(
            &state,
            epoch.end_ms,
            epoch.pool,
            &scores,
            &validators,
            before,
        );
        let (mut award, _, claims) = made.expect("an award");
        match epoch.fault {
            Some(AwardFault::Epoch) => award.epoch += 1,
            Some(AwardFault::Start) => award.start_ms += 1,
            Some(AwardFault::Carried) => award.carried_in += 1,
            Some(AwardFault::Awarded) => award.awarded += 1,
            Some(AwardFault::Total) => award.total += 1,
            Some(AwardFault::OtherContent) | None => {}
        }
        let feed = self.feed(ReportKind::Rewards);
        let mut report: Report = award.report::<Native>(0, feed, &latest, epoch.time_ms);
        if epoch.fault == Some(AwardFault::OtherContent) {
            report.root.0[0] ^= 1;
        }
        let certificate = self.certify(&report, &epoch.signed);
        let message = on(&self.rewards).settle_epoch(report, award, 0, (&certificate).into());
        let outcome = self.send(Who::Stranger, message, Done::Settled);
        if outcome.answer.is_ok() {
            self.epoch = Some((report, award, certificate));
        }
        if outcome.answer == Ok(Done::Settled(Settlement::Recorded)) {
            self.claims.push(claims);
        }
        outcome
    }

    fn claim(&mut self, by: Who, of: Who, extra: u128, ago: usize) -> Outcome {
        let place = self.claims.len() - 1 - ago;
        let claims = &self.claims[place];
        // Before the first epoch there are no claims.
        let epoch = u64::try_from(place).expect("few");
        let account = Account::of(&of.account());
        let place = claims.iter().position(|claim| claim.account == account);
        let (cumulative, index, proof) = match place {
            Some(place) => {
                let proof = Tree::new::<Native>(leaves::<Native>(claims)).prove(place);
                let index = u32::try_from(place).expect("few");
                (claims[place].cumulative, index, proof.expect("a leaf"))
            }
            // Who was awarded nothing tries it with nothing.
            None => (1, 0, Vec::new()),
        };
        let (cumulative, mut on_it) = (cumulative + extra, on(&self.rewards));
        if by == of {
            return self.send(by, on_it.claim(epoch, cumulative, index, proof), Done::Amount);
        }
        let of = AccountId::from(account.0);
        let message = on_it.claim_for(of, epoch, cumulative, index, proof);
        self.send(by, message, Done::Amount)
    }
}
