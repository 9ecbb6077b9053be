//! How a node answers the leader of a view.

use super::acceptor::Objection;
use super::mandate::Mandate;
use super::statement::{Kind, QuorumCertificate, Statement};
use super::Contradiction;
use crate::io::{Application, Keys, Output, Refusal};
use crate::message::{Answer, Justification, Proposal};
use crate::mutant::Mutant;
use crate::node::{invalid, Node, FETCH_LIMIT};
use crate::types::{digest, Ballot, Position, Seat, Value, View};
use cicada_core::hash::Digest;

impl<A: Application, K: Keys> Node<A, K> {
    pub(crate) fn on_lead(&mut self, from: Seat, view: View, entered: QuorumCertificate) -> Answer {
        if from != self.config.leader(view) || entered.statement.view != view {
            return invalid("not the leader of that view");
        }
        self.follow(entered);
        if view != self.byzantine.views.view {
            return match view < self.byzantine.views.view {
                true => self.view_answer(),
                false => invalid("no quorum wished for this view"),
            };
        }
        // A new member may know less than what its configuration says was decided.
        let tip = self.log.applied().max(self.config.base());
        let mut records = Vec::new();
        let acceptor = &mut self.byzantine.acceptor;
        let pledge = acceptor.pledge(&self.config, &self.keys, view, tip, &mut records);
        self.persist_all(records);
        let Ok(pledge) = pledge else {
            return self.view_answer();
        };
        let acceptor = &self.byzantine.acceptor;
        let locks: Vec<QuorumCertificate> =
            acceptor.locks().filter(|lock| lock.statement.position > tip).cloned().collect();
        let value = |lock: &QuorumCertificate| {
            let Statement { position, digest, .. } = lock.statement;
            Some((position, acceptor.value(position, &digest)?.clone()))
        };
        let values = locks.iter().filter_map(value).collect();
        let tip = self.log.get(tip).and_then(|slot| slot.proof.as_deref().cloned());
        Answer::Pledged { pledge, tip, locks, values }
    }

    pub(crate) fn on_proposal(
        &mut self,
        from: Seat,
        proposal: Proposal,
        justification: Option<Justification>,
    ) -> Answer {
        let Proposal { view, position, .. } = proposal;
        if from != self.config.leader(view) {
            return invalid("not the leader of that view");
        }
        if self.is_over(view) {
            return self.view_answer();
        }
        if position == 0 || proposal.value.len() > self.config.max_value_len {
            return invalid("position or length of the value");
        }
        let hash = digest(&proposal.value);
        let statement = Statement { kind: Kind::Proposal, position, view, digest: hash };
        if !statement.verify(&self.config, &self.keys, from, &proposal.signature) {
            return invalid("the signature of the proposal is not genuine");
        }
        if let Err(answer) = self.mandate_of(view, justification) {
            return *answer;
        }
        self.note_proposal(from, statement, proposal.signature);
        if let Some(answer) = self.settled(position).or_else(|| self.beyond_end(position)) {
            return answer;
        }
        if self.is_ahead(position) {
            self.fetch(from);
            return Answer::Behind { decided: self.log.applied() };
        }
        if let Err(Refusal(reason)) = self.find_valid(position, hash, &proposal.value) {
            let ballot = Ballot { round: view, seat: from };
            return Answer::Refused { ballot, position, reason };
        }
        let Some(mandate) = self.byzantine.views.mandate.clone() else {
            return Answer::Unjustified { view };
        };
        match self.prepare(&mandate, position, &proposal.value) {
            Ok(signature) => Answer::Prepared { view, position, signature },
            Err(Objection::OldView) => self.view_answer(),
            Err(Objection::SecondValue) => invalid("two values in one view"),
            Err(_) => invalid("the mandate of the view does not allow this value"),
        }
    }

    // Whether this node knows too little to vote there: the window ends before it, or what the
    // earlier epochs decided is not all applied, and so not known to end as configured.
    fn is_ahead(&self, position: Position) -> bool {
        let applied = self.log.applied();
        position > applied.saturating_add(self.config.window) || applied < self.config.base()
    }

    fn is_over(&self, view: View) -> bool {
        view < self.byzantine.views.view && !self.config.mutated(Mutant::VoteBelowPledge)
    }

    // Enters the view and learns its mandate, if that is needed and possible.
    fn mandate_of(
        &mut self,
        view: View,
        justification: Option<Justification>,
    ) -> Result<(), Box<Answer>> {
        let known = view == self.byzantine.views.view && self.byzantine.views.mandate.is_some();
        if known {
            return Ok(());
        }
        let justification = justification.ok_or_else(|| Box::new(Answer::Unjustified { view }))?;
        let mandate = justification.judge(&self.config, &self.keys);
        let mandate = mandate.map_err(|reason| Box::new(invalid(reason)))?;
        if mandate.view() != view {
            return Err(Box::new(invalid("the justification of another view")));
        }
        // The pledges of a quorum show that the view was entered rightly.
        self.enter(view, None);
        self.byzantine.views.mandate = Some(mandate);
        Ok(())
    }

    // The answer to a leader that works on a position decided already.
    fn settled(&mut self, position: Position) -> Option<Answer> {
        self.log.get(position)?;
        let applied = self.log.applied();
        let entries = self.entries(position.min(applied), FETCH_LIMIT);
        Some(Answer::Entries { entries, decided: applied })
    }

    // A value that the mandate binds was found valid by a quorum; a free one is checked here, also
    // if it is held since an earlier view, unless this is the leader repeating itself.
    fn find_valid(&self, position: Position, hash: Digest, value: &Value) -> Result<(), Refusal> {
        let Some(mandate) = &self.byzantine.views.mandate else {
            return Ok(());
        };
        let bound = mandate.bound().get(&position) == Some(&hash);
        let said = (position, mandate.view(), hash);
        let again = self.byzantine.acceptor.prepared().any(|known| known == said);
        if bound || again || self.config.mutated(Mutant::SkipValidity) {
            return Ok(());
        }
        if value.is_empty() {
            // Only to fill a hole.
            let hole = position < mandate.last_bound().max(self.log.last());
            return hole.then_some(()).ok_or(Refusal("a no-op that fills no hole".into()));
        }
        self.application.check(value, self.now)
    }

    pub(super) fn prepare(
        &mut self,
        mandate: &Mandate,
        position: Position,
        value: &Value,
    ) -> Result<cicada_core::certificate::Signature, Objection> {
        if self.is_beyond_end(position) {
            return Err(Objection::NotAllowed);
        }
        let mut records = Vec::new();
        let acceptor = &mut self.byzantine.acceptor;
        let (config, keys) = (&self.config, &self.keys);
        let share = acceptor.prepare(config, keys, mandate, position, value, &mut records);
        self.byzantine.views.stir(self.now.timer_ms);
        self.persist_all(records);
        share
    }

    // Two proposals of one leader for one position of a view convict it.
    fn note_proposal(
        &mut self,
        seat: Seat,
        statement: Statement,
        signature: cicada_core::certificate::Signature,
    ) {
        let Statement { position, view, digest, .. } = statement;
        if position > self.log.applied().saturating_add(self.config.window) {
            return;
        }
        let seen = self.byzantine.seen.insert(position, (view, digest, signature));
        if let Some((_, other, before)) = seen.filter(|s| s.0 == view && s.1 != digest) {
            let first = (Statement { digest: other, ..statement }, before);
            let contradiction = Contradiction { seat, first, second: (statement, signature) };
            self.emit(Output::Contradiction(contradiction));
        }
    }

    pub(crate) fn on_commit(
        &mut self,
        from: Seat,
        certificate: QuorumCertificate,
        value: Option<Value>,
    ) -> Answer {
        let Statement { view, position, .. } = certificate.statement;
        if let Some(answer) = self.settled(position).or_else(|| self.beyond_end(position)) {
            return answer;
        }
        if self.is_ahead(position) {
            self.fetch(from);
            return Answer::Behind { decided: self.log.applied() };
        }
        if self.is_over(view) {
            return self.view_answer();
        }
        if value.as_ref().is_some_and(|value| value.len() > self.config.max_value_len) {
            return invalid("length of the value");
        }
        match self.commit(&certificate, value.as_ref()) {
            Ok(signature) => {
                self.enter(view, None);
                Answer::Committed { view, position, signature }
            }
            Err(Objection::OldView) => self.view_answer(),
            Err(Objection::NoValue) => Answer::Lacking { view, position },
            Err(Objection::SecondValue) => invalid("two values in one view"),
            Err(_) => invalid("the certificate is not genuine"),
        }
    }

    pub(super) fn commit(
        &mut self,
        certificate: &QuorumCertificate,
        value: Option<&Value>,
    ) -> Result<cicada_core::certificate::Signature, Objection> {
        if self.is_beyond_end(certificate.statement.position) {
            return Err(Objection::NotAllowed);
        }
        let mut records = Vec::new();
        let acceptor = &mut self.byzantine.acceptor;
        let share = acceptor.commit(&self.config, &self.keys, certificate, value, &mut records);
        self.byzantine.views.stir(self.now.timer_ms);
        self.persist_all(records);
        share
    }

    /// Learns a decision from its proof, if the value is here.
    pub(crate) fn learn_by_proof(&mut self, proof: Option<QuorumCertificate>) {
        let Some(proof) = proof else {
            return;
        };
        let Statement { position, digest, .. } = proof.statement;
        if self.log.get(position).is_some() || position > self.horizon() {
            return;
        }
        let value = self.byzantine.acceptor.value(position, &digest).cloned();
        if let Some(value) = value {
            if self.proves(&proof, position, digest) {
                self.learn_digested(position, value, digest, Some(proof));
            }
        }
    }

    /// Whether this certificate proves that a value is decided at a position.
    pub(crate) fn proves(
        &self,
        proof: &QuorumCertificate,
        position: Position,
        hash: Digest,
    ) -> bool {
        let same = proof.statement.position == position && proof.statement.digest == hash;
        let believed = self.config.mutated(Mutant::BelieveDecisions);
        same && (believed || proof.decides(&self.config, &self.keys))
    }

    // Beyond it nothing is kept.
    fn horizon(&self) -> Position {
        self.log.applied().saturating_add(self.config.window.saturating_mul(4))
    }
}
