//! Having a value decided.

use crate::{verify, Asked, Committee, Verified};
use cicada_core::feed::FeedValue;
use cicada_node_api::{Certified, Error, Failed, Scale, CONFLICT, NO_QUORUM};
use parity_scale_codec::Decode;
use std::future::Future;

/// Nodes that may lead a round, as whoever proposes deals with them.
pub trait Leaders<V> {
    /// Asks the node of a seat to have a value decided and certified.
    fn propose(
        &self,
        seat: usize,
        value: &V,
    ) -> impl Future<Output = Result<Certified<V>, Error>> + Send;

    /// Whether no other node can do better than one that fails so.
    fn must_be_so(&self, _failed: &Failed, _slot: u64) -> impl Future<Output = bool> + Send {
        std::future::ready(false)
    }

    /// Told before a seat is asked.
    fn asks(&self, _seat: usize, _slot: u64) {}

    /// Told why the next one is asked.
    fn goes_on(&self, _seat: usize, _reason: &str) {}
}

/// What a quorum agreed on: perhaps what another had proposed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed<V> {
    /// The value.
    pub verified: Verified<V>,
    /// Seats that promised, as far as the leader tells.
    pub promised: Vec<u8>,
    /// Seats that accepted, as far as it tells.
    pub accepted: Vec<u8>,
    /// Seats that attested.
    pub attested: Vec<u8>,
}

/// Why there is no agreement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unagreed {
    /// The nodes would not propose it.
    #[error("{}", .0.why())]
    Refused(Failed),
    /// Too few answer or agree.
    #[error("{}", .0.why())]
    NoQuorum(Failed),
    /// None of those that were asked led the round.
    #[error("no node could lead the round: {reason}")]
    NoLeader {
        /// Seats that did not answer.
        silent: Vec<u8>,
        /// What the last one said, or why it did not.
        reason: String,
    },
}

impl Unagreed {
    fn signed<T: Decode>(&self) -> Vec<T> {
        match self {
            Self::Refused(failed) | Self::NoQuorum(failed) => failed.signed(),
            Self::NoLeader { .. } => Vec::new(),
        }
    }
}

/// Asking nodes in turn.
pub struct Round<'a, L> {
    /// The nodes.
    pub leaders: &'a L,
    /// Their committee.
    pub committee: &'a Committee,
    /// The seats in the order in which they are asked.
    pub seats: Vec<usize>,
    /// How many have to refuse, or to fail, until that is believed: so many that one of them is honest.
    pub tries: usize,
}

impl<L> Round<'_, L> {
    /// Has a value decided. A node that does not answer, or not about that slot, or with what is not
    /// certified, is none: the next one is asked.
    ///
    /// # Errors
    /// [`Unagreed`].
    pub async fn agree<V: FeedValue>(&self, value: &V) -> Result<Agreed<V>, Unagreed>
    where
        L: Leaders<V>,
    {
        let asked = Asked::of(value.report());
        let (mut silent, mut last) = (Vec::new(), String::new());
        let (mut conflicts, mut failures) = (0usize, 0usize);
        for seat in self.seats.iter().copied() {
            self.leaders.asks(seat, asked.slot);
            let error = match self.leaders.propose(seat, value).await {
                Ok(certified) => match self.check(&asked, certified) {
                    Ok(agreed) => return Ok(agreed),
                    Err(invalid) => invalid.to_string(),
                },
                Err(error) => {
                    if let Some(failed) = error.refused_with(CONFLICT) {
                        conflicts = conflicts.saturating_add(1);
                        if conflicts == self.tries {
                            return Err(Unagreed::Refused(failed.clone()));
                        }
                        failed.error.clone()
                    } else if let Some(failed) = error.refused_with(NO_QUORUM) {
                        failures = failures.saturating_add(1);
                        if failures == self.tries
                            || self.leaders.must_be_so(failed, asked.slot).await
                        {
                            return Err(Unagreed::NoQuorum(failed.clone()));
                        }
                        failed.error.clone()
                    } else {
                        silent.extend(u8::try_from(seat));
                        error.to_string()
                    }
                }
            };
            self.leaders.goes_on(seat, &error);
            last = error;
        }
        Err(Unagreed::NoLeader { silent, reason: last })
    }

    /// The same for a value that rests on what seats said, and again as long as refusals bring along
    /// somebody who is not in it: who was not heard says so himself. `select` is what counts of all.
    ///
    /// # Errors
    /// As [`Self::agree`].
    pub async fn agree_with<V: FeedValue, T: Clone + Decode>(
        &self,
        mut said: Vec<T>,
        value: impl Fn(Vec<T>) -> V,
        select: impl Fn(Vec<T>) -> Vec<T>,
    ) -> Result<Agreed<V>, Unagreed>
    where
        L: Leaders<V>,
    {
        loop {
            let why = match self.agree(&value(said.clone())).await {
                Ok(agreed) => return Ok(agreed),
                Err(why) => why,
            };
            let more = select(said.iter().cloned().chain(why.signed()).collect());
            if more.len() <= said.len() {
                return Err(why);
            }
            said = more;
        }
    }

    fn check<V: FeedValue>(
        &self,
        asked: &Asked,
        certified: Certified<V>,
    ) -> Result<Agreed<V>, crate::Invalid> {
        let Certified { proposal, certificate, promised, accepted, attested, .. } = certified;
        let (Scale(value), Scale(certificate)) = (proposal, certificate);
        asked.check(value.report())?;
        let verified = verify(self.committee, &asked.feed, value, certificate)?;
        Ok(Agreed { verified, promised, accepted, attested })
    }
}

#[cfg(test)]
mod tests;
