//! The node: dispatch, recovery, learning, catch-up and time.

use crate::acceptor::Acceptor;
use crate::attest::Rounds;
use crate::byzantine::{Byzantine, Kind};
use crate::catchup::CatchUp;
use crate::epoch::Successor;
use crate::io::{Application, Input, Keys, Now, Outcome, Output, Refusal};
use crate::leader::Leader;
use crate::log::Log;
use crate::message::{Answer, Request};
use crate::proposals::{Proposal, Proposals, Stage};
use crate::suggestions::Suggestions;
use crate::types::{digest, Config, Position, Record, Seat, StartError, Value, Vote};
use cicada_core::hash::Digest;
use cicada_core::report::Feed;
use std::collections::{BTreeMap, BTreeSet};

/// The most entries in one answer to `Fetch`, and about how many bytes.
pub(crate) const FETCH_LIMIT: u16 = 256;
pub(crate) const FETCH_BYTES: usize = 512 * 1024;

/// One node of the committee.
#[derive(Clone, Debug)]
pub struct Node<A, K> {
    pub(crate) config: Config,
    pub(crate) application: A,
    pub(crate) keys: K,
    pub(crate) acceptor: Acceptor,
    pub(crate) byzantine: Byzantine,
    pub(crate) log: Log,
    pub(crate) leader: Leader,
    pub(crate) rounds: Rounds,
    pub(crate) proposals: Proposals,
    pub(crate) suggestions: Suggestions,
    pub(crate) attested: BTreeMap<(Feed, u64), Digest>,
    pub(crate) heard_ms: BTreeMap<Seat, u64>,
    pub(crate) catch_up: CatchUp,
    pub(crate) now: Now,
    pub(crate) ended: Option<(Position, Successor)>,
    out: Vec<Output>,
    halted: bool,
}

impl<A: Application, K: Keys> Node<A, K> {
    /// A node as its records leave it; none for a node that starts for the first time. The
    /// decided values are applied at once.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn recover(
        config: Config,
        application: A,
        keys: K,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Self, StartError> {
        if config.seat >= config.quorum.n() || config.attestation.n() != config.quorum.n() {
            return Err(StartError::NoSuchSeat);
        }
        config.check_closed()?;
        let mut node = Self {
            config,
            application,
            keys,
            acceptor: Acceptor::default(),
            byzantine: Byzantine::default(),
            log: Log::default(),
            leader: Leader::default(),
            rounds: Rounds::default(),
            proposals: Proposals::default(),
            suggestions: Suggestions::default(),
            attested: BTreeMap::new(),
            heard_ms: BTreeMap::new(),
            now: Now { timer_ms: 0, wall_ms: 0 },
            out: Vec::new(),
            halted: false,
            catch_up: CatchUp::default(),
            ended: None,
        };
        node.restore(records)?;
        if node.config.byzantine() {
            node.byzantine.views.resume(node.byzantine.acceptor.view());
        }
        Ok(node)
    }

    fn restore(&mut self, records: impl IntoIterator<Item = Record>) -> Result<(), StartError> {
        let mut certificates = BTreeMap::new();
        let mut proofs = BTreeMap::new();
        let mut values = BTreeMap::new();
        for record in records {
            match record {
                Record::Promised(ballot) => {
                    self.acceptor.promise(ballot);
                }
                Record::Voted(vote) => self.acceptor.restore(vote),
                Record::Decided { position, value } => {
                    let before = values.insert(position, value.clone());
                    if before.is_some_and(|before| before != value) {
                        return Err(StartError::Damaged("two decisions at one position"));
                    }
                }
                Record::Certified { position, certificate } => {
                    certificates.insert(position, certificate);
                }
                Record::Attested { feed, slot, message } => {
                    let before = self.attested.insert((feed, slot), message);
                    if before.is_some_and(|before| before != message) {
                        return Err(StartError::Damaged("two attestations for one slot"));
                    }
                }
                Record::Proven(proof) => {
                    proofs.insert(proof.statement.position, proof);
                }
                vote @ (Record::Entered(_)
                | Record::Held { .. }
                | Record::Prepared { .. }
                | Record::Locked(_)) => self.byzantine.acceptor.restore(vote),
            }
        }
        self.check_committee(proofs.values())?;
        for (position, value) in values {
            let proof = proofs.remove(&position);
            if self.config.byzantine() && proof.is_none() {
                return Err(StartError::Damaged("a decision without its proof"));
            }
            let hash = digest(&value);
            let decided = self.log.decide(position, value, hash, proof);
            decided.map_err(|_| StartError::Damaged("two decisions at one position"))?;
        }
        while self.apply_next().map_err(StartError::Damaged)?.is_some() {}
        self.acceptor.forget_up_to(self.log.applied());
        self.byzantine.forget_up_to(self.log.applied());
        for (position, certificate) in certificates {
            // Verified before it was written.
            if self.log.certify(position, certificate) {
                self.application.certified(position);
            }
        }
        Ok(())
    }

    /// The one entrance: something happens at a time, and this is what must be done about it.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        if self.halted {
            return Vec::new();
        }
        self.now = Now { timer_ms: now.timer_ms.max(self.now.timer_ms), wall_ms: now.wall_ms };
        match input {
            Input::Tick => self.tick(),
            Input::Request { from, request } => {
                self.heard(from);
                let answer = self.on_request(from, request);
                self.out.push(Output::Answer(answer));
            }
            Input::Answer { from, answer } => {
                self.heard(from);
                self.on_answer(from, answer);
            }
            Input::Propose { ticket, value, deadline_ms } => {
                self.on_propose(ticket, value, deadline_ms)
            }
            Input::Certify => self.hurry_rounds(false),
        }
        std::mem::take(&mut self.out)
    }

    fn on_request(&mut self, from: Seat, request: Request) -> Answer {
        match request {
            Request::Decided { position, digest, proof } => {
                self.on_decided(from, position, digest, proof)
            }
            Request::Certified { position, certificate } => {
                self.on_certified(from, position, certificate)
            }
            Request::Fetch { from: first, limit } => {
                Answer::Entries { entries: self.entries(first, limit), decided: self.log.applied() }
            }
            Request::Suggest { value } => self.on_suggest(from, value),
            other if self.config.byzantine() => self.on_byzantine_request(from, other),
            Request::PreVote { ballot } => self.on_pre_vote(from, ballot),
            Request::Prepare { ballot, from: first } => self.on_prepare(from, ballot, first),
            Request::Accept { ballot, position, since, value, tip } => {
                let vote = Vote { position, ballot, since, value };
                self.on_accept(from, vote, tip)
            }
            _ => invalid("a request of the Byzantine form, but this is crash mode"),
        }
    }

    fn on_byzantine_request(&mut self, from: Seat, request: Request) -> Answer {
        match request {
            Request::Lead { view, entered } => self.on_lead(from, view, entered),
            Request::Propose { proposal, justification } => {
                self.on_proposal(from, proposal, justification)
            }
            Request::Commit { certificate, value } => self.on_commit(from, certificate, value),
            Request::Timeout { view, signature, entered } => {
                self.on_timeout(from, view, signature, entered)
            }
            _ => invalid("a request of crash mode, but this is the Byzantine form"),
        }
    }

    fn on_answer(&mut self, from: Seat, answer: Answer) {
        match answer {
            Answer::Attested { position, signature } => self.on_attested(from, position, signature),
            Answer::AlreadyCertified { position, certificate } => {
                self.certify(position, certificate);
            }
            Answer::Entries { entries, decided } => self.on_entries(from, entries, decided),
            Answer::Unwanted { digest, reason } => self.on_unwanted(from, digest, &reason),
            Answer::NothingToAttest { .. } | Answer::Noted | Answer::Invalid { .. } => {}
            other if self.config.byzantine() => self.on_byzantine_answer(from, other),
            Answer::Promise { ballot, votes, decided } => {
                self.on_promise(from, ballot, votes, decided)
            }
            Answer::Accepted { ballot, position } => self.on_accepted(from, ballot, position),
            Answer::PreVoted { ballot } => self.on_pre_voted(from, ballot),
            Answer::Outbid { promised } | Answer::Following { promised } => {
                self.on_outbid(promised)
            }
            Answer::Refused { ballot, position, reason } => {
                self.on_refused(from, ballot, position, &reason)
            }
            Answer::Behind { .. } => self.soon(),
            _ => {}
        }
    }

    fn on_byzantine_answer(&mut self, from: Seat, answer: Answer) {
        match answer {
            Answer::Pledged { pledge, tip, locks, values } => {
                self.on_pledged(from, pledge, tip, locks, values)
            }
            Answer::Prepared { view, position, signature } => {
                self.on_share(from, Kind::Prepared, view, position, signature)
            }
            Answer::Committed { view, position, signature } => {
                self.on_share(from, Kind::Committed, view, position, signature)
            }
            Answer::Unjustified { view } => self.on_unjustified(from, view),
            Answer::Lacking { view, position } => self.on_lacking(from, view, position),
            Answer::Refused { ballot, position, reason } => {
                self.on_refused_value(from, ballot.round, position, &reason)
            }
            Answer::View { entered, decided, .. } => self.on_view(from, entered, decided),
            Answer::Wish { view, signature } => self.on_wish(from, view, signature),
            _ => {}
        }
    }

    /// Does what can be done towards deciding what waits.
    pub(crate) fn advance(&mut self) {
        if self.config.byzantine() {
            self.lead_with_mandate();
            self.pump_values();
        } else {
            self.lead_if_possible();
            self.canvass_if_needed();
            self.pump();
        }
    }

    fn on_propose(&mut self, ticket: u64, value: Value, deadline_ms: u64) {
        if !(1..=self.config.max_value_len).contains(&value.len()) {
            let refusal = Refusal("the value is empty or too long".into());
            return self.finish(ticket, Outcome::Refused(refusal));
        }
        if let Some(refusal) = self.refusal_at_end() {
            return self.finish(ticket, Outcome::Refused(refusal));
        }
        if self.proposals.len() >= self.config.max_proposals {
            return self.finish(ticket, Outcome::Busy);
        }
        self.proposals.push(Proposal {
            ticket,
            digest: digest(&value),
            value,
            started_ms: self.now.timer_ms,
            deadline_ms,
            stage: Stage::Waiting,
            promised: BTreeSet::new(),
            accepted: BTreeSet::new(),
            refusals: BTreeMap::new(),
        });
        self.advance();
        self.suggest_own();
    }

    fn tick(&mut self) {
        let now = self.now.timer_ms;
        for proposal in self.proposals.take(|p| p.deadline_ms <= now) {
            self.fail(proposal);
        }
        match self.config.byzantine() {
            true => self.tick_byzantine(),
            false => self.tick_leader(),
        }
        self.tick_rounds();
        self.sync_if_due();
    }

    fn heard(&mut self, seat: Seat) {
        let now = self.now.timer_ms;
        let before = self.heard_ms.insert(seat, now);
        let silence = self.config.timing.certify_ms.saturating_mul(5);
        if before.is_none_or(|before| before.saturating_add(silence) < now) {
            self.hurry_rounds(true);
        }
    }

    fn fail(&mut self, proposal: Proposal) {
        let decided = match proposal.stage {
            // Before it is applied the epoch may still end before it.
            Stage::Decided(position) => {
                self.log.applied_slot(position).is_some().then_some(position)
            }
            Stage::Waiting | Stage::InFlight => None,
        };
        let silent = |seat: &Seat| {
            let heard = self.heard_ms.get(seat);
            heard.is_none_or(|heard| *heard < proposal.started_ms)
        };
        let missing = match decided {
            Some(position) => self.without_share(position),
            None => self.config.others().filter(silent).collect(),
        };
        let outcome = Outcome::Failed { decided, missing, refusals: proposal.refusals };
        self.finish(proposal.ticket, outcome);
    }

    /// Gives up the proposals of a value that too many nodes refuse.
    pub(crate) fn fail_refused(&mut self, refused: Digest) {
        let hopeless = |p: &Proposal| p.digest == refused && !matches!(p.stage, Stage::Decided(_));
        for proposal in self.proposals.take(hopeless) {
            self.fail(proposal);
        }
    }

    /// Finishes the proposals decided at a position, if there is nothing left to wait for.
    pub(crate) fn finish_decided(&mut self, position: Position) {
        let Some(slot) = self.log.applied_slot(position) else {
            return;
        };
        let certified = slot.certificate.is_some();
        if !certified && slot.attestation.is_some() {
            return;
        }
        for proposal in self.proposals.take(|p| p.stage == Stage::Decided(position)) {
            let outcome = if certified {
                Outcome::Certified {
                    position,
                    promised: proposal.promised,
                    accepted: proposal.accepted,
                }
            } else {
                Outcome::PassedOver { position }
            };
            self.finish(proposal.ticket, outcome);
        }
    }

    pub(crate) fn finish(&mut self, ticket: u64, outcome: Outcome) {
        self.out.push(Output::Finished { ticket, outcome });
    }

    pub(crate) fn send(&mut self, to: Vec<Seat>, request: Request) {
        if !to.is_empty() {
            self.out.push(Output::Send { to, request });
        }
    }

    pub(crate) fn emit(&mut self, output: Output) {
        self.out.push(output);
    }

    pub(crate) fn persist_all(&mut self, records: Vec<Record>) {
        for record in records {
            self.persist(record);
        }
    }

    pub(crate) fn persist(&mut self, record: Record) {
        if let Some(Output::Persist(records)) = self.out.last_mut() {
            records.push(record);
        } else {
            self.out.push(Output::Persist(vec![record]));
        }
    }

    pub(crate) fn halt(&mut self, reason: String) {
        self.halted = true;
        self.out.push(Output::Halt { reason });
    }
}

pub(crate) fn invalid(reason: &str) -> Answer {
    Answer::Invalid { reason: reason.to_owned() }
}
