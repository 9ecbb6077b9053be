//! Values that nodes want decided and only the leader can propose. In crash mode nobody but
//! the leader keeps them, and no longer than it leads.

use crate::io::{Application, Keys, Outcome, Refusal};
use crate::message::{Answer, Request};
use crate::node::{invalid, Node};
use crate::types::{digest, Seat, Value};
use cicada_core::hash::Digest;
use std::collections::BTreeSet;

/// How many values of one node may wait here.
const PER_SEAT: usize = 16;

#[derive(Clone, Debug)]
struct Suggestion {
    value: Value,
    from: Seat,
    since_ms: u64,
}

/// The values that others suggest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suggestions {
    // In the order in which they came.
    waiting: Vec<(Digest, Suggestion)>,
    // Own values that all others know of.
    told_all: BTreeSet<Digest>,
}

impl Suggestions {
    pub(crate) fn oldest_ms(&self) -> Option<u64> {
        self.waiting.iter().map(|(_, suggestion)| suggestion.since_ms).min()
    }

    pub(crate) fn remove(&mut self, decided: &Digest) {
        self.waiting.retain(|(digest, _)| digest != decided);
        self.told_all.remove(decided);
    }

    /// The first value that is not in flight already.
    pub(crate) fn next(&self, flying: impl Fn(&Digest) -> bool) -> Option<(Digest, Value)> {
        let next = self.waiting.iter().find(|(digest, _)| !flying(digest));
        next.map(|(digest, suggestion)| (*digest, suggestion.value.clone()))
    }

    fn has(&self, wanted: &Digest) -> bool {
        self.waiting.iter().any(|(digest, _)| digest == wanted)
    }
}

impl<A: Application, K: Keys> Node<A, K> {
    pub(crate) fn on_suggest(&mut self, from: Seat, value: Value) -> Answer {
        let fits = (1..=self.config.max_value_len).contains(&value.len());
        if !fits {
            return invalid("the value is empty or too long");
        }
        let hash = digest(&value);
        let useless = !self.config.byzantine() && self.leader.leading().is_none();
        if useless || self.suggestions.has(&hash) {
            return Answer::Noted;
        }
        let waiting = self.suggestions.waiting.iter();
        if waiting.filter(|(_, suggestion)| suggestion.from == from).count() >= PER_SEAT {
            return invalid("too many values of this seat wait already");
        }
        let ended = self.refusal_at_end().map_or(Ok(()), Err);
        let check = || self.application.wants(&value, self.now);
        if let Err(Refusal(reason)) = ended.and_then(|()| check()) {
            return Answer::Unwanted { digest: hash, reason };
        }
        let suggestion = Suggestion { value, from, since_ms: self.now.timer_ms };
        self.suggestions.waiting.push((hash, suggestion));
        self.advance();
        Answer::Noted
    }

    pub(crate) fn on_unwanted(&mut self, from: Seat, hash: Digest, reason: &str) {
        self.proposals.note_refusal(Some(hash), from, reason);
        if !self.config.byzantine() {
            let mut values = self.proposals.waiting_values().into_iter();
            // Its slot may be taken: then there is nothing to wait for.
            if let Some(value) = values.find(|value| digest(value) == hash) {
                self.refuse_if_stale(&value);
            }
        }
        let spare = usize::from(self.config.quorum.max_unresponsive());
        if self.proposals.undecided(hash).any(|proposal| proposal.refusals.len() > spare) {
            self.fail_refused(hash);
        }
    }

    /// Gives the own values to the leader.
    pub(crate) fn suggest_own(&mut self) {
        let leader = match self.config.byzantine() {
            true => Some(self.config.leader(self.byzantine.views.view)),
            false => self.working_leader(),
        };
        if let Some(leader) = leader.filter(|leader| *leader != self.config.seat) {
            for value in self.proposals.waiting_values() {
                self.send(vec![leader], Request::Suggest { value });
            }
        }
    }

    /// Tells all others of values that the leader left lying: in the Byzantine form they wait
    /// for them too; in crash mode another may lead, and it shows who answers.
    pub(crate) fn tick_suggestions(&mut self) {
        // The others give the leader a whole view's time from then on, so the sooner they know, the
        // sooner a dead leader is left. A living one is done by now.
        let timing = &self.config.timing;
        let patience = timing.resend_ms.min(timing.view_ms / 2);
        let old = self.now.timer_ms.saturating_sub(patience);
        for value in self.proposals.waiting_since(old) {
            let hash = digest(&value);
            if self.suggestions.told_all.insert(hash) {
                let others = self.config.others().collect();
                self.send(others, Request::Suggest { value });
            }
        }
        let proposals = &self.proposals;
        self.suggestions.told_all.retain(|hash| proposals.has(hash));
    }

    /// Drops values that are not valid any more: nobody must wait for them.
    pub(crate) fn drop_stale_work(&mut self) {
        let (application, now) = (&self.application, self.now);
        let valid = |value: &Value| application.wants(value, now);
        self.suggestions.waiting.retain(|(_, s)| valid(&s.value).is_ok());
        for value in self.proposals.waiting_values() {
            self.refuse_if_stale(&value);
        }
    }

    // Ends the own proposals of a value that this node itself does not find valid any more.
    fn refuse_if_stale(&mut self, value: &[u8]) {
        if let Err(refusal) = self.application.wants(value, self.now) {
            for proposal in self.proposals.take_waiting(digest(value)) {
                self.finish(proposal.ticket, Outcome::Refused(refusal.clone()));
            }
        }
    }
}
