//! The acceptor of crash mode: one promise, one vote per position.

use crate::types::{Ballot, Position, Vote, MAX_ROUND_JUMP};
use std::collections::BTreeMap;

/// The promise and the votes of one node, as they are on disk or about to be.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Acceptor {
    promised: Ballot,
    votes: BTreeMap<Position, Vote>,
}

impl Acceptor {
    pub(crate) fn promised(&self) -> Ballot {
        self.promised
    }

    pub(crate) fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.votes.values()
    }

    pub(crate) fn vote(&self, position: Position) -> Option<&Vote> {
        self.votes.get(&position)
    }

    /// Whether a ballot is one that a correct leader could use.
    pub(crate) fn plausible(&self, ballot: Ballot) -> bool {
        ballot.round > 0 && ballot.round <= self.promised.round.saturating_add(MAX_ROUND_JUMP)
    }

    /// Promises `ballot`; whether that is news. The caller has compared it with the promise.
    pub(crate) fn promise(&mut self, ballot: Ballot) -> bool {
        let news = ballot > self.promised;
        self.promised = self.promised.max(ballot);
        news
    }

    /// Votes, which promises the ballot too. The caller has compared it with the promise.
    pub(crate) fn cast(&mut self, vote: Vote) {
        self.promise(vote.ballot);
        self.votes.insert(vote.position, vote);
    }

    /// Takes back what was read from disk, where records are in no particular order.
    pub(crate) fn restore(&mut self, vote: Vote) {
        let newer = self.vote(vote.position).is_none_or(|known| known.ballot <= vote.ballot);
        if newer {
            self.cast(vote);
        }
    }

    /// Forgets the votes up to a position: everything up to there is known to be decided.
    pub(crate) fn forget_up_to(&mut self, position: Position) {
        while self.votes.first_key_value().is_some_and(|(first, _)| *first <= position) {
            self.votes.pop_first();
        }
    }
}
