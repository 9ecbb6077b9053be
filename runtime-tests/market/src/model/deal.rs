//! One escrow: states, deadlines, decisions, disputes.

use super::{audit, terms, Check, Faults};
use cicada_core::escrow::{
    Act, AuditEntry, Decision, Ending, EscrowError, Evidence, Fallback, Part, Rule, Side, State,
    Summary, Terms, Verdict, MAX_CID_LEN, MAX_EVIDENCE,
};
use cicada_core::hash::Digest;
use cicada_core::Account;
use std::collections::BTreeMap;

/// One escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// What was agreed.
    pub terms: Terms,
    /// Who runs it, if somebody does.
    pub operator: Option<Account>,
    /// The reserve that it was drawn from.
    pub reserve: Option<u64>,
    /// Where it stands.
    pub state: State,
    /// The part in work or completed.
    pub part: usize,
    /// Since when it is completed, disputed, at the next part or ended.
    pub since_ms: u64,
    /// How long disputes lasted, each at most as long as it may.
    pub moved_ms: u64,
    /// When silence would have paid the part in dispute.
    pub silent_until_ms: u64,
    /// What is held.
    pub locked: u128,
    /// What the provider got.
    pub to_provider: u128,
    /// What the requester got back.
    pub to_requester: u128,
    /// What the requester gets of the completed part, as measured.
    pub deduction: u128,
    /// What he gets of it, as reported, if nobody decides.
    pub reported: u128,
    /// What whoever raised the dispute deposited for the arbitrators.
    pub deposit: u128,
    /// Who raised a dispute.
    pub raised_by: Option<Side>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// The newest result.
    pub result: Option<Digest>,
    /// Decisions and votes in order of coming: of each part in work, completed, in dispute.
    pub ballots: BTreeMap<(usize, Stage), Vec<(Account, Verdict)>>,
    /// What both sides brought about each part.
    pub evidence: BTreeMap<usize, Vec<Evidence>>,
    /// All that happened.
    pub log: Vec<AuditEntry>,
    /// The number of each signer's last signature.
    pub nonces: BTreeMap<Account, u64>,
}

/// When something is said about a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before its completion.
    InWork,
    /// After it.
    Completed,
    /// In a dispute over it.
    Disputed,
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
            reserve: None,
            state: State::Created,
            part: 0,
            since_ms: 0,
            moved_ms: 0,
            silent_until_ms: 0,
            locked: 0,
            to_provider: 0,
            to_requester: 0,
            deduction: 0,
            reported: 0,
            deposit: 0,
            raised_by: None,
            ending: None,
            result: None,
            ballots: BTreeMap::new(),
            evidence: BTreeMap::new(),
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
            (State::Funded, _) => {
                Some(self.terms.milestones[self.part].complete_by_ms + self.moved_ms)
            }
            (State::Completed, Rule::TimeLocked { release_after_ms }) => {
                Some(release_after_ms.max(review))
            }
            (State::Completed, _) => Some(review),
            (State::Disputed, _) => {
                let ends = self.since_ms.saturating_add(self.terms.dispute_ms);
                Some(ends.max(self.silent_until_ms))
            }
            _ => None,
        }
    }

    /// The number of the part.
    pub fn milestone(&self) -> u8 {
        u8::try_from(self.part).expect("16 parts at most")
    }

    /// What the part pays.
    pub fn amount(&self) -> u128 {
        self.terms.milestones[self.part].amount
    }

    /// Decisions about the part, or votes in the dispute over it.
    pub fn shown_ballots(&self) -> Vec<(Account, Verdict)> {
        let stage = match self.state {
            State::Disputed | State::Resolved => Stage::Disputed,
            State::Completed | State::Released => Stage::Completed,
            _ => Stage::InWork,
        };
        self.ballots.get(&(self.part, stage)).cloned().unwrap_or_default()
    }

    /// What others see of it, where its log starts with this digest.
    pub fn summary(&self, start: Digest) -> Summary {
        Summary {
            state: self.state,
            milestone: self.milestone(),
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
            since_ms: self.since_ms,
            operator: self.operator,
            result: self.result,
            audit_len: u32::try_from(self.log.len()).expect("short"),
            audit_head: audit::head(start, &self.log),
        }
    }

    /// Does what is asked. Gives what is to be paid to provider and requester. After an error the
    /// deal is to be thrown away.
    pub(super) fn act(&mut self, moment: &Moment, act: &Act) -> Paid {
        match act {
            Act::Fund(terms) => self.fund(moment, *terms),
            Act::Complete { milestone, result } => {
                let allowed = moment.actor == self.terms.provider && self.operator.is_none();
                self.complete(moment, *milestone, allowed, (*result, 0))
            }
            Act::CompleteFor { milestone, result, deduction } => {
                let allowed = self.operator == Some(moment.actor);
                self.complete(moment, *milestone, allowed, (*result, *deduction))
            }
            Act::Decide { part, decision } | Act::DecideSigned { part, decision, .. } => {
                self.decide(moment, *part, *decision)
            }
            Act::Raise { milestone, evidence } => self.raise(moment, *milestone, evidence),
            Act::AddEvidence(cid) => {
                let mut check = Check::default();
                check.refuse(self.state != State::Disputed, EscrowError::WrongState);
                check.refuse_all(self.evidence_faults(moment, std::slice::from_ref(cid)));
                check.done()?;
                self.bring(moment, std::slice::from_ref(cid));
                Ok((0, 0))
            }
            Act::Report { milestone, deduction } => {
                let allowed = self.operator == Some(moment.actor);
                let mut check = self.about(State::Disputed, *milestone, allowed, moment);
                check.refuse(*deduction > self.amount(), EscrowError::WrongAmount);
                check.done()?;
                self.reported = *deduction;
                Ok((0, 0))
            }
            Act::Vote { milestone, verdict } => self.vote(moment, *milestone, *verdict),
            Act::Expire => self.expire(moment),
            Act::Settle(share) => self.settle(moment, *share),
            Act::Create(_) | Act::Draw { .. } => unreachable!("makes an escrow"),
        }
    }

    fn fund(&mut self, moment: &Moment, terms: Digest) -> Paid {
        let mut check = Check::default();
        check.refuse(terms != audit::of_terms(&self.terms), EscrowError::OtherTerms);
        check.refuse(self.state != State::Created, EscrowError::WrongState);
        check.refuse(moment.actor != self.terms.requester, EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        check.done()?;
        self.state = State::Funded;
        self.locked = terms::total(&self.terms).expect("checked at creation");
        Ok((0, 0))
    }

    /// What stands against something that is about a part in one state only.
    fn about(&self, state: State, milestone: u8, allowed: bool, moment: &Moment) -> Check {
        let mut check = Check::default();
        check.refuse(self.state != state, EscrowError::WrongState);
        check.refuse(self.milestone() != milestone, EscrowError::WrongPart);
        check.refuse(!allowed, EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        check
    }

    fn complete(
        &mut self,
        moment: &Moment,
        milestone: u8,
        allowed: bool,
        (result, deduction): (Digest, u128),
    ) -> Paid {
        let mut check = self.about(State::Funded, milestone, allowed, moment);
        check.refuse(deduction > self.amount(), EscrowError::WrongAmount);
        check.done()?;
        self.state = State::Completed;
        self.since_ms = moment.now_ms;
        self.result = Some(result);
        self.deduction = deduction;
        Ok((0, 0))
    }

    fn decide(&mut self, moment: &Moment, part: Part, decision: Decision) -> Paid {
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
        let completed = self.state == State::Completed;
        let agrees = match decision {
            Decision::Release => completed,
            Decision::Refund => self.state == State::Funded,
        };
        let mut check = Check::default();
        check.refuse(!self.runs(), EscrowError::WrongState);
        let here = part.milestone == self.milestone() && part.completed == completed;
        check.refuse(!here, EscrowError::WrongPart);
        check.refuse(!allowed, EscrowError::NotAllowed);
        check.refuse(moment.late && !agrees, EscrowError::TooLate);
        check.done()?;
        let verdict = match decision {
            Decision::Release => Verdict::Release,
            Decision::Refund => Verdict::Refund,
        };
        let stage = if completed { Stage::Completed } else { Stage::InWork };
        if self.terms.rule != Rule::Single && !self.is_agreed(moment.actor, stage, verdict, needed)
        {
            return Ok((0, 0));
        }
        match decision {
            Decision::Release => Ok(self.release_part(moment, Ending::Decided)),
            Decision::Refund if moment.late => {
                Ok(self.end(moment, State::Refunded, Ending::TimedOut, 0))
            }
            Decision::Refund => Ok(self.end(moment, State::Refunded, Ending::Decided, 0)),
        }
    }

    fn raise(&mut self, moment: &Moment, milestone: u8, cids: &[Vec<u8>]) -> Paid {
        let party = self.side_of(moment.actor).is_some();
        let mut check = self.about(State::Completed, milestone, party, moment);
        check.refuse_all(self.evidence_faults(moment, cids));
        check.done()?;
        self.raised_by = Some(self.bring(moment, cids));
        // Amounts of the test are far below 2^128 / 10,000.
        self.deposit = self.amount() * u128::from(self.terms.panel.fee_bps) / 10_000;
        self.silent_until_ms = self.due_ms().expect("it is completed");
        self.state = State::Disputed;
        self.since_ms = moment.now_ms;
        Ok((0, 0))
    }

    fn evidence_faults(&self, moment: &Moment, cids: &[Vec<u8>]) -> Faults {
        let mut check = Check::default();
        let side = self.side_of(moment.actor);
        check.refuse(side.is_none(), EscrowError::NotAllowed);
        check.refuse(moment.late, EscrowError::TooLate);
        let pieces = self.evidence.get(&self.part).into_iter().flatten();
        let already = pieces.filter(|piece| Some(piece.by) == side).count();
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
        self.evidence
            .entry(self.part)
            .or_default()
            .extend(cids.iter().map(|cid| Evidence { by, cid: cid.clone() }));
        by
    }

    fn vote(&mut self, moment: &Moment, milestone: u8, verdict: Verdict) -> Paid {
        let panel = &self.terms.panel;
        let (allowed, needed) = (panel.members.contains(&moment.actor), panel.required.into());
        let mut check = self.about(State::Disputed, milestone, allowed, moment);
        let (provider, requester) = match verdict {
            Verdict::Release => (self.amount(), 0),
            Verdict::Refund => (0, self.amount()),
            Verdict::Split { provider_share, requester_share } => (provider_share, requester_share),
        };
        let sum = provider.checked_add(requester);
        check.refuse(sum != Some(self.amount()), EscrowError::WrongAmount);
        check.done()?;
        let verdict = match (provider, requester) {
            (0, _) => Verdict::Refund,
            (_, 0) => Verdict::Release,
            _ => verdict,
        };
        if !self.is_agreed(moment.actor, Stage::Disputed, verdict, needed) {
            return Ok((0, 0));
        }
        let share = (provider > 0).then(|| provider.saturating_sub(self.deduction));
        Ok(self.conclude(moment, Ending::Voted { provider_share: provider }, share))
    }

    /// Who gets the arbitrators' fee after this vote, and how much: the same for all who agree,
    /// what does not divide to the earlier ones.
    pub fn fee_of(&self, last: Account, fee: u128) -> Vec<(Account, u128)> {
        let votes = self.ballots.iter().rev().find(|((_, stage), _)| *stage == Stage::Disputed);
        let votes = votes.map(|(_, votes)| votes.clone()).unwrap_or_default();
        let verdict = votes.iter().find(|(by, _)| *by == last).expect("he voted").1;
        let winners: Vec<Account> =
            votes.into_iter().filter(|vote| vote.1 == verdict).map(|vote| vote.0).collect();
        let count = winners.len() as u128;
        let extra = |rank: usize| u128::from((rank as u128) < fee % count);
        let shared = winners.into_iter().enumerate();
        shared.map(|(rank, who)| (who, fee / count + extra(rank))).collect()
    }

    fn expire(&mut self, moment: &Moment) -> Paid {
        let mut check = Check::default();
        check.refuse(self.has_ended() || !moment.late, EscrowError::NotDue);
        check.done()?;
        Ok(match self.state {
            State::Created => self.end(moment, State::Expired, Ending::TimedOut, 0),
            State::Funded => self.end(moment, State::Refunded, Ending::TimedOut, 0),
            State::Completed => self.release_part(moment, Ending::TimedOut),
            _ => {
                let due = self.amount() - self.deduction.max(self.reported);
                let by_requester = self.raised_by == Some(Side::Requester);
                let share = match self.terms.fallback {
                    _ if by_requester => Some(due),
                    Fallback::Refund => None,
                    Fallback::Release => Some(due),
                    Fallback::Split { provider_bps: 0 } => None,
                    // Amounts of the test are far below 2^128 / 10,000.
                    Fallback::Split { provider_bps } => {
                        Some(due * u128::from(provider_bps) / 10_000)
                    }
                };
                self.conclude(moment, Ending::FellBack, share)
            }
        })
    }

    /// The end of a dispute: the part is paid, or (without a share) all is given back.
    fn conclude(&mut self, moment: &Moment, ending: Ending, share: Option<u128>) -> (u128, u128) {
        self.moved_ms += (moment.now_ms - self.since_ms).min(self.terms.dispute_ms);
        self.deposit = 0;
        match share {
            Some(share) => self.pay_part(moment, State::Resolved, ending, share),
            None => self.end(moment, State::Resolved, ending, 0),
        }
    }

    fn settle(&mut self, moment: &Moment, share: u128) -> Paid {
        let mut check = Check::default();
        check.refuse(!self.runs(), EscrowError::WrongState);
        check.refuse(self.operator != Some(moment.actor), EscrowError::NotAllowed);
        let undone = self.state == State::Funded && share == 0;
        check.refuse(moment.late && !undone, EscrowError::TooLate);
        check.refuse(share > self.locked, EscrowError::WrongAmount);
        check.done()?;
        let state = if undone { State::Refunded } else { State::Released };
        Ok(self.end(moment, state, Ending::Settled, share))
    }

    /// Sets a ballot; whether enough are equal to it now.
    fn is_agreed(&mut self, by: Account, stage: Stage, verdict: Verdict, needed: usize) -> bool {
        let ballots = self.ballots.entry((self.part, stage)).or_default();
        match ballots.iter_mut().find(|ballot| ballot.0 == by) {
            Some(ballot) => ballot.1 = verdict,
            None => ballots.push((by, verdict)),
        }
        ballots.iter().filter(|ballot| ballot.1 == verdict).count() >= needed
    }

    fn release_part(&mut self, moment: &Moment, ending: Ending) -> (u128, u128) {
        let provider = self.amount() - self.deduction;
        self.pay_part(moment, State::Released, ending, provider)
    }

    fn pay_part(
        &mut self,
        moment: &Moment,
        end: State,
        ending: Ending,
        provider: u128,
    ) -> (u128, u128) {
        let requester = self.amount() - provider;
        self.book(moment, provider, requester);
        if self.part + 1 < self.terms.milestones.len() {
            self.part += 1;
            self.state = State::Funded;
        } else {
            self.state = end;
            self.ending = Some(ending);
        }
        (provider, requester)
    }

    fn end(
        &mut self,
        moment: &Moment,
        state: State,
        ending: Ending,
        provider: u128,
    ) -> (u128, u128) {
        let requester = self.locked - provider;
        self.book(moment, provider, requester);
        self.state = state;
        self.ending = Some(ending);
        (provider, requester)
    }

    fn book(&mut self, moment: &Moment, provider: u128, requester: u128) {
        self.locked -= provider + requester;
        self.to_provider += provider;
        self.to_requester += requester;
        self.deduction = 0;
        self.reported = 0;
        self.since_ms = moment.now_ms;
    }
}
