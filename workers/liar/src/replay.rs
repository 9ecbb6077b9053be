//! What was said before, said again.

use cicada_consensus::{Answer, Request, Seat};
use std::collections::VecDeque;

/// How much is remembered of either kind.
const MOST: usize = 64;

/// What a liar remembers of its own words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    requests: VecDeque<(Vec<Seat>, Request)>,
    answers: VecDeque<Answer>,
}

impl Memory {
    pub(crate) fn note_request(&mut self, to: &[Seat], request: &Request) {
        if self.requests.len() >= MOST {
            // The first half is kept for good: the oldest words are the most wrong.
            self.requests.remove(MOST / 2);
        }
        self.requests.push_back((to.to_vec(), request.clone()));
    }

    /// One of the old requests.
    pub(crate) fn request(&self, turn: u64) -> Option<(Vec<Seat>, Request)> {
        let index = usize::try_from(turn).unwrap_or(0).checked_rem(self.requests.len())?;
        self.requests.get(index).cloned()
    }

    /// Two times out of three an old answer of the same kind, otherwise the honest one.
    pub(crate) fn answer(&mut self, turn: u64, honest: Answer) -> Answer {
        let name = honest.name();
        let old = self.answers.iter().find(|answer| answer.name() == name).cloned();
        if self.answers.len() >= MOST {
            self.answers.remove(MOST / 2);
        }
        self.answers.push_back(honest.clone());
        old.filter(|_| !turn.is_multiple_of(3)).unwrap_or(honest)
    }
}
