//! What people do at the escrow contract and the token.

use super::draw::{Random, HOUR, MINUTE};
use super::{Op, SignedOp};
use crate::model::{of_terms, Deal, Model};
use cicada_core::escrow::{Act, Decision, Part, Rule, SignedDecision, State, Verdict};
use cicada_core::Account;
use rand::Rng;

/// The newest of what still runs: the others wait for their deadlines.
const NEWEST: usize = 12;

impl Random {
    pub(super) fn token(&mut self) -> Op {
        let (by, to) = self.two();
        let amount = self.rng.gen_range(0..100_000);
        Op::Transfer { by, to, amount }
    }

    pub(super) fn create(&mut self, model: &Model) -> Op {
        let (requester, provider) = self.two();
        let by = self.one_of(&[requester, provider]);
        let terms = self.terms(model, requester, provider);
        if self.chance(40) {
            return Op::CreateFunded { by: requester, terms };
        }
        Op::Create { by, terms }
    }

    /// A step of an escrow that still runs.
    pub(super) fn advance(&mut self, model: &Model) -> Option<Op> {
        let running: Vec<(&u64, &Deal)> =
            model.escrows.iter().filter(|(_, deal)| !deal.has_ended()).collect();
        let late: Vec<u64> = running
            .iter()
            .filter(|(_, deal)| deal.due_ms().is_some_and(|due| due <= model.now_ms))
            .map(|(id, _)| **id)
            .collect();
        if let Some(id) = self.any_of(&late).filter(|_| self.chance(25)) {
            return Some(Op::Act { by: self.anybody(), id, act: Act::Expire });
        }
        let on_time: Vec<_> = running.into_iter().filter(|(id, _)| !late.contains(id)).collect();
        // Those of people: what the market runs mostly goes on there.
        let plain: Vec<u64> = on_time
            .iter()
            .filter(|(_, deal)| deal.operator != Some(model.setting.places.auction))
            .map(|(id, _)| **id)
            .collect();
        let all: Vec<u64> = on_time.iter().map(|(id, _)| **id).collect();
        let disputed = on_time.iter().filter(|(_, deal)| deal.state == State::Disputed);
        let disputed: Vec<u64> = disputed.map(|(id, _)| **id).collect();
        let from = match self.rng.gen_range(0..10) {
            0..=6 => plain,
            7 => all,
            _ => disputed,
        };
        let id = self.any_of(&from[from.len().saturating_sub(NEWEST)..])?;
        Some(self.step(model, id, &model.escrows[&id]))
    }

    fn step(&mut self, model: &Model, id: u64, deal: &Deal) -> Op {
        let (requester, provider) = (deal.terms.requester, deal.terms.provider);
        let party = self.one_of(&[requester, provider]);
        let milestone = deal.milestone();
        match deal.state {
            State::Created => Op::Act { by: requester, id, act: Act::Fund(of_terms(&deal.terms)) },
            State::Disputed if self.chance(75) && !deal.terms.panel.members.is_empty() => {
                let by = self.one_of(&deal.terms.panel.members.clone());
                Op::Act { by, id, act: Act::Vote { milestone, verdict: self.verdict(deal) } }
            }
            State::Disputed => match deal.operator.filter(|by| self.people.contains(by)) {
                Some(by) if self.chance(70) => {
                    let deduction = self.rng.gen_range(0..=deal.amount());
                    Op::Act { by, id, act: Act::Report { milestone, deduction } }
                }
                _ => Op::Act { by: party, id, act: Act::AddEvidence(self.cid()) },
            },
            State::Completed if self.chance(30) => {
                let evidence = (0..self.rng.gen_range(0..4)).map(|_| self.cid()).collect();
                Op::Act { by: party, id, act: Act::Raise { milestone, evidence } }
            }
            State::Funded if self.chance(70) => {
                let result = self.digest();
                // The market acts by itself; there its provider tries what he may not.
                match deal.operator.filter(|operator| self.people.contains(operator)) {
                    None => {
                        let act = Act::Complete { milestone, result };
                        Op::Act { by: provider, id, act }
                    }
                    Some(by) => {
                        let deduction = self.rng.gen_range(0..=deal.amount()) / 3;
                        Op::Act { by, id, act: Act::CompleteFor { milestone, result, deduction } }
                    }
                }
            }
            _ => self.decision(model, id, deal),
        }
    }

    fn cid(&mut self) -> Vec<u8> {
        vec![b'c'; self.rng.gen_range(1..=96)]
    }

    /// One of few, so that two often agree.
    fn verdict(&mut self, deal: &Deal) -> Verdict {
        let amount = deal.amount();
        let split = |provider_share| Verdict::Split {
            provider_share,
            requester_share: amount - provider_share,
        };
        let most = split(amount * 7 / 10);
        self.one_of(&[Verdict::Release, Verdict::Refund, most, most, split(amount), split(0)])
    }

    fn decision(&mut self, model: &Model, id: u64, deal: &Deal) -> Op {
        let decision = self.one_of(&[Decision::Release, Decision::Release, Decision::Refund]);
        let (requester, provider) = (deal.terms.requester, deal.terms.provider);
        let completed = deal.state == State::Completed;
        let part = Part { milestone: deal.milestone(), completed };
        let signer = match (deal.terms.rule, decision) {
            (Rule::Single, Decision::Release) => requester,
            (Rule::Single, Decision::Refund) => provider,
            (Rule::Arbitrators, _) => self.one_of(&deal.terms.panel.members.clone()),
            _ => self.one_of(&[requester, provider]),
        };
        if self.chance(65) || !self.people.contains(&signer) {
            return Op::Act { by: signer, id, act: Act::Decide { part, decision } };
        }
        let nonce = deal.nonces.get(&signer).copied().unwrap_or(0) + self.rng.gen_range(1..3);
        let expires_ms = model.now_ms + self.rng.gen_range(1..HOUR);
        let signed = SignedDecision {
            genesis: model.setting.genesis,
            contract: model.setting.places.escrow,
            escrow: id,
            part,
            decision,
            signer,
            nonce,
            expires_ms,
        };
        let by = self.anybody();
        let key = signer;
        Op::Signed(SignedOp { by, id, part, decision, signer, nonce, expires_ms, signed, key })
    }

    /// People as operators of people: anybody may be one.
    pub(super) fn operate(&mut self, model: &Model) -> Option<Op> {
        let people = self.people.clone();
        let mine = |id: &&u64| {
            let reserve = &model.reserves[id];
            people.contains(&reserve.operator) && (!reserve.closed || reserve.balance > 0)
        };
        let reserves: Vec<u64> = model.reserves.keys().filter(mine).copied().collect();
        let newest = &reserves[reserves.len().saturating_sub(4)..];
        match self.rng.gen_range(0..10) {
            0 => {
                let (by, operator) = self.two();
                Some(Op::SetOperator { by, operator, allowed: self.chance(85) })
            }
            1 | 2 => {
                let pairs = model.operators.iter().filter(|pair| people.contains(&pair.1));
                let pairs: Vec<(Account, Account)> = pairs.copied().collect();
                let (owner, by) = self.any_of(&pairs)?;
                let amount = self.rng.gen_range(1..200_000);
                Some(Op::Reserve { by, owner, token: model.setting.places.token, amount })
            }
            3 => {
                let reserve = self.any_of(newest)?;
                let of = &model.reserves[&reserve];
                let amount = self.rng.gen_range(0..=of.balance);
                Some(Op::Spend { by: of.operator, reserve, to: self.anybody(), amount })
            }
            4..=6 => self.draw_from(model, newest),
            7 => {
                let reserve = self.any_of(newest)?;
                Some(Op::CloseReserve { by: model.reserves[&reserve].operator, reserve })
            }
            8 => {
                let owed: Vec<Account> = model.credits.keys().copied().collect();
                Some(Op::Claim { by: self.any_of(&owed)? })
            }
            _ => self.settle_own(model),
        }
    }

    fn draw_from(&mut self, model: &Model, reserves: &[u64]) -> Option<Op> {
        let reserve = self.any_of(reserves)?;
        let of = model.reserves[&reserve];
        let permitted = |pair: &&(Account, Account)| pair.1 == of.operator && pair.0 != of.owner;
        let providers = model.operators.iter().filter(permitted);
        let providers: Vec<Account> = providers.map(|pair| pair.0).collect();
        let provider = self.any_of(&providers)?;
        let mut terms = self.terms(model, of.owner, provider);
        let parts = terms.milestones.len() as u128;
        for part in &mut terms.milestones {
            part.amount = part.amount.min(of.balance / parts).max(1);
        }
        Some(Op::Draw { by: of.operator, reserve, terms })
    }

    fn settle_own(&mut self, model: &Model) -> Option<Op> {
        let people = self.people.clone();
        let mine = |deal: &Deal| deal.operator.filter(|operator| people.contains(operator));
        let run: Vec<(u64, Account)> = model
            .escrows
            .iter()
            .filter(|(_, deal)| matches!(deal.state, State::Funded | State::Completed))
            .filter_map(|(id, deal)| Some((*id, mine(deal)?)))
            .collect();
        let (id, by) = self.any_of(&run)?;
        let share = self.rng.gen_range(0..=model.escrows[&id].locked);
        let share = self.one_of(&[0, share, model.escrows[&id].locked]);
        Some(Op::Act { by, id, act: Act::Settle(share) })
    }

    /// A moment soon, for what is signed.
    pub(super) fn soon(&mut self, model: &Model) -> u64 {
        model.now_ms + self.rng.gen_range(1..MINUTE)
    }
}
