//! Operations on the real contracts.

use cicada_core::committee::members_root;
use cicada_core::evidence::Equivocation;
use cicada_core::hash::{Digest, Native};
use cicada_core::nav::Observation;
use cicada_core::report::{Report, ReportKind, REPORT_VERSION};
use cicada_runtime_tests::{address, on, Message};
use cicada_traits::pair::Pair;
use cicada_traits::psp22::PSP22;
use cicada_traits::reputation::{ReputationError, Writers};
use cicada_traits::staking::{Deviation, DoubleObservation, Judged, Staking};
use cicada_traits::validators::Validators;
use validators::validators::Slashed;

use crate::common::quorum;
use crate::model::{Answer, Done, Refusal};
use crate::op::{Op, PoolOp, Proof, Signed, Source, StakeOp};
use crate::people::{Coin, Who};
use crate::stage::Stage;

/// What became of an operation.
pub struct Outcome {
    pub answer: Answer,
    /// What events say was slashed.
    pub slashed: u128,
}

impl Stage {
    /// Does it.
    pub fn run(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Wait { ms } => {
                self.world.advance(*ms);
                Outcome { answer: Ok(Done::Nothing), slashed: 0 }
            }
            Op::Freeze { coin, frozen } => {
                let code = if *frozen { "reputation" } else { "token" };
                let code = self.world.as_(Who::Owner.account()).upload(code);
                self.world.set_code(self.coin(*coin), code);
                Outcome { answer: Ok(Done::Nothing), slashed: 0 }
            }
            Op::Gift { by, coin, to, amount } => self.gift(*by, *coin, *to, *amount),
            Op::Stake(op) => self.run_stake(op),
            Op::Basket(op) => self.run_basket(op),
            Op::Pool(op) => self.run_pool(op),
            Op::Reward(op) => self.run_reward(op),
        }
    }

    /// Sends a message; `done` says what its answer is.
    pub fn send<M, T, E>(&mut self, by: Who, message: M, done: impl FnOnce(T) -> Done) -> Outcome
    where
        M: Message<Output = Result<T, E>>,
        E: Into<Refusal>,
    {
        let receipt = self.world.as_(by.account()).call(message);
        assert_eq!(receipt.reverted, receipt.value.is_err(), "an error and a revert go together");
        let slashed = receipt.events::<Slashed>(&self.validators);
        let slashed = slashed.iter().map(|event| event.amount).sum();
        Outcome { answer: receipt.value.map(done).map_err(Into::into), slashed }
    }

    /// A message that answers nothing.
    pub fn tell<M, E>(&mut self, by: Who, message: M) -> Outcome
    where
        M: Message<Output = Result<(), E>>,
        E: Into<Refusal>,
    {
        self.send(by, message, |()| Done::Nothing)
    }

    fn gift(&mut self, by: Who, coin: Coin, to: Who, amount: u128) -> Outcome {
        let to = self.account(to);
        let actor = by.account();
        let done = match self.token(coin).cloned() {
            Some(token) => self.world.as_(actor).try_call(on(&token).transfer(to, amount, vec![])),
            None => self.world.as_(actor).try_call(on(&self.pair).transfer(to, amount, vec![])),
        };
        let moved = done.is_ok_and(|receipt| receipt.value.is_ok());
        let answer = if moved { Ok(Done::Nothing) } else { Err(Refusal::Token) };
        Outcome { answer, slashed: 0 }
    }

    fn run_stake(&mut self, op: &StakeOp) -> Outcome {
        let mut on_it = on(&self.validators);
        match op {
            StakeOp::Bond { by, amount } => self.tell(*by, on_it.bond(*amount)),
            StakeOp::Unbond { by, amount } => self.tell(*by, on_it.unbond(*amount)),
            StakeOp::Withdraw { by } => self.send(*by, on_it.withdraw(), Done::Amount),
            StakeOp::SetRules { by, rules, other_token } => {
                let mut terms = self.staking_terms(rules);
                if *other_token {
                    terms.token = address(&self.tao20);
                }
                self.tell(*by, on_it.set_terms(terms))
            }
            StakeOp::Resign { by } => self.tell(*by, on_it.resign()),
            StakeOp::SetWriter { by, allowed } => {
                let message = on(&self.reputation).set_writer(address(&self.validators), *allowed);
                self.tell(*by, message)
            }
            StakeOp::Accuse { by, seat, bps } => {
                let off = vec![Deviation { seat: *seat, bps: *bps }];
                self.tell(*by, on_it.report_deviations(ReportKind::Nav, 1, 1, 1, off))
            }
            StakeOp::ConvictObserver { epoch, seat, slot, proof } => {
                let evidence = self.two_navs(*epoch, *seat, *slot, *proof);
                self.tell(Who::Stranger, on_it.convict_observer(evidence))
            }
            StakeOp::ConvictSigner { epoch, seat, source, slot, proof } => {
                let evidence = self.two_reports(*epoch, *seat, *source, *slot, *proof);
                self.tell(Who::Stranger, on_it.convict(evidence))
            }
            StakeOp::Rotate { nodes, signed } => self.rotate(nodes, signed),
        }
    }

    // ---- evidence ----

    fn two_navs(&self, epoch: u32, seat: u8, slot: u64, proof: Proof) -> DoubleObservation {
        let (digest, feed) = (self.config_digest(epoch), self.feed(ReportKind::Nav));
        let observe = |nav_e18: u128, signer: u8| {
            let mut made = Observation { seat, nav_e18, time_ms: 1, signature: [0; 64] };
            let message = made.message::<Native>(&digest, &feed, slot);
            made.signature = self.sign(epoch, signer, &message);
            made
        };
        let other = if proof == Proof::Same { 1 } else { 2 };
        let signer = if proof == Proof::Forged { (seat + 1) % 23 } else { seat };
        let (one, other) = (observe(1, seat), observe(other, signer));
        let (one, other) = if proof == Proof::Turned { (other, one) } else { (one, other) };
        DoubleObservation { epoch, feed, slot, one, other }
    }

    fn two_reports(
        &self,
        epoch: u32,
        seat: u8,
        source: Source,
        slot: u64,
        proof: Proof,
    ) -> Equivocation {
        let digest = self.config_digest(epoch);
        let feed = self.feed(match source {
            Source::Nav => ReportKind::Nav,
            Source::Basket => ReportKind::Basket,
            Source::Rewards => ReportKind::Rewards,
        });
        let signed = |root: u8| {
            let report = Report {
                version: REPORT_VERSION,
                feed,
                slot,
                previous: Digest([6; 32]),
                time_ms: 7,
                leaf_count: 1,
                root: Digest([root; 32]),
            };
            (report, self.sign(epoch, seat, &report.attestation_message::<Native>(&digest)))
        };
        let other = if proof == Proof::Same { 1 } else { 2 };
        let mut made = Equivocation::new::<Native>(epoch, seat, signed(1), signed(other));
        match proof {
            Proof::Turned => {
                std::mem::swap(&mut made.first, &mut made.second);
                std::mem::swap(&mut made.first_signature, &mut made.second_signature);
            }
            Proof::Forged => made.second_signature = made.first_signature,
            Proof::Good | Proof::Same => {}
        }
        made
    }

    fn rotate(&mut self, nodes: &[u8], signed: &Signed) -> Outcome {
        let (members, now) = (Self::members(nodes), self.world.now());
        let root: Digest = members_root::<Native>(&quorum(), &members);
        let state = self.world.read(on(&self.validators).feed_state());
        let report = state.next_report(self.feed(ReportKind::Committee), now, root);
        let certificate = self.certify(&report, signed);
        let message = on(&self.validators).rotate(report, members, certificate);
        let outcome = self.tell(Who::Stranger, message);
        if outcome.answer.is_ok() {
            self.committees.push(nodes.to_vec());
        }
        outcome
    }

    fn run_pool(&mut self, op: &PoolOp) -> Outcome {
        let mut on_it = on(&self.pair);
        match op {
            PoolOp::Add { by, most: [a, b], least, deadline_ms } => {
                let message = on_it.add_liquidity(*a, *b, *least, *deadline_ms);
                self.send(*by, message, |deposit| Done::Amount(deposit.shares))
            }
            PoolOp::Remove { by, shares, least: [a, b], deadline_ms } => {
                let message = on_it.remove_liquidity(*shares, *a, *b, *deadline_ms);
                self.send(*by, message, |(a, b)| Done::Amounts(a, b))
            }
            PoolOp::Sell { by, coin, amount, least, deadline_ms } => {
                let coin = self.coin(*coin);
                let message = on_it.swap_exact_in(coin, *amount, *least, *deadline_ms);
                self.send(*by, message, Done::Amount)
            }
            PoolOp::Buy { by, coin, amount, most, deadline_ms } => {
                let coin = self.coin(*coin);
                let message = on_it.swap_exact_out(coin, *most, *amount, *deadline_ms);
                self.send(*by, message, Done::Amount)
            }
            PoolOp::Skim { by, to } => {
                let to = self.account(*to);
                self.send(*by, on_it.skim(to), |(a, b)| Done::Amounts(a, b))
            }
        }
    }
}

impl From<ReputationError> for Refusal {
    fn from(error: ReputationError) -> Self {
        assert_eq!(error, ReputationError::NotOwner, "nothing else is asked of it");
        Self::NotWriterOwner
    }
}
