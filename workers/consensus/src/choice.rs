//! Which value a new leader may propose at a position, given the promises of a quorum.

use crate::types::{Ballot, Position, Seat, Value, Vote};
use cicada_core::quorum::Quorum;
use std::collections::BTreeMap;

/// What a quorum of promises says about one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Nothing was or can be chosen in a lower ballot.
    Free,
    /// This value was chosen.
    Chosen(Value),
    /// This value may have been chosen, so no other may be proposed.
    Adopt {
        /// The value.
        value: Value,
        /// Where it comes from; see [`Vote::since`].
        since: Ballot,
        /// Further promises could still show that it was not chosen.
        unclear: bool,
    },
}

/// Applies the rule of Paxos: the value of the highest ballot in which anyone voted.
///
/// One refinement lets a position recover from values that most nodes refuse. Let `c` be that
/// highest ballot, `v` its value, `s` the ballot in which `v` was first proposed, and `o` the
/// highest ballot in which anyone here voted for another value. A proposal in a ballot shows
/// that no other value was or can be chosen below that ballot. So:
/// above `c` nobody of this quorum voted, and nothing can be chosen there;
/// below `c` nothing but `v` can be chosen, and up to `o` not `v` either;
/// below `s` nothing was chosen, since its leader was free to choose.
/// What remains are the ballots from `s`, and above `o`, to `c`. If the nodes that voted there,
/// and all that have not promised, are together fewer than a quorum, the position is free.
pub(crate) fn choose(
    quorum: &Quorum,
    promises: &BTreeMap<Seat, Vec<Vote>>,
    position: Position,
) -> Choice {
    let votes: Vec<&Vote> = promises
        .values()
        .filter_map(|votes| votes.iter().find(|vote| vote.position == position))
        .collect();
    let Some(highest) = votes.iter().max_by_key(|vote| vote.ballot) else {
        return Choice::Free;
    };
    let unknown = usize::from(quorum.n()).saturating_sub(promises.len());
    let needed = usize::from(quorum.size());
    let value = highest.value.clone();
    let same = |vote: &&&Vote| vote.ballot == highest.ballot;
    if votes.iter().filter(same).count() >= needed {
        return Choice::Chosen(value);
    }
    let since = highest.since;
    let others = votes.iter().filter(|vote| vote.value != value);
    let other = others.map(|vote| vote.ballot).max();
    let ballots = votes.iter().map(|vote| vote.ballot);
    let support = ballots.filter(|ballot| *ballot >= since && Some(*ballot) > other);
    let support = support.count();
    if support.saturating_add(unknown) < needed {
        return Choice::Free;
    }
    Choice::Adopt { value, since, unclear: unknown > 0 && support < needed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::quorum::FaultModel;

    fn ballot(round: u64) -> Ballot {
        Ballot { round, seat: 0 }
    }

    fn vote(round: u64, since: u64, value: u8) -> Option<Vote> {
        Some(Vote { position: 1, ballot: ballot(round), since: ballot(since), value: vec![value] })
    }

    // Five nodes, quorum three; `None` promised without a vote.
    fn choice(promises: &[Option<Vote>]) -> Choice {
        let quorum = Quorum::of(FaultModel::Crash, 5).unwrap();
        let promises = (0..)
            .zip(promises)
            .map(|(seat, vote)| (seat, vote.iter().cloned().collect()))
            .collect();
        choose(&quorum, &promises, 1)
    }

    fn adopt(value: u8, since: u64, unclear: bool) -> Choice {
        Choice::Adopt { value: vec![value], since: ballot(since), unclear }
    }

    #[test]
    fn the_highest_ballot_wins_and_not_the_most_votes() {
        let promises = [vote(1, 1, 7), vote(1, 1, 7), vote(2, 2, 8)];
        assert_eq!(choice(&promises), adopt(8, 2, true));
    }

    #[test]
    fn without_votes_the_position_is_free() {
        assert_eq!(choice(&[None, None, None]), Choice::Free);
    }

    #[test]
    fn a_quorum_of_votes_in_one_ballot_is_a_decision() {
        let promises = [vote(3, 3, 7), vote(3, 3, 7), vote(3, 3, 7)];
        assert_eq!(choice(&promises), Choice::Chosen(vec![7]));
        let two_ballots = [vote(3, 3, 7), vote(3, 3, 7), vote(4, 3, 7)];
        assert_eq!(choice(&two_ballots), adopt(7, 3, false));
    }

    #[test]
    fn a_value_that_cannot_have_had_a_quorum_is_dropped() {
        // One vote, two nodes unknown: it may have been chosen.
        let mut promises = vec![vote(3, 3, 7), None, None];
        assert_eq!(choice(&promises), adopt(7, 3, true));
        promises.push(None);
        assert_eq!(choice(&promises), Choice::Free);
    }

    #[test]
    fn an_adopted_value_is_dropped_only_if_no_ballot_since_its_first_had_a_quorum() {
        // The vote in ballot 5 was for the value of ballot 3.
        let clear = [vote(5, 3, 7), vote(2, 2, 8), None, None];
        assert_eq!(choice(&clear), Choice::Free);
        let promises = [vote(5, 3, 7), vote(4, 3, 7), None, None];
        assert_eq!(choice(&promises), adopt(7, 3, true));
    }

    #[test]
    fn a_vote_for_another_value_shows_that_this_one_was_not_chosen_before() {
        // The value of ballot 9 was first proposed in 1, but in 5 another one was proposed.
        let promises = [vote(9, 1, 7), vote(9, 1, 7), vote(5, 5, 8), vote(3, 3, 8), None];
        assert_eq!(choice(&promises), Choice::Free);
        let promises = [vote(9, 1, 7), vote(6, 1, 7), vote(5, 5, 8), None];
        assert_eq!(choice(&promises), adopt(7, 1, true));
    }
}
