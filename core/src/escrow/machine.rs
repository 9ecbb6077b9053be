//! The state machine: what an act does to an escrow and what it pays.

use super::{
    Act, Ballot, Case, Decision, Ending, EscrowError, Evidence, Fallback, Papers, Part, Payout,
    Progress, Rule, Side, State, Terms, Verdict, MAX_CID_LEN, MAX_EVIDENCE,
};
use crate::hash::Digest;
use crate::market::div_floor;
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
            Act::Fund(_) => self.fund(case),
            Act::Complete { milestone, result } => {
                let allowed = case.operator.is_none() && case.actor == case.terms.provider;
                self.complete(case, *milestone, allowed, (*result, 0))
            }
            Act::CompleteFor { milestone, result, deduction } => {
                let allowed = case.operator == Some(case.actor);
                self.complete(case, *milestone, allowed, (*result, *deduction))
            }
            Act::Decide { part, decision } | Act::DecideSigned { part, decision, .. } => {
                self.decide(case, *part, &mut papers.ballots, *decision)
            }
            Act::Raise { milestone, evidence } => {
                self.raise(case, *milestone, &mut papers.evidence, evidence)
            }
            Act::AddEvidence(cid) => {
                if self.state != State::Disputed {
                    return Err(EscrowError::WrongState);
                }
                self.bring(case, &mut papers.evidence, core::slice::from_ref(cid))?;
                Ok(Payout::default())
            }
            Act::Report { milestone, deduction } => self.report(case, *milestone, *deduction),
            Act::Vote { milestone, verdict } => {
                self.vote(case, *milestone, &mut papers.ballots, *verdict)
            }
            Act::Expire => self.expire(case),
            Act::Settle(provider_share) => self.settle(case, *provider_share),
        }
    }

    fn fund(&mut self, case: &Case) -> Result<Payout, EscrowError> {
        self.check(case, State::Created, self.milestone, case.actor == case.terms.requester)?;
        self.state = State::Funded;
        self.locked = case.terms.amount()?;
        Ok(Payout::default())
    }

    fn complete(
        &mut self,
        case: &Case,
        milestone: u8,
        allowed: bool,
        (result, deduction): (Digest, u128),
    ) -> Result<Payout, EscrowError> {
        self.check(case, State::Funded, milestone, allowed)?;
        if deduction > self.amount(case.terms)? {
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
        part: Part,
        ballots: &mut Vec<Ballot>,
        decision: Decision,
    ) -> Result<Payout, EscrowError> {
        let timeout = self.timeout().ok_or(EscrowError::WrongState)?;
        let completed = self.state == State::Completed;
        if part != (Part { milestone: self.milestone, completed }) {
            return Err(EscrowError::WrongPart);
        }
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
            Decision::Release => self.release_part(case, Ending::Decided),
            Decision::Refund => {
                // What the deadline has decided is not the provider's goodwill.
                let late = self.is_late(case);
                let ending = if late { Ending::TimedOut } else { Ending::Decided };
                self.end(case, State::Refunded, ending, 0)
            }
        }
    }

    fn raise(
        &mut self,
        case: &Case,
        milestone: u8,
        evidence: &mut Vec<Evidence>,
        cids: &[Vec<u8>],
    ) -> Result<Payout, EscrowError> {
        self.check(case, State::Completed, milestone, case.terms.is_party(&case.actor))?;
        self.raised_by = Some(self.bring(case, evidence, cids)?);
        self.deposit = bps_floor(self.amount(case.terms)?, case.terms.panel.fee_bps);
        // A completed part has a deadline.
        self.silent_until_ms = self.due_ms(case.terms).unwrap_or_default();
        self.state = State::Disputed;
        self.since_ms = case.now_ms;
        Ok(Payout { fee: self.deposit, ..Payout::default() })
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

    fn report(
        &mut self,
        case: &Case,
        milestone: u8,
        deduction: u128,
    ) -> Result<Payout, EscrowError> {
        let allowed = case.operator == Some(case.actor);
        self.check(case, State::Disputed, milestone, allowed)?;
        if deduction > self.amount(case.terms)? {
            return Err(EscrowError::WrongAmount);
        }
        self.reported = deduction;
        Ok(Payout::default())
    }

    fn vote(
        &mut self,
        case: &Case,
        milestone: u8,
        ballots: &mut Vec<Ballot>,
        verdict: Verdict,
    ) -> Result<Payout, EscrowError> {
        let panel = &case.terms.panel;
        let allowed = panel.members.contains(&case.actor);
        self.check(case, State::Disputed, milestone, allowed)?;
        let amount = self.amount(case.terms)?;
        let share = match verdict {
            Verdict::Release => amount,
            Verdict::Refund => 0,
            Verdict::Split { provider_share, requester_share } => {
                if provider_share.checked_add(requester_share) != Some(amount) {
                    return Err(EscrowError::WrongAmount);
                }
                provider_share
            }
        };
        // What pays the same is the same, however it is spelled.
        let verdict = match share {
            0 => Verdict::Refund,
            all if all == amount => Verdict::Release,
            _ => verdict,
        };
        if !cast(ballots, case.actor, verdict, usize::from(panel.required)) {
            return Ok(Payout::default());
        }
        let ending = Ending::Voted { provider_share: share };
        self.conclude(case, ending, (share > 0).then(|| share.saturating_sub(self.deduction)))
    }

    fn expire(&mut self, case: &Case) -> Result<Payout, EscrowError> {
        if !self.is_late(case) {
            return Err(EscrowError::NotDue);
        }
        match self.state {
            State::Created => self.end(case, State::Expired, Ending::TimedOut, 0),
            State::Completed => self.release_part(case, Ending::TimedOut),
            State::Disputed => self.fall_back(case),
            _ => self.end(case, State::Refunded, Ending::TimedOut, 0),
        }
    }

    /// Nobody judged, so what was measured and reported holds, and whoever raised the dispute has
    /// no more by it than without it.
    fn fall_back(&mut self, case: &Case) -> Result<Payout, EscrowError> {
        let penalty = self.deduction.max(self.reported);
        let due = self.amount(case.terms)?.saturating_sub(penalty);
        let share = match case.terms.fallback {
            _ if self.raised_by == Some(Side::Requester) => Some(due),
            Fallback::Release => Some(due),
            Fallback::Refund | Fallback::Split { provider_bps: 0 } => None,
            Fallback::Split { provider_bps } => Some(bps_floor(due, provider_bps)),
        };
        self.conclude(case, Ending::FellBack, share)
    }

    /// Ends a dispute: pays the part, this much of it to the provider; or (`None`) gives all that
    /// is left back and ends. Later deadlines move by the time that it took, and at most by what it
    /// may take, whoever notes its end when.
    fn conclude(
        &mut self,
        case: &Case,
        ending: Ending,
        share: Option<u128>,
    ) -> Result<Payout, EscrowError> {
        let took_ms = case.now_ms.saturating_sub(self.since_ms).min(case.terms.dispute_ms);
        self.moved_ms = self.moved_ms.saturating_add(took_ms);
        let fee = core::mem::take(&mut self.deposit);
        let payout = match share {
            Some(share) => self.pay_part(case, State::Resolved, ending, share),
            None => self.end(case, State::Resolved, ending, 0),
        };
        payout.map(|payout| Payout { fee, ..payout })
    }

    fn settle(&mut self, case: &Case, provider_share: u128) -> Result<Payout, EscrowError> {
        let timeout = self.timeout().ok_or(EscrowError::WrongState)?;
        if case.operator != Some(case.actor) {
            return Err(EscrowError::NotAllowed);
        }
        let undone = timeout == Decision::Refund && provider_share == 0;
        if !undone && self.is_late(case) {
            return Err(EscrowError::TooLate);
        }
        let state = if undone { State::Refunded } else { State::Released };
        self.end(case, state, Ending::Settled, provider_share)
    }

    /// Who may do something about a part in one state only, and in time.
    fn check(
        &self,
        case: &Case,
        state: State,
        milestone: u8,
        allowed: bool,
    ) -> Result<(), EscrowError> {
        if self.state != state {
            return Err(EscrowError::WrongState);
        }
        if self.milestone != milestone {
            return Err(EscrowError::WrongPart);
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

    /// What the present part pays.
    fn amount(&self, terms: &Terms) -> Result<u128, EscrowError> {
        self.milestone(terms).map(|part| part.amount).ok_or(EscrowError::WrongState)
    }

    /// Pays the part, less what was measured, and goes on to the next one or ends.
    fn release_part(&mut self, case: &Case, ending: Ending) -> Result<Payout, EscrowError> {
        let share = self.amount(case.terms)?.saturating_sub(self.deduction);
        self.pay_part(case, State::Released, ending, share)
    }

    /// Pays the part, this much of it to the provider, and goes on to the next one or ends.
    fn pay_part(
        &mut self,
        case: &Case,
        end: State,
        ending: Ending,
        provider: u128,
    ) -> Result<Payout, EscrowError> {
        let rest =
            self.amount(case.terms)?.checked_sub(provider).ok_or(EscrowError::WrongAmount)?;
        let payout = self.pay(provider, rest)?;
        (self.deduction, self.reported) = (0, 0);
        self.since_ms = case.now_ms;
        let next = self.milestone.saturating_add(1);
        if usize::from(next) < case.terms.milestones.len() {
            self.milestone = next;
            self.state = State::Funded;
        } else {
            self.state = end;
            self.ending = Some(ending);
        }
        Ok(payout)
    }

    /// Pays all that is left and ends.
    fn end(
        &mut self,
        case: &Case,
        state: State,
        ending: Ending,
        provider_share: u128,
    ) -> Result<Payout, EscrowError> {
        let rest = self.locked.checked_sub(provider_share).ok_or(EscrowError::WrongAmount)?;
        self.state = state;
        self.since_ms = case.now_ms;
        self.ending = Some(ending);
        (self.deduction, self.reported) = (0, 0);
        self.pay(provider_share, rest)
    }

    fn pay(&mut self, provider: u128, requester: u128) -> Result<Payout, EscrowError> {
        let minus = |from: u128, part| from.checked_sub(part).ok_or(EscrowError::WrongAmount);
        let plus = |to: u128, part| to.checked_add(part).ok_or(EscrowError::WrongAmount);
        self.locked = minus(minus(self.locked, provider)?, requester)?;
        self.provider_paid = plus(self.provider_paid, provider)?;
        self.requester_paid = plus(self.requester_paid, requester)?;
        Ok(Payout { provider, requester, fee: 0 })
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

/// What each of those gets of the arbitrators' fee who agree with the deciding vote of `last`: the
/// same, what does not divide to the first of them, in the order of their votes.
pub fn fee_shares(ballots: &[Ballot], last: &Account, fee: u128) -> Vec<(Account, u128)> {
    let verdict = ballots.iter().find(|ballot| ballot.by == *last).map(|ballot| ballot.verdict);
    let won = ballots.iter().filter(|ballot| Some(ballot.verdict) == verdict);
    let mut left = won.clone().count() as u128;
    let mut rest = fee;
    let mut shares = Vec::new();
    for ballot in won {
        // Of so many the first gets the quotient, rounded up.
        let share = div_floor(rest.saturating_add(left.saturating_sub(1)), left).unwrap_or(0);
        rest = rest.saturating_sub(share);
        left = left.saturating_sub(1);
        shares.push((ballot.by, share));
    }
    shares
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
