//! How a node answers `PreVote`, `Prepare` and `Accept` in crash mode.

use crate::io::{Application, Keys, Refusal};
use crate::message::Answer;
use crate::mutant::Mutant;
use crate::node::{invalid, Node, FETCH_LIMIT};
use crate::types::{Ballot, Position, Record, Seat, Vote};
use cicada_core::hash::Digest;

impl<A: Application, K: Keys> Node<A, K> {
    /// Says what it would answer to `Prepare`; nothing changes.
    pub(crate) fn on_pre_vote(&self, from: Seat, ballot: Ballot) -> Answer {
        if let Some(answer) = self.implausible(from, ballot) {
            return answer;
        }
        match self.would_follow(from) {
            true => Answer::PreVoted { ballot },
            false => Answer::Following { promised: self.acceptor.promised() },
        }
    }

    /// Whether nothing keeps this node from following a seat: it follows it already, or nobody
    /// whom it follows has moved anything for a while.
    pub(crate) fn would_follow(&self, seat: Seat) -> bool {
        let quiet = self.leader.is_quiet(self.now.timer_ms, self.config.timing.takeover_ms);
        quiet || self.acceptor.promised().seat == seat
    }

    pub(crate) fn on_prepare(&mut self, from: Seat, ballot: Ballot, first: Position) -> Answer {
        if let Some(answer) = self.implausible(from, ballot) {
            return answer;
        }
        if first > self.log.applied().saturating_add(1) {
            self.fetch(from);
        }
        if self.acceptor.promise(ballot) {
            self.persist(Record::Promised(ballot));
            self.leader.stir(self.now.timer_ms);
        }
        self.yield_to(ballot);
        let votes = self.acceptor.votes();
        Answer::Promise {
            ballot,
            votes: votes.filter(|v| v.position >= first).cloned().collect(),
            decided: self.log.applied(),
        }
    }

    // The answer to a ballot that is not the sender's, not plausible, or outbid.
    fn implausible(&self, from: Seat, ballot: Ballot) -> Option<Answer> {
        if ballot.seat != from || from >= self.config.quorum.n() {
            return Some(invalid("a ballot ends in the seat of its leader"));
        }
        if !self.acceptor.plausible(ballot) {
            return Some(invalid("the round of the ballot is too far ahead"));
        }
        let promised = self.acceptor.promised();
        (ballot < promised).then_some(Answer::Outbid { promised })
    }

    pub(crate) fn on_accept(&mut self, from: Seat, vote: Vote, tip: (Position, Digest)) -> Answer {
        let below = self.config.mutated(Mutant::CrashVotesBelowPromise);
        match self.implausible(from, vote.ballot) {
            Some(Answer::Outbid { .. }) if below => {}
            Some(answer) => return answer,
            None => {}
        }
        let well_formed = vote.position > 0
            && vote.since.round > 0
            && vote.since <= vote.ballot
            && vote.value.len() <= self.config.max_value_len;
        if !well_formed {
            return invalid("position, origin or length of the value");
        }
        self.learn_by_vote(tip.0, tip.1);
        let (ballot, position) = (vote.ballot, vote.position);
        let accepted = Answer::Accepted { ballot, position };
        if let Some(slot) = self.log.get(position) {
            if slot.value == vote.value {
                return accepted;
            }
            // The leader of an old ballot: tell it.
            let applied = self.log.applied();
            return Answer::Entries {
                entries: self.entries(position.min(applied), FETCH_LIMIT),
                decided: applied,
            };
        }
        if position > self.log.applied().saturating_add(self.config.window) {
            self.fetch(from);
            let decided = self.log.applied();
            return Answer::Behind { decided };
        }
        match self.acceptor.vote(position) {
            Some(known) if known.ballot == ballot && known.value == vote.value => return accepted,
            Some(known) if known.ballot == ballot => {
                return invalid("two values in one ballot");
            }
            _ => {}
        }
        if let Err(Refusal(reason)) = self.examine(&vote) {
            return Answer::Refused { ballot, position, reason };
        }
        self.yield_to(ballot);
        self.cast(vote);
        accepted
    }

    /// Checks a value before a vote for it, also one that has this node's vote in an earlier
    /// ballot. A leader that had to adopt its value has no choice, so that one is never refused:
    /// who first proposed it found it valid, and does not lie.
    pub(crate) fn examine(&self, vote: &Vote) -> Result<(), Refusal> {
        let adopted = vote.since < vote.ballot;
        match adopted || vote.value.is_empty() {
            true => Ok(()),
            false => self.application.check(&vote.value, self.now),
        }
    }

    /// Votes: durable before any later output.
    pub(crate) fn cast(&mut self, vote: Vote) {
        self.acceptor.cast(vote.clone());
        self.persist(Record::Voted(vote));
        self.leader.stir(self.now.timer_ms);
    }
}
