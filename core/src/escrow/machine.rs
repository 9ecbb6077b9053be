//! The state machine: what an act does to an escrow and what it pays.

use super::{
    Act, Ballot, Case, Decision, Ending, EscrowError, Evidence, Fallback, Papers, Payout, Progress,
    Rule, Side, State, Terms, Verdict, MAX_CID_LEN, MAX_EVIDENCE,
};
use crate::hash::Hash;
use crate::Account;
use alloc::vec::Vec;

/// Ten thousand basis points are the whole.
const BPS: u32 = 10_000;

impl Progress {
    /// Does what `act` asks for and says what is to be paid. After an error nothing of `self`
    /// and `papers` may be kept.
    ///
    /// # Errors
    /// All of [`EscrowError`] but those about tokens, reserves and signatures.
    pub fn apply(
        &mut self,
        case: &Case,
        act: &Act,
        papers: &mut Papers,
    ) -> Result<Payout, EscrowError> {
        match act {
            Act::Create(_) | Act::Draw { .. } => Err(EscrowError::WrongState),
            Act::Fund => self.fund(case),
            Act::Complete(result) => {
                let allowed = case.operator.is_none() && case.actor == case.terms.provider;
                self.complete(case, allowed, *result, 0)
            }
            Act::CompleteFor { result, deduction } => {
                self.complete(case, case.operator == Some(case.actor), *result, *deduction)
            }
            Act::Decide(decision) | Act::DecideSigned { decision, .. } => {
                self.decide(case, &mut papers.ballots, *decision)
            }
            Act::Raise(cids) => self.raise(case, &mut papers.evidence, cids),
            Act::AddEvidence(cid) => {
                if self.state != State::Disputed {
                    return Err(EscrowError::WrongState);
                }
                self.bring(case, &mut papers.evidence, core::slice::from_ref(cid))?;
                Ok(Payout::default())
            }
            Act::Vote(verdict) => self.vote(case, &mut papers.ballots, *verdict),
            Act::Expire => self.expire(case),
            Act::Settle(provider_share) => self.settle(case, *provider_share),
        }
    }

    fn fund(&mut self, case: &Case) -> Result<Payout, EscrowError> {
        self.check(case, State::Created, case.actor == case.terms.requester)?;
        self.state = State::Funded;
        self.locked = case.terms.amount()?;
        Ok(Payout::default())
    }

    fn complete(
        &mut self,
        case: &Case,
        allowed: bool,
        result: Hash,
        deduction: u128,
    ) -> Result<Payout, EscrowError> {
        self.check(case, State::Funded, allowed)?;
        let (amount, _) = self.part(case.terms).ok_or(EscrowError::WrongState)?;
        if deduction > amount {
            return Err(EscrowError::WrongAmount);
        }
        self.state = State::Completed;
        self.since_ms = case.now_ms;
        self.result = Some(result);
        self.deduction = deduction;
        Ok(Payout::default())
    }

    fn decide(
        &mut self,
        case: &Case,
        ballots: &mut Vec<Ballot>,
        decision: Decision,
    ) -> Result<Payout, EscrowError> {
        let timeout = self.timeout().ok_or(EscrowError::WrongState)?;
        let terms = case.terms;
        let (allowed, needed) = match terms.rule {
            // The other side gets it: nobody pays himself.
            Rule::Single => {
                let giver = match decision {
                    Decision::Release => &terms.requester,
                    Decision::Refund => &terms.provider,
                };
                (case.actor == *giver, 1)
            }
            Rule::BothParties | Rule::TimeLocked { .. } => (terms.is_party(&case.actor), 2),
            Rule::Arbitrators => {
                (terms.panel.members.contains(&case.actor), usize::from(terms.panel.required))
            }
        };
        if !allowed {
            return Err(EscrowError::NotAllowed);
        }
        if decision != timeout && self.is_late(case) {
            return Err(EscrowError::TooLate);
        }
        let verdict = match decision {
            Decision::Release => Verdict::Release,
            Decision::Refund => Verdict::Refund,
        };
        if terms.rule != Rule::Single && !cast(ballots, case.actor, verdict, needed) {
            return Ok(Payout::default());
        }
        match decision {
            Decision::Release => self.release_part(terms, Ending::Decided),
            Decision::Refund => {
                // What the deadline has decided is not the provider's goodwill.
                let late = self.is_late(case);
                let ending = if late { Ending::TimedOut } else { Ending::Decided };
                self.end(State::Refunded, ending, 0)
            }
        }
    }

    fn raise(
        &mut self,
        case: &Case,
        evidence: &mut Vec<Evidence>,
        cids: &[Vec<u8>],
    ) -> Result<Payout, EscrowError> {
        if self.timeout().is_none() {
            return Err(EscrowError::WrongState);
        }
        self.raised_by = Some(self.bring(case, evidence, cids)?);
        self.state = State::Disputed;
        self.since_ms = case.now_ms;
        Ok(Payout::default())
    }

    /// Adds evidence of the actor, who must be a party, in time. Gives his side.
    fn bring(
        &self,
        case: &Case,
        evidence: &mut Vec<Evidence>,
        cids: &[Vec<u8>],
    ) -> Result<Side, EscrowError> {
        let by = if case.actor == case.terms.requester {
            Side::Requester
        } else if case.actor == case.terms.provider {
            Side::Provider
        } else {
            return Err(EscrowError::NotAllowed);
        };
        if self.is_late(case) {
            return Err(EscrowError::TooLate);
        }
        let before = evidence.iter().filter(|piece| piece.by == by).count();
        if before.saturating_add(cids.len()) > usize::from(MAX_EVIDENCE) {
            return Err(EscrowError::TooMuchEvidence);
        }
        for cid in cids {
            if cid.is_empty() || cid.len() > MAX_CID_LEN {
                return Err(EscrowError::WrongCid);
            }
            evidence.push(Evidence { by, cid: cid.clone() });
        }
        Ok(by)
    }

    fn vote(
        &mut self,
        case: &Case,
        ballots: &mut Vec<Ballot>,
        verdict: Verdict,
    ) -> Result<Payout, EscrowError> {
        let panel = &case.terms.panel;
        self.check(case, State::Disputed, panel.members.contains(&case.actor))?;
        let share = match verdict {
            Verdict::Release => self.locked,
            Verdict::Refund => 0,
            Verdict::Split { provider_share, requester_share } => {
                if provider_share.checked_add(requester_share) != Some(self.locked) {
                    return Err(EscrowError::WrongAmount);
                }
                provider_share
            }
        };
        if !cast(ballots, case.actor, verdict, usize::from(panel.required)) {
            return Ok(Payout::default());
        }
        self.end(State::Resolved, Ending::Voted, share)
    }

    fn expire(&mut self, case: &Case) -> Result<Payout, EscrowError> {
        if !self.is_late(case) {
            return Err(EscrowError::NotDue);
        }
        match self.state {
            State::Created => self.end(State::Expired, Ending::TimedOut, 0),
            State::Completed => self.release_part(case.terms, Ending::TimedOut),
            State::Disputed => {
                // Nobody judged, so what was measured holds.
                let due = self.locked.saturating_sub(self.deduction);
                let share = match case.terms.fallback {
                    Fallback::Refund => 0,
                    Fallback::Release => due,
                    Fallback::Split { provider_bps } => bps_floor(due, provider_bps),
                };
                self.end(State::Resolved, Ending::FellBack, share)
            }
            _ => self.end(State::Refunded, Ending::TimedOut, 0),
        }
    }

    fn settle(&mut self, case: &Case, provider_share: u128) -> Result<Payout, EscrowError> {
        let timeout = self.timeout().ok_or(EscrowError::WrongState)?;
        if case.operator != Some(case.actor) {
            return Err(EscrowError::NotAllowed);
        }
        let same = timeout == Decision::Refund && provider_share == 0;
        if !same && self.is_late(case) {
            return Err(EscrowError::TooLate);
        }
        let state = if provider_share == 0 { State::Refunded } else { State::Released };
        self.end(state, Ending::Settled, provider_share)
    }

    /// Who may do something in one state only, and in time.
    fn check(&self, case: &Case, state: State, allowed: bool) -> Result<(), EscrowError> {
        if self.state != state {
            return Err(EscrowError::WrongState);
        }
        if !allowed {
            return Err(EscrowError::NotAllowed);
        }
        if self.is_late(case) {
            return Err(EscrowError::TooLate);
        }
        Ok(())
    }

    /// What the timeout of the state does, where money is locked and nobody disputes.
    fn timeout(&self) -> Option<Decision> {
        match self.state {
            State::Funded => Some(Decision::Refund),
            State::Completed => Some(Decision::Release),
            _ => None,
        }
    }

    fn is_late(&self, case: &Case) -> bool {
        self.due_ms(case.terms).is_some_and(|due| case.now_ms >= due)
    }

    /// Pays the part, less its deduction, and goes on to the next one or ends.
    fn release_part(&mut self, terms: &Terms, ending: Ending) -> Result<Payout, EscrowError> {
        let (amount, _) = self.part(terms).ok_or(EscrowError::WrongState)?;
        let provider = amount.checked_sub(self.deduction).ok_or(EscrowError::WrongAmount)?;
        let payout = self.pay(provider, self.deduction)?;
        self.deduction = 0;
        let next = self.milestone.saturating_add(1);
        if usize::from(next) < terms.milestones.len() {
            self.milestone = next;
            self.state = State::Funded;
        } else {
            self.state = State::Released;
            self.ending = Some(ending);
        }
        Ok(payout)
    }

    /// Pays all that is left and ends.
    fn end(
        &mut self,
        state: State,
        ending: Ending,
        provider_share: u128,
    ) -> Result<Payout, EscrowError> {
        let rest = self.locked.checked_sub(provider_share).ok_or(EscrowError::WrongAmount)?;
        self.state = state;
        self.ending = Some(ending);
        self.deduction = 0;
        self.pay(provider_share, rest)
    }

    fn pay(&mut self, provider: u128, requester: u128) -> Result<Payout, EscrowError> {
        let minus = |from: u128, part| from.checked_sub(part).ok_or(EscrowError::WrongAmount);
        let plus = |to: u128, part| to.checked_add(part).ok_or(EscrowError::WrongAmount);
        self.locked = minus(minus(self.locked, provider)?, requester)?;
        self.provider_paid = plus(self.provider_paid, provider)?;
        self.requester_paid = plus(self.requester_paid, requester)?;
        Ok(Payout { provider, requester })
    }
}

/// Sets the ballot of an account; whether `needed` accounts agree with it now.
fn cast(ballots: &mut Vec<Ballot>, by: Account, verdict: Verdict, needed: usize) -> bool {
    match ballots.iter_mut().find(|ballot| ballot.by == by) {
        Some(ballot) => ballot.verdict = verdict,
        None => ballots.push(Ballot { by, verdict }),
    }
    ballots.iter().filter(|ballot| ballot.verdict == verdict).count() >= needed
}

/// `⌊amount · bps / 10,000⌋` for at most 10,000 bps: the long division of a product that may not
/// fit 128 bits, byte by byte. (A division of 128 bits would cost a contract a kilobyte of code.)
fn bps_floor(amount: u128, bps: u16) -> u128 {
    let (mut quotient, mut remainder) = (0u128, 0u32);
    for byte in amount.to_be_bytes() {
        // Below 10,000 · 256 + 255 · 10,000.
        let part = u32::from(byte).saturating_mul(u32::from(bps));
        let digit = remainder.saturating_mul(256).saturating_add(part);
        // What is shifted out is 0: the quotient so far is at most the bytes so far.
        quotient = quotient.wrapping_shl(8).saturating_add(u128::from(digit / BPS));
        remainder = digit % BPS;
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::mul_div_floor;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_share_in_basis_points_is_the_exact_floor(amount: u128, bps in 0..=10_000u16) {
            prop_assert_eq!(Ok(bps_floor(amount, bps)), mul_div_floor(amount, u128::from(bps), 10_000));
        }
    }
}
