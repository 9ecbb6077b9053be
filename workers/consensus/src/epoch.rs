//! The end of an epoch, and what the next one takes over; see `docs/epochs.md`.
//!
//! A value may end the epoch: the application says so once it has applied it. Its position is
//! the last of the epoch. What the old committee decided beyond it is void, because it is never
//! applied; the new committee decides there, under a configuration digest of its own. Who is in
//! it votes only once it has applied all that came before, and so knows that the log ends where
//! its configuration says.

use crate::byzantine::QuorumCertificate;
use crate::io::{Application, Keys, Outcome, Refusal};
use crate::message::Answer;
use crate::mutant::Mutant;
use crate::node::{Node, FETCH_LIMIT};
use crate::proposals::{Proposal, Stage};
use crate::suggestions::Suggestions;
use crate::types::{Config, Position, Record, StartError};
use cicada_core::hash::Digest;
use cicada_core::quorum::Quorum;

/// The committee that follows, as the value that ended the epoch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    /// Its epoch.
    pub epoch: u32,
    /// The digest of its configuration.
    pub config_digest: Digest,
}

/// An earlier epoch, which is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Which one.
    pub epoch: u32,
    /// The quorum that decided.
    pub quorum: Quorum,
    /// The quorum that certified.
    pub attestation: Quorum,
    /// The digest of its configuration.
    pub config_digest: Digest,
    /// Its last position.
    pub last: Position,
}

impl Config {
    /// Everything up to here was decided in earlier epochs; 0 in the first.
    pub fn base(&self) -> Position {
        self.closed.last().map_or(0, |closed| closed.last)
    }

    /// The earlier epoch to which a position belongs; `None` if it belongs to this one.
    pub fn closed_at(&self, position: Position) -> Option<&Closed> {
        self.closed.iter().find(|closed| position <= closed.last)
    }

    // Who follows at a position of an earlier epoch.
    fn successor_at(&self, position: Position) -> Option<Successor> {
        let ended = self.closed.iter().position(|closed| closed.last == position)?;
        Some(match self.closed.get(ended.saturating_add(1)) {
            Some(next) => Successor { epoch: next.epoch, config_digest: next.config_digest },
            None => Successor { epoch: self.epoch, config_digest: self.config_digest },
        })
    }

    // Earlier epochs follow each other, each with at least one position, and end before this one.
    pub(crate) fn check_closed(&self) -> Result<(), StartError> {
        let (mut epoch, mut last) = (None, 0);
        for closed in &self.closed {
            if epoch.is_some_and(|before| before >= closed.epoch) || closed.last <= last {
                return Err(StartError::WrongEpochs);
            }
            (epoch, last) = (Some(closed.epoch), closed.last);
        }
        let crash = !self.closed.is_empty() && !self.byzantine();
        match crash || epoch.is_some_and(|before| before >= self.epoch) {
            true => Err(StartError::WrongEpochs),
            false => Ok(()),
        }
    }
}

/// What the disk of a node of the next epoch holds at its first start: the closed log, and
/// what was attested. Votes, locks, pledges and decisions beyond the end stay behind: they
/// were made in another epoch and say nothing in this one. `config` is that of the next epoch,
/// the records are those of the epoch that has ended.
pub fn carry_over(config: &Config, records: impl IntoIterator<Item = Record>) -> Vec<Record> {
    let base = config.base();
    let all = config.mutated(Mutant::CarryVotes);
    let kept = |record: &Record| match record {
        Record::Decided { position, .. } | Record::Certified { position, .. } => *position <= base,
        Record::Proven(proof) => proof.statement.position <= base,
        Record::Attested { .. } => true,
        Record::Promised(_)
        | Record::Voted(_)
        | Record::Entered(_)
        | Record::Held { .. }
        | Record::Prepared { .. }
        | Record::Locked(_) => all,
    };
    records.into_iter().filter(kept).collect()
}

impl<A: Application, K: Keys> Node<A, K> {
    /// The last position of the epoch and who follows, once this node has applied that
    /// position. From then on it votes for nothing beyond it; it still tells others of the
    /// decisions and attests. True anew after every start: it is a function of the log.
    ///
    /// It becomes true in the step that gives [`Output::Applied`](crate::Output::Applied) for
    /// that position, after the record of the decision.
    pub fn epoch_end(&self) -> Option<(Position, Successor)> {
        self.ended
    }

    /// Whether the epoch has ended here and every report of it is certified: the log can be
    /// handed over whole.
    pub fn is_closed(&self) -> bool {
        self.ended.is_some() && self.log.uncertified().is_empty()
    }

    /// Whether a position lies beyond the end of the epoch.
    pub(crate) fn is_beyond_end(&self, position: Position) -> bool {
        self.ended.is_some_and(|(last, _)| position > last)
            && !self.config.mutated(Mutant::VoteBeyondEnd)
    }

    /// The answer to work beyond the end: the decision that ended the epoch.
    pub(crate) fn beyond_end(&self, position: Position) -> Option<Answer> {
        let (last, _) = self.ended.filter(|_| self.is_beyond_end(position))?;
        let entries = self.entries(last, FETCH_LIMIT);
        Some(Answer::Entries { entries, decided: last })
    }

    /// The refusal of new values, once the epoch has ended.
    pub(crate) fn refusal_at_end(&self) -> Option<Refusal> {
        let (last, next) = self.ended?;
        let text = format!(
            "epoch {} ended at position {last}: propose to the committee of epoch {}",
            self.config.epoch, next.epoch
        );
        Some(Refusal(text))
    }

    /// Applies the next decided value, unless the epoch has ended; its position.
    pub(crate) fn apply_next(&mut self) -> Result<Option<Position>, &'static str> {
        if self.ended.is_some() && !self.config.mutated(Mutant::ApplyBeyondEnd) {
            return Ok(None);
        }
        let Some(position) = self.log.apply_next(&mut self.application) else {
            return Ok(None);
        };
        if !self.config.byzantine() {
            return Ok(Some(position));
        }
        let successor = self.application.successor(position);
        if position <= self.config.base() {
            if successor != self.config.successor_at(position) {
                return Err("the log ends its epochs elsewhere than the configuration says");
            }
        } else if let Some(successor) = successor.filter(|_| self.ended.is_none()) {
            self.ended = Some((position, successor));
            self.close(position);
        }
        Ok(Some(position))
    }

    /// Refuses a disk of another epoch, from which [`carry_over`] has not taken what counts.
    pub(crate) fn check_committee<'a>(
        &'a self,
        proofs: impl Iterator<Item = &'a QuorumCertificate>,
    ) -> Result<(), StartError> {
        let base = self.config.base();
        let of_now = proofs.filter(|proof| proof.statement.position > base);
        // In the first epoch there is no other whose records could be here.
        let foreign =
            |proof: &QuorumCertificate| base > 0 && !proof.is_own(&self.config, &self.keys);
        match of_now.chain(self.byzantine.acceptor.locks()).any(foreign) {
            true => Err(StartError::Damaged("votes or decisions of another committee")),
            false => Ok(()),
        }
    }

    // Nothing beyond the last position will ever be decided in this epoch.
    fn close(&mut self, last: Position) {
        if self.config.mutated(Mutant::ApplyBeyondEnd) {
            return;
        }
        self.log.cut(last);
        if self.config.mutated(Mutant::VoteBeyondEnd) {
            return;
        }
        self.byzantine.close(self.config.seat);
        self.suggestions = Suggestions::default();
        if let Some(refusal) = self.refusal_at_end() {
            let void = |p: &Proposal| !matches!(p.stage, Stage::Decided(at) if at <= last);
            for proposal in self.proposals.take(void) {
                self.finish(proposal.ticket, Outcome::Refused(refusal.clone()));
            }
        }
    }
}
