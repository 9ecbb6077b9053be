//! One escrow: states, deadlines, decisions, disputes.

use super::{audit, terms, Check, Faults};
use cicada_core::escrow::{
    Act, AuditEntry, Decision, Ending, EscrowError, Evidence, Fallback, Rule, Side, State, Summary,
    Terms, Verdict, MAX_CID_LEN, MAX_EVIDENCE,
};
use cicada_core::hash::Hash;
use cicada_core::Account;
use std::collections::BTreeMap;

/// One escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// What was agreed.
    pub terms: Terms,
    /// Who runs it, if somebody does.
    pub operator: Option<Account>,
    /// Where it stands.
    pub state: State,
    /// The part in work or completed.
    pub part: usize,
    /// Since when it is completed or disputed.
    pub since_ms: u64,
    /// What is held.
    pub locked: u128,
    /// What the provider got.
    pub to_provider: u128,
    /// What the requester got back.
    pub to_requester: u128,
    /// What the requester gets of the completed part.
    pub deduction: u128,
    /// Who raised a dispute.
    pub raised_by: Option<Side>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// The newest result.
    pub result: Option<Hash>,
    /// Decisions about the present part, or the votes in the dispute, in order of coming.
    pub ballots: Vec<(Account, Verdict)>,
    /// What both sides brought.
    pub evidence: Vec<Evidence>,
    /// All that happened.
    pub log: Vec<AuditEntry>,
    /// The number of each signer's last signature.
    pub nonces: BTreeMap<Account, u64>,
}

/// Who acts, and when: the time, and whether it counts as too late.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Who acts.
    pub actor: Account,
    /// When.
    pub now_ms: u64,
    /// Whether the deadline of the state has passed.
    pub late: bool,
}

type Paid = Result<(u128, u128), Faults>;

impl Deal {
    /// An escrow without money.
    pub fn created(terms: Terms) -> Self {
        Self {
            terms,
            operator: None,
            state: State::Created,
            part: 0,
            since_ms: 0,
            locked: 0,
            to_provider: 0,
            to_requester: 0,
            deduction: 0,
            raised_by: None,
            ending: None,
            result: None,
            ballots: Vec::new(),
            evidence: Vec::new(),
            log: Vec::new(),
            nonces: BTreeMap::new(),
        }
    }

    /// Whether money is locked and nobody disputes.
    fn runs(&self) -> bool {
        matches!(self.state, State::Funded | State::Completed)
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.due_ms().is_none()
    }

    /// When the state times out.
    pub fn due_ms(&self) -> Option<u64> {
        let review = self.since_ms.saturating_add(self.terms.review_ms);
        match (self.state, self.terms.rule) {
            (State::Created, _) => Some(self.terms.fund_by_ms),
            (State::Funded, _) => Some(self.terms.milestones[self.part].complete_by_ms),
            (State::Completed, Rule::TimeLocked { release_after_ms }) => {
                Some(release_after_ms.min(review))
            }
            (State::Completed, _) => Some(review),
            (State::Disputed, _) => Some(self.since_ms.saturating_add(self.terms.dispute_ms)),
            _ => None,
        }
    }

    /// What others see of it.
    pub fn summary(&self, id: u64) -> Summary {
        Summary {
            state: self.state,
            milestone: u8::try_from(self.part).expect("16 parts at most"),
            requester: self.terms.requester,
            provider: self.terms.provider,
            token: self.terms.token,
            amount: terms::total(&self.terms).expect("checked at creation"),
            locked: self.locked,
            provider_paid: self.to_provider,
            requester_paid: self.to_requester,
            due_ms: self.due_ms(),
            raised_by: self.raised_by,
            ending: self.ending,
            operator: self.operator,
            result: self.result,
            audit_len: u32::try_from(self.log.len()).expect("short"),
            audit_head: audit::head(id, &self.log),
        }
    }

    /// Does what is asked. Gives what is to be paid to provider and requester. After an error the
    /// deal is to be thrown away.
    pub(super) fn act(&mut self, moment: &Moment, act: &Act) -> Paid {
        match act {
            Act::Fund => self.fund(moment),
            Act::Complete(result) => {
                let allowed = moment.actor == self.terms.provider && self.operator.is_none();
                self.complete(moment, allowed, *result, 0)
            }
            Act::CompleteFor { result, deduction } => {
                let allowed = self.operator == Some(moment.actor);
                self.complete(moment, allowed, *result, *deduction)
            }
            Act::Decide(decision) | Act::DecideSigned { decision, .. } => {
                self.decide(moment, *decision)
            }
            Act::Raise(cids) => self.raise(moment, cids),
            Act::AddEvidence(cid) => {
                let mut check = Check::default();
                check.refuse(self.state != State::Disputed, EscrowError::WrongState);
                check.refuse_all(self.evidence_faults(moment, std::slice::from_ref(cid)));
                check.done()?;
                self.bring(moment, std::slice::from_ref(cid));
                Ok((0, 0))
            }
            Act::Vote(verdict) => self.vote(moment, *verdict),
            Act::Expire => self.expire(moment),
            Act::Settle(share) => self.settle(moment, *share),
            Act::Create(_) | Act::Draw { .. } => unreachable!("makes an escrow"),
        }
    }

    fn fund(&mut self, moment: &Moment) -> Paid {
        let mut check = Check::default();
        check.refuse(self.state != State::Created, EscrowError::WrongState);
        check.refuse(moment.actor != self.terms.requester, EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        check.done()?;
        self.state = State::Funded;
        self.locked = terms::total(&self.terms).expect("checked at creation");
        Ok((0, 0))
    }

    fn complete(&mut self, moment: &Moment, allowed: bool, result: Hash, deduction: u128) -> Paid {
        let mut check = Check::default();
        check.refuse(self.state != State::Funded, EscrowError::WrongState);
        check.refuse(!allowed, EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        let part = self.terms.milestones[self.part].amount;
        check.refuse(deduction > part, EscrowError::WrongAmount);
        check.done()?;
        self.state = State::Completed;
        self.since_ms = moment.now_ms;
        self.result = Some(result);
        self.deduction = deduction;
        Ok((0, 0))
    }

    fn decide(&mut self, moment: &Moment, decision: Decision) -> Paid {
        let terms = &self.terms;
        let is_party = [terms.requester, terms.provider].contains(&moment.actor);
        let (allowed, needed) = match (terms.rule, decision) {
            (Rule::Single, Decision::Release) => (moment.actor == terms.requester, 1),
            (Rule::Single, Decision::Refund) => (moment.actor == terms.provider, 1),
            (Rule::BothParties | Rule::TimeLocked { .. }, _) => (is_party, 2),
            (Rule::Arbitrators, _) => {
                (terms.panel.members.contains(&moment.actor), usize::from(terms.panel.required))
            }
        };
        // What the timeout would do anyhow competes with nothing.
        let agrees = match decision {
            Decision::Release => self.state == State::Completed,
            Decision::Refund => self.state == State::Funded,
        };
        let mut check = Check::default();
        check.refuse(!self.runs(), EscrowError::WrongState);
        check.refuse(!allowed, EscrowError::NotAllowed);
        check.refuse(moment.late && !agrees, EscrowError::TooLate);
        check.done()?;
        let verdict = match decision {
            Decision::Release => Verdict::Release,
            Decision::Refund => Verdict::Refund,
        };
        if self.terms.rule != Rule::Single && !self.is_agreed(moment.actor, verdict, needed) {
            return Ok((0, 0));
        }
        match decision {
            Decision::Release => Ok(self.release_part(Ending::Decided)),
            Decision::Refund if moment.late => Ok(self.end(State::Refunded, Ending::TimedOut, 0)),
            Decision::Refund => Ok(self.end(State::Refunded, Ending::Decided, 0)),
        }
    }

    fn raise(&mut self, moment: &Moment, cids: &[Vec<u8>]) -> Paid {
        let mut check = Check::default();
        check.refuse(!self.runs(), EscrowError::WrongState);
        check.refuse_all(self.evidence_faults(moment, cids));
        check.done()?;
        self.raised_by = Some(self.bring(moment, cids));
        self.ballots.clear();
        self.state = State::Disputed;
        self.since_ms = moment.now_ms;
        Ok((0, 0))
    }

    fn evidence_faults(&self, moment: &Moment, cids: &[Vec<u8>]) -> Faults {
        let mut check = Check::default();
        let side = self.side_of(moment.actor);
        check.refuse(side.is_none(), EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        let already = self.evidence.iter().filter(|piece| Some(piece.by) == side).count();
        let too_much = already + cids.len() > usize::from(MAX_EVIDENCE);
        check.refuse(too_much, EscrowError::TooMuchEvidence);
        let wrong = |cid: &Vec<u8>| cid.is_empty() || cid.len() > MAX_CID_LEN;
        check.refuse(cids.iter().any(wrong), EscrowError::WrongCid);
        check.done().err().unwrap_or_default()
    }

    fn side_of(&self, who: Account) -> Option<Side> {
        let sides =
            [(self.terms.requester, Side::Requester), (self.terms.provider, Side::Provider)];
        sides.into_iter().find(|side| side.0 == who).map(|side| side.1)
    }

    fn bring(&mut self, moment: &Moment, cids: &[Vec<u8>]) -> Side {
        let by = self.side_of(moment.actor).expect("checked");
        self.evidence.extend(cids.iter().map(|cid| Evidence { by, cid: cid.clone() }));
        by
    }

    fn vote(&mut self, moment: &Moment, verdict: Verdict) -> Paid {
        let panel = &self.terms.panel;
        let mut check = Check::default();
        check.refuse(self.state != State::Disputed, EscrowError::WrongState);
        check.refuse(!panel.members.contains(&moment.actor), EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        let (provider, requester) = match verdict {
            Verdict::Release => (self.locked, 0),
            Verdict::Refund => (0, self.locked),
            Verdict::Split { provider_share, requester_share } => (provider_share, requester_share),
        };
        let sum = provider.checked_add(requester);
        check.refuse(sum != Some(self.locked), EscrowError::WrongAmount);
        check.done()?;
        let needed = usize::from(panel.required);
        if self.is_agreed(moment.actor, verdict, needed) {
            return Ok(self.end(State::Resolved, Ending::Voted, provider));
        }
        Ok((0, 0))
    }

    fn expire(&mut self, moment: &Moment) -> Paid {
        let mut check = Check::default();
        check.refuse(self.has_ended() || !moment.late, EscrowError::NotDue);
        check.done()?;
        Ok(match self.state {
            State::Created => self.end(State::Expired, Ending::TimedOut, 0),
            State::Funded => self.end(State::Refunded, Ending::TimedOut, 0),
            State::Completed => self.release_part(Ending::TimedOut),
            _ => {
                let share = match self.terms.fallback {
                    Fallback::Refund => 0,
                    Fallback::Release => self.locked - self.deduction,
                    Fallback::Split { provider_bps } => {
                        // Amounts of the test are far below 2^128 / 10,000.
                        (self.locked - self.deduction) * u128::from(provider_bps) / 10_000
                    }
                };
                self.end(State::Resolved, Ending::FellBack, share)
            }
        })
    }

    fn settle(&mut self, moment: &Moment, share: u128) -> Paid {
        let gives_back = self.state == State::Funded && share == 0;
        let mut check = Check::default();
        check.refuse(!self.runs(), EscrowError::WrongState);
        check.refuse(self.operator != Some(moment.actor), EscrowError::NotAllowed);
        check.refuse(moment.late && !gives_back, EscrowError::TooLate);
        check.refuse(share > self.locked, EscrowError::WrongAmount);
        check.done()?;
        let state = if share == 0 { State::Refunded } else { State::Released };
        Ok(self.end(state, Ending::Settled, share))
    }

    /// Notes a decision or vote; whether enough agree with it.
    fn is_agreed(&mut self, by: Account, verdict: Verdict, needed: usize) -> bool {
        match self.ballots.iter_mut().find(|ballot| ballot.0 == by) {
            Some(ballot) => ballot.1 = verdict,
            None => self.ballots.push((by, verdict)),
        }
        self.ballots.iter().filter(|ballot| ballot.1 == verdict).count() >= needed
    }

    fn release_part(&mut self, ending: Ending) -> (u128, u128) {
        let amount = self.terms.milestones[self.part].amount;
        let (provider, requester) = (amount - self.deduction, self.deduction);
        self.book(provider, requester);
        if self.part + 1 < self.terms.milestones.len() {
            self.part += 1;
            self.state = State::Funded;
            self.ballots.clear();
        } else {
            self.state = State::Released;
            self.ending = Some(ending);
        }
        (provider, requester)
    }

    fn end(&mut self, state: State, ending: Ending, provider: u128) -> (u128, u128) {
        let requester = self.locked - provider;
        self.book(provider, requester);
        self.state = state;
        self.ending = Some(ending);
        (provider, requester)
    }

    fn book(&mut self, provider: u128, requester: u128) {
        self.locked -= provider + requester;
        self.to_provider += provider;
        self.to_requester += requester;
        self.deduction = 0;
    }
}
