//! What people should not do.

use super::draw::Random;
use super::{Op, SignedOp, Step, What};
use crate::model::Model;
use cicada_core::escrow::{Act, Decision, Fallback, Rule, Terms, Verdict};
use cicada_core::market::Privacy;
use cicada_core::Account;
use rand::Rng;

impl Random {
    /// Something that makes no sense by itself.
    pub(super) fn hostile(&mut self, model: &Model) -> Op {
        let places = model.setting.places;
        let (by, other) = (self.anybody(), self.anybody());
        match self.rng.gen_range(0..12) {
            // Money straight into a contract.
            0 => Op::Transfer { by, to: places.escrow, amount: self.rng.gen_range(0..5_000) },
            1 => Op::Transfer { by, to: places.auction, amount: self.rng.gen_range(0..5_000) },
            2 => Op::Transfer { by, to: other, amount: u128::MAX },
            3 => Op::TransferFrom { by, from: other, to: by, amount: self.rng.gen_range(0..50) },
            // The approval is withdrawn, or for little; and given again.
            4 => {
                let amount = self.one_of(&[
                    0,
                    40_000,
                    u128::MAX,
                    u128::MAX,
                    u128::MAX,
                    u128::MAX,
                    u128::MAX,
                ]);
                Op::Approve { by, spender: places.escrow, amount }
            }
            // So is the permission.
            5 => {
                let allowed = self.chance(85);
                Op::SetOperator { by, operator: places.auction, allowed }
            }
            6 => Op::Record { by, about: by },
            7 => Op::SetWriter { by, writer: by },
            8 => Op::Reserve { by, owner: other, token: places.token, amount: 1_000 },
            9 => {
                let reserve = self.up_to(model.reserves.len());
                Op::Spend { by, reserve, to: by, amount: 1 }
            }
            _ => match self.replay() {
                Some(op) => op,
                None => Op::Transfer { by: self.anybody(), to: by, amount: u128::MAX },
            },
        }
    }

    /// A number of something, or one more than there are.
    fn up_to(&mut self, count: usize) -> u64 {
        self.rng.gen_range(0..=count as u64 + 1)
    }

    /// A signed decision once more: as it was, or for another escrow, decision, number or end.
    fn replay(&mut self) -> Option<Op> {
        let last = self.signed.len().checked_sub(1)?;
        let index = self.rng.gen_range(0..=last);
        let mut again: SignedOp = self.signed[index].clone();
        again.by = self.anybody();
        match self.rng.gen_range(0..7) {
            0 => again.nonce += 1,
            1 => again.expires_ms += 60_000_000,
            2 => again.id += 1,
            3 => again.decision = opposite(again.decision),
            4 => again.part.completed = !again.part.completed,
            _ => {}
        }
        Some(Op::Signed(again))
    }

    /// Makes something of it that is mostly wrong.
    pub(super) fn twist(&mut self, op: &mut Op, model: &Model) {
        match self.rng.gen_range(0..10) {
            0..=2 => {
                let other = self.anybody();
                op.by_another(other);
            }
            3 => {
                let most = model.escrows.len().max(model.requests.len());
                let other = self.up_to(most);
                op.about_another(other);
            }
            _ => self.twist_content(op, model),
        }
    }

    fn twist_content(&mut self, op: &mut Op, model: &Model) {
        let (one, other) = (self.digest(), self.anybody());
        match op {
            Op::Transfer { amount, .. } | Op::Reserve { amount, .. } => {
                *amount = self.one_of(&[0, 1, u128::MAX, 1_000_000_000_000]);
            }
            Op::Spend { amount, .. } => *amount = self.one_of(&[0, *amount + 1, u128::MAX]),
            Op::Create { terms, .. } | Op::CreateFunded { terms, .. } | Op::Draw { terms, .. } => {
                self.spoil(terms, model);
            }
            Op::Act { by, act, .. } => self.twist_act(by, act, other),
            Op::Signed(signed) => match self.rng.gen_range(0..6) {
                0 => signed.signed.contract = Account(one.0),
                1 => signed.signed.genesis = one,
                2 => signed.signed.part.milestone += 1,
                3 => {
                    // For a whole moment only: the clock may pass it before it comes again.
                    signed.expires_ms = model.now_ms + self.rng.gen_range(0..2);
                    signed.signed.expires_ms = signed.expires_ms;
                }
                4 => signed.signer = other,
                _ => signed.signed.expires_ms = self.soon(model),
            },
            Op::Request { by, terms } => match self.rng.gen_range(0..15) {
                0 => terms.units = self.one_of(&[0, 1_000_000_001]),
                1 => terms.max_price = self.one_of(&[0, 10u128.pow(24), 10u128.pow(24) + 1]),
                2 => terms.deadline_ms = model.now_ms + self.rng.gen_range(0..2),
                3 => terms.max_duration_ms = 367 * 86_400_000,
                4 => terms.review_ms = 0,
                5 => terms.capabilities.reverse(),
                6 => terms.panel.members.push(*by),
                7 => terms.privacy = Privacy::Public { payload: vec![0; self.one_of(&[0, 97])] },
                8 => terms.dispute_ms = 0,
                9 => terms.panel.required = 9,
                10 => terms.fallback = Fallback::Split { provider_bps: 10_001 },
                11 => terms.min_units = Some(0),
                12 => terms.hand_over_within_ms += 1,
                13 => {
                    if let Privacy::Confidential { allowed, .. } = &mut terms.privacy {
                        allowed.push(Account::NOBODY);
                    }
                }
                _ => terms.sla.iter_mut().for_each(|sla| sla.uptime_bps = Some(10_001)),
            },
            Op::Offer { terms, .. } => match self.rng.gen_range(0..9) {
                0 => terms.units = self.one_of(&[0, 1_000_000_001]),
                1 => terms.price = self.one_of(&[0, 10u128.pow(24), 10u128.pow(24) + 1]),
                2 => terms.expires_ms = model.now_ms + self.rng.gen_range(0..2),
                3 => terms.payload_key = [0; 32],
                4 => terms.consent.max_penalty_bps = 10_001,
                5 => terms.consent.review.least_ms = u64::MAX,
                6 => terms.min_units = self.one_of(&[0, terms.units + 1]),
                7 => terms.consent.min_duration_ms = terms.consent.max_time_ms + 1,
                _ => terms.bond = self.one_of(&[10u128.pow(24), 10u128.pow(24) + 1]),
            },
            Op::Accept { units, min_price, .. } => match self.rng.gen_range(0..3) {
                0 => *units = 0,
                1 => *units = u64::MAX,
                _ => *min_price += 1_000,
            },
            Op::Close { what, .. } => {
                let all = [What::CancelRequest, What::CancelOffer, What::CloseRequest];
                *what = self.one_of(&[all[0], all[1], all[2], What::CloseOffer]);
            }
            Op::Job { step, .. } => self.twist_step(step),
            _ => op.by_another(other),
        }
    }

    fn twist_act(&mut self, by: &mut Account, act: &mut Act, other: Account) {
        match act {
            Act::Settle(share) => *share = share.saturating_add(self.rng.gen_range(1..1_000)),
            Act::CompleteFor { deduction, .. } => *deduction += 1_000_000,
            Act::Report { deduction, .. } => *deduction += 1_000_000,
            Act::Decide { part, .. } if self.chance(50) => part.completed = !part.completed,
            Act::Decide { decision, .. } => *decision = opposite(*decision),
            Act::Raise { evidence, .. } => *evidence = vec![vec![b'x'; 96]; self.one_of(&[8, 9])],
            Act::AddEvidence(cid) => *cid = vec![b'x'; self.one_of(&[0, 97])],
            Act::Vote { milestone, .. } if self.chance(20) => *milestone += 1,
            Act::Vote { verdict, .. } => {
                let provider_share = self.rng.gen_range(0..100_000);
                let requester_share = self.one_of(&[0, 1, u128::MAX, provider_share]);
                *verdict = Verdict::Split { provider_share, requester_share };
            }
            Act::Fund(terms) if self.chance(50) => terms.0[0] ^= 1,
            Act::Complete { milestone, .. } if self.chance(50) => *milestone += 1,
            _ if self.chance(50) => {
                let result = self.digest();
                let odd = [
                    Act::Expire,
                    Act::Settle(1),
                    Act::Complete { milestone: 0, result },
                    Act::Fund(result),
                    Act::Raise { milestone: 0, evidence: vec![] },
                ];
                *act = odd[self.rng.gen_range(0..odd.len())].clone();
            }
            _ => *by = other,
        }
    }

    fn twist_step(&mut self, step: &mut Step) {
        match step {
            Step::HandOver(payload) => match self.rng.gen_range(0..3) {
                0 => payload.salt[0] ^= 1,
                1 => payload.cid.clear(),
                _ => payload.sealed_key = vec![0; 79],
            },
            Step::Feedback(stars) => *stars = self.one_of(&[0, 6, 255]),
            Step::Settle(Some(report)) => report.uptime_bps = Some(10_001),
            _ => {
                let result = self.digest();
                let odd = [
                    Step::Start,
                    Step::Decline,
                    Step::Complete(result),
                    Step::Settle(None),
                    Step::Finalize,
                    Step::Feedback(5),
                ];
                *step = odd[self.rng.gen_range(0..odd.len())].clone();
            }
        }
    }

    /// One thing wrong with terms.
    fn spoil(&mut self, terms: &mut Terms, model: &Model) {
        let places = model.setting.places;
        let stranger = self.anybody();
        match self.rng.gen_range(0..18) {
            0 => terms.provider = terms.requester,
            1 => terms.milestones.clear(),
            2 => terms.milestones.iter_mut().for_each(|part| part.amount = 0),
            3 => terms.milestones.iter_mut().for_each(|part| part.amount = u128::MAX),
            4 => terms.fund_by_ms = model.now_ms,
            5 => terms.review_ms = self.one_of(&[0, 59_999, 367 * 86_400_000]),
            6 => terms.panel.required = 9,
            7 => terms.panel.members.push(terms.provider),
            8 => terms.panel.members.push(stranger),
            9 => terms.fallback = Fallback::Split { provider_bps: 10_001 },
            10 => terms.token = self.one_of(&[stranger, places.escrow, places.auction]),
            11 => terms.provider = self.one_of(&[places.escrow, places.auction]),
            12 => terms.rule = Rule::TimeLocked { release_after_ms: u64::MAX },
            13 => terms.milestones = vec![terms.milestones[0]; 17],
            14 => terms.panel.fee_bps = 501,
            15 => terms.provider = Account::NOBODY,
            16 => terms.milestones[0].complete_by_ms += 600 * 86_400_000,
            _ => terms.milestones.iter_mut().for_each(|part| part.complete_by_ms = model.now_ms),
        }
    }
}

fn opposite(decision: Decision) -> Decision {
    match decision {
        Decision::Release => Decision::Refund,
        Decision::Refund => Decision::Release,
    }
}
