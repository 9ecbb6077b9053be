//! What a node shows of itself.

use crate::byzantine::QuorumCertificate;
use crate::io::{Application, Keys};
use crate::node::{Node, FETCH_BYTES, FETCH_LIMIT};
use crate::types::{digest, Ballot, Entry, Position, Seat};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// What a node tells about itself.
#[derive(Clone, Debug)]
pub struct Status {
    /// The highest ballot promised; in the Byzantine form the view and its leader.
    pub promised: Ballot,
    /// The ballot that this node leads, if it does.
    pub leading: Option<Ballot>,
    /// Votes at positions that are not decided yet.
    pub votes: Vec<(Position, Ballot, Digest)>,
    /// Everything up to here is decided and applied.
    pub decided: Position,
    /// Positions with a report that has no certificate yet.
    pub uncertified: Vec<Position>,
    /// When each other node was last heard, on the timer's clock.
    pub heard_ms: BTreeMap<Seat, u64>,
    /// Proposals of this node that are not finished.
    pub proposals: usize,
}

impl<A: Application, K: Keys> Node<A, K> {
    /// The application.
    pub fn application(&self) -> &A {
        &self.application
    }

    /// Decided entries from a position on, at most `limit` and at most about half a megabyte.
    pub fn entries(&self, from: Position, limit: u16) -> Vec<Entry> {
        let limit = limit.min(FETCH_LIMIT);
        self.log.entries(from.max(1), usize::from(limit), FETCH_BYTES)
    }

    /// The proof of the decision at a position: the commits of a quorum.
    pub fn proof(&self, position: Position) -> Option<&QuorumCertificate> {
        self.log.get(position)?.proof.as_deref()
    }

    /// The certificate of the report at a position.
    pub fn certificate(&self, position: Position) -> Option<&Certificate> {
        self.log.get(position)?.certificate.as_deref()
    }

    /// This node's attestation of the decided report at a position, also after its certificate is
    /// complete: who has lost his voice on the chain can then be replaced in it. None for what it
    /// has not applied, for positions of earlier committees, and if it attested another report of
    /// the slot. A decision is durable and never changes, so no record is needed.
    pub fn attestation(&self, position: Position) -> Option<Signature> {
        if position <= self.config.base() {
            return None;
        }
        let request = self.log.applied_slot(position)?.attestation.as_deref()?;
        let before = self.attested.get(&(request.report.feed, request.report.slot));
        let same = before.is_none_or(|message| *message == request.message);
        same.then(|| self.keys.attest(&request.message))
    }

    /// The other nodes whose attestation of the report at a position is not here yet.
    pub fn without_share(&self, position: Position) -> BTreeSet<Seat> {
        let missing = |seat: &Seat| !self.rounds.has_share(position, *seat);
        self.config.others().filter(missing).collect()
    }

    // The promise, the ballot led, and the votes, in either form.
    fn ballots(&self) -> (Ballot, Option<Ballot>, Vec<(Position, Ballot, Digest)>) {
        if self.config.byzantine() {
            let ballot = |view| Ballot { round: view, seat: self.config.leader(view) };
            let state = &self.byzantine;
            let prepared = state.acceptor.prepared();
            return (
                ballot(state.views.view),
                state.role.leading(self.config.seat),
                prepared.map(|(position, view, hash)| (position, ballot(view), hash)).collect(),
            );
        }
        let votes = self.acceptor.votes();
        (
            self.acceptor.promised(),
            self.leader.leading(),
            votes.map(|v| (v.position, v.ballot, digest(&v.value))).collect(),
        )
    }

    /// The ballot of crash mode that this node campaigns with or leads.
    pub fn ballot(&self) -> Option<Ballot> {
        self.leader.ballot()
    }

    /// The node's state in figures.
    pub fn status(&self) -> Status {
        let (promised, leading, votes) = self.ballots();
        Status {
            promised,
            leading,
            votes,
            decided: self.log.applied(),
            uncertified: self.log.uncertified().keys().copied().collect(),
            heard_ms: self.heard_ms.clone(),
            proposals: self.proposals.len(),
        }
    }
}
