//! Slot after slot, until our leaderboard is on the chain.

use crate::board::Finalized;
use anyhow::{ensure, Context, Result};
use cicada_core::leaderboard::Proposal;
use cicada_core::report::FeedState;

/// How many slots of others may be finished before our own proposal has its turn.
const TURNS: usize = 8;

/// How asking the nodes ended.
pub enum Round<A> {
    /// They decided and certified this.
    Agreed(A),
    /// They do not propose this, for this reason.
    Refused(String),
}

/// Nodes and chain, as one run deals with them.
pub trait Desk {
    /// What nodes decided and certified.
    type Agreed;

    /// Tells whoever watches.
    fn say(&self, text: String);

    /// The newest report on the chain.
    async fn latest(&self) -> Result<FeedState>;

    /// Settles the slots that the nodes decided and the chain does not have, in order.
    async fn catch_up(&self) -> Result<FeedState>;

    /// What the results come to now, as the report that follows `state`.
    async fn proposal(&self, state: &FeedState) -> Result<Proposal>;

    /// Has a node lead the round; the next one if it does not answer, or does not propose it.
    async fn agree(&self, proposal: &Proposal) -> Result<Round<Self::Agreed>>;

    /// Brings it to the chain, and reads the record back.
    async fn settle(&self, agreed: Self::Agreed) -> Result<Finalized>;

    /// What the chain has of a slot that others settled, if it is settled.
    async fn settled(&self, slot: u64) -> Result<Option<Finalized>>;

    /// How long after the last the nodes take a leaderboard that says the same.
    fn same_ms(&self) -> u64;
}

/// Settles what is left over, then the next slot with our board. Who brings the very same board
/// there has done our work. If others with other boards take slot after slot, the last of them is
/// the leaderboard. What the chain says already, and not long ago, is not proposed again.
pub async fn settle_next(desk: &impl Desk) -> Result<Finalized> {
    let mut state = desk.catch_up().await?;
    let mut last = None;
    for _ in 0..TURNS {
        let proposal = desk.proposal(&state).await?;
        let slot = proposal.report.slot;
        if let Some(said) = said_before(desk, &state, &proposal).await? {
            return Ok(said);
        }
        let settled = match desk.agree(&proposal).await? {
            Round::Agreed(agreed) => Some(desk.settle(agreed).await?),
            Round::Refused(reason) => {
                // Perhaps the slot went to another proposer meanwhile.
                ensure!(desk.catch_up().await? != state, "the nodes do not propose this: {reason}");
                desk.settled(slot).await?
            }
        };
        if let Some(finalized) = settled {
            if finalized.record.board == proposal.board {
                return Ok(finalized);
            }
            last = Some(finalized);
        }
        // Paxos: a value that a node may have accepted before comes first.
        desk.say(format!("slot {slot} was taken by another board; ours goes for the next"));
        state = desk.latest().await?;
    }
    let last = last.context("others settled all slots meanwhile: run paxos-market again")?;
    desk.say(format!(
        "others settled {TURNS} slots meanwhile; the leaderboard is the one of slot {}, not ours",
        last.record.report.slot
    ));
    Ok(last)
}

/// The newest leaderboard on the chain, if it says the same and nobody would vote for another yet. It
/// is the chain that is asked: a node's word for it would be nothing.
async fn said_before(
    desk: &impl Desk,
    state: &FeedState,
    proposal: &Proposal,
) -> Result<Option<Finalized>> {
    let after_ms = proposal.report.time_ms.saturating_sub(state.time_ms);
    if state.slot == 0 || after_ms >= desk.same_ms() {
        return Ok(None);
    }
    let newest = desk.settled(state.slot).await?;
    let same = newest.filter(|newest| newest.record.board == proposal.board);
    if same.is_some() {
        desk.say(format!(
            "that says the same as slot {}, {after_ms} ms ago: it stands, and is not settled again",
            state.slot
        ));
    }
    Ok(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::hash::Digest;
    use cicada_core::hash::Native;
    use cicada_core::leaderboard::{report, Board, Record};
    use cicada_core::Account;
    use std::cell::RefCell;

    /// A market in which another proposer is always first.
    struct Crowded {
        /// The chain's boards, slot after slot.
        chain: RefCell<Vec<Proposal>>,
        /// What the other one adds to our scores.
        adds: u64,
        /// Whether our proposals are refused, because the slot is settled by then.
        refused: bool,
        /// Whether anything is settled besides.
        others: bool,
    }

    fn crowded(adds: u64, refused: bool) -> Crowded {
        Crowded { chain: RefCell::default(), adds, refused, others: true }
    }

    fn board(adds: u64) -> Board {
        let mut board = crate::testing::proposal().board;
        board.standings[0].score += adds;
        board
    }

    fn next(state: &FeedState, board: Board, time_ms: u64) -> Proposal {
        let feed = crate::testing::proposal().report.feed;
        Proposal { report: report::<Native>(feed, state, &board, time_ms), board }
    }

    impl Crowded {
        fn state(&self) -> FeedState {
            let newest = self.chain.borrow().last().map(|proposal| proposal.report);
            newest.map_or(FeedState::EMPTY, |r| FeedState::after(&r, r.digest::<Native>()))
        }

        fn record(&self, slot: u64) -> Option<Finalized> {
            let at = usize::try_from(slot.checked_sub(1)?).ok()?;
            let Proposal { report, board } = self.chain.borrow().get(at)?.clone();
            let record = Record { report, epoch: 1, signers: 1, board };
            Some(Finalized {
                record,
                contract: Account([3; 32]),
                genesis: Digest([7; 32]),
                block: 9,
                nodes: 23,
            })
        }
    }

    impl Desk for Crowded {
        type Agreed = Proposal;

        fn say(&self, _text: String) {}

        async fn latest(&self) -> Result<FeedState> {
            Ok(self.state())
        }

        async fn catch_up(&self) -> Result<FeedState> {
            Ok(self.state())
        }

        async fn proposal(&self, state: &FeedState) -> Result<Proposal> {
            Ok(next(state, board(0), state.time_ms + 200))
        }

        async fn agree(&self, proposal: &Proposal) -> Result<Round<Proposal>> {
            let state = self.state();
            let first = next(&state, board(self.adds), proposal.report.time_ms - 1);
            if self.refused {
                if self.others {
                    self.chain.borrow_mut().push(first);
                }
                return Ok(Round::Refused("stale".into()));
            }
            Ok(Round::Agreed(first))
        }

        async fn settle(&self, agreed: Proposal) -> Result<Finalized> {
            let slot = agreed.report.slot;
            self.chain.borrow_mut().push(agreed);
            self.record(slot).context("it is there")
        }

        async fn settled(&self, slot: u64) -> Result<Option<Finalized>> {
            Ok(self.record(slot))
        }

        fn same_ms(&self) -> u64 {
            240_000
        }
    }

    #[tokio::test]
    async fn who_brings_the_very_same_board_has_done_our_work() {
        for refused in [false, true] {
            let market = crowded(0, refused);
            let finalized = settle_next(&market).await.unwrap();
            assert_eq!(finalized.record.report.slot, 1);
            assert_eq!(finalized.record.report.time_ms, 199, "not our time");
            assert_eq!(market.chain.borrow().len(), 1, "and no second one is paid for");
        }
    }

    #[tokio::test]
    async fn what_the_chain_says_already_is_not_settled_again() {
        let market = crowded(0, false);
        let first = settle_next(&market).await.unwrap();
        let again = settle_next(&market).await.unwrap();
        assert_eq!((again.record, market.chain.borrow().len()), (first.record, 1));
        // Not if it is another one, and not if it is so long ago that the nodes want a new one.
        let other = crowded(1, false);
        other.chain.borrow_mut().push(next(&FeedState::EMPTY, board(1), 200));
        assert!(said_before(
            &other,
            &other.state(),
            &other.proposal(&other.state()).await.unwrap()
        )
        .await
        .unwrap()
        .is_none());
        let later = |ms| next(&market.state(), board(0), market.state().time_ms + ms);
        let said = |ms| {
            let (market, later) = (&market, later(ms));
            async move { said_before(market, &market.state(), &later).await.unwrap().is_some() }
        };
        assert!(said(239_999).await && !said(240_000).await);
        let empty = crowded(0, false);
        let first = empty.proposal(&FeedState::EMPTY).await.unwrap();
        assert!(said_before(&empty, &FeedState::EMPTY, &first).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn if_others_take_all_slots_the_last_of_them_is_the_leaderboard() {
        for refused in [false, true] {
            let finalized = settle_next(&crowded(1, refused)).await.unwrap();
            assert_eq!(finalized.record.report.slot, TURNS as u64);
            assert_eq!(finalized.record.board, board(1));
        }
    }

    #[tokio::test]
    async fn what_is_refused_though_nobody_took_the_slot_is_an_error() {
        let market = Crowded { others: false, ..crowded(0, true) };
        let error = settle_next(&market).await.err().unwrap().to_string();
        assert_eq!(error, "the nodes do not propose this: stale");
    }
}
