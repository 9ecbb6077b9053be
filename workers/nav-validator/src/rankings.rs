//! The ranking of each epoch, signed once, and those of others that are off the certified one.

use crate::agree::{one_of_each, Agreement};
use crate::contracts::{Contracts, Office};
use crate::follow::write_told;
use crate::rows::{Epoch, SettledAward};
use crate::turns::Due;
use anyhow::Result;
use cicada_core::hash::Native;
use cicada_core::ranking::{
    check_form, digest, off_bps, ranking, Own, Statement, Told, ACCUSE_MS, TOLERANCE_BPS,
};
use cicada_core::report::Feed;
use cicada_core::rewards::{Award, AwardState};
use cicada_core::slashing::{Deviation, Weight};
use cicada_program::now_ms;
use std::collections::BTreeMap;

/// How much later than the contract allows all who are accused are judged, in milliseconds: the
/// clock of the chain may stand still for a while.
const LATER_MS: u64 = 20_000;

/// How often the others are asked, in milliseconds: who has not seen yet that an epoch is settled does
/// not show its ranking.
const ASK_AGAIN_MS: u64 = 20_000;

/// How long a settled epoch is watched, in milliseconds: twice as long as it takes to have all judged.
const WATCH_MS: u64 = 2 * (ACCUSE_MS + LATER_MS);

/// A statement with its ranking, as validators show it once its epoch is settled.
pub type Shown = (Statement, Option<Vec<Weight>>);

/// What is known of the epochs that were settled a short time ago.
pub(crate) type AllWatched = BTreeMap<u64, Watched>;

/// What is known of a settled epoch.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Whether nothing is left to do.
    done: bool,
    /// When the others are asked again.
    ask_ms: u64,
    /// Rankings of others that are off, and not yet brought.
    off: Vec<(Statement, Vec<Weight>, u32)>,
    due: Option<Due>,
}

/// Whether a statement is signed by its seat.
fn genuine(office: &Office, feed: &Feed, one: &Statement) -> bool {
    let message = one.message::<Native>(&office.committee.config_digest, feed);
    office.committee.signed(one.seat, &message, &one.signature)
}

/// The genuine statements of an award, one of a seat, in order of seats.
pub fn select(
    office: &Office,
    feed: &Feed,
    award: &Award,
    candidates: impl Iterator<Item = Statement>,
) -> Vec<Statement> {
    let usable = |one: &Statement| one.is_of(award) && genuine(office, feed, one);
    one_of_each(candidates.filter(usable), |one| one.seat)
}

/// How far a genuine ranking is off the certified one of its epoch, if the chain would judge it.
pub fn off(
    office: &Office,
    feed: &Feed,
    (award, certified): (&Award, &[Weight]),
    (statement, stated): &Shown,
) -> Option<u32> {
    let stated = stated.as_ref().filter(|stated| check_form(stated).is_ok())?;
    let is_own = digest::<Native>(stated) == statement.ranking;
    if !is_own || !statement.is_of_time(award) || !genuine(office, feed, statement) {
        return None;
    }
    off_bps(stated, certified).ok().filter(|bps| *bps > TOLERANCE_BPS)
}

fn is_noted(noted: &[Deviation], seat: u8, bps: u32) -> bool {
    noted.iter().any(|one| one.seat == seat && one.bps >= bps)
}

impl Agreement {
    /// Signs the ranking of the epoch that the chain settles next, if we may, and tells the consensus
    /// node of award and signature.
    pub(crate) async fn rank(
        &self,
        contracts: &Contracts,
        (office, seat): (&Office, u8),
        epoch: &Epoch,
        state: &AwardState,
    ) -> Result<()> {
        let award = epoch.award;
        let config_digest = &office.committee.config_digest;
        let known = self.app.store.statement(award.epoch, config_digest)?;
        let signed = match known {
            None if self.may_rank(&award, state)? => {
                let mut statement = Statement::of(&award, seat);
                let message =
                    statement.message::<Native>(config_digest, &contracts.rewards_feed()?);
                statement.signature = self.observer.keys.attest(&message);
                let own = Own { statement, signed_ms: now_ms() };
                match self.app.store.keep_statement(config_digest, &own) {
                    Ok(()) => {
                        tracing::info!("the ranking of epoch {} is signed", award.epoch);
                        Some(own)
                    }
                    // The award is right all the same, and the node has to know it.
                    Err(error) => {
                        tracing::warn!("the ranking is not signed: {error}");
                        None
                    }
                }
            }
            known => known,
        };
        match &self.app.config.awards {
            Some(folder) => write_told(folder, &Told { award, signed }),
            None => Ok(()),
        }
    }

    /// Only what we have seen ourselves from its beginning is signed: the epoch ended after this
    /// process started (another, or this one before its disk was put back, may have signed something
    /// else), and all before it is as the chain settled it. What was signed once may be signed for the
    /// next committee.
    fn may_rank(&self, award: &Award, state: &AwardState) -> Result<bool> {
        if self.app.store.has_ranked(award.epoch)? {
            return Ok(true);
        }
        if self.observer.may_sign(award.end_ms).is_err() {
            return Ok(false);
        }
        if state.epoch == 0 {
            let first = self.app.store.first()?;
            return Ok(first.is_some_and(|first| first.time_ms <= award.start_ms));
        }
        let before = self.app.store.epoch(state.epoch)?;
        Ok(before.is_some_and(|before| AwardState::after(&before.award) == *state))
    }

    /// The statements of an award that the others and we have signed.
    pub(crate) async fn statements(
        &self,
        contracts: &Contracts,
        office: &Office,
        award: &Award,
    ) -> Result<Vec<Statement>> {
        let own = self.app.store.statement(award.epoch, &office.committee.config_digest)?;
        let shown = self.app.peers.rankings(award.epoch, &office.committee.config_digest).await;
        let own = own.map(|own| own.statement);
        let all = own.into_iter().chain(shown.into_iter().map(|(statement, _)| statement));
        Ok(select(office, &contracts.rewards_feed()?, award, all))
    }

    /// For each epoch that was settled a short time ago: asks the others what they signed, brings what
    /// is off to the chain, and has all who are accused judged, each in the turn of this seat.
    pub(crate) async fn watch_rankings(
        &self,
        contracts: &Contracts,
        all: &mut AllWatched,
    ) -> Result<()> {
        let recent = self.app.store.awarded_since(now_ms().saturating_sub(WATCH_MS))?;
        all.retain(|epoch, _| recent.iter().any(|(other, _)| other == epoch));
        for (epoch, settled) in recent {
            self.watch_ranking(contracts, (epoch, &settled), all.entry(epoch).or_default()).await?;
        }
        Ok(())
    }

    async fn watch_ranking(
        &self,
        contracts: &Contracts,
        (epoch, settled): (u64, &SettledAward),
        watched: &mut Watched,
    ) -> Result<()> {
        let judged_from = settled.settled_ms.saturating_add(ACCUSE_MS).saturating_add(LATER_MS);
        let now = now_ms();
        let asks = now >= watched.ask_ms && now < judged_from;
        let has_work = asks || !watched.off.is_empty() || now >= judged_from;
        if watched.done || !has_work {
            return Ok(());
        }
        let office = contracts.office().await?;
        let place = self.place(&office).await?;
        let own = self.app.store.epoch(epoch)?;
        let own = own.filter(|own| own.award.ranking == settled.ranking);
        let (Some(place), Some(own)) = (place, own) else {
            watched.done = true;
            return Ok(());
        };
        let certified = ranking(&own.scores);
        if asks {
            watched.off =
                self.off(contracts, &office, settled, (&own.award, &certified[..])).await?;
            watched.ask_ms = now.saturating_add(ASK_AGAIN_MS);
        }
        if watched.off.is_empty() && now < judged_from {
            return Ok(());
        }
        // To accuse and to judge are two turns.
        let due_ms = if now < judged_from { 0 } else { judged_from };
        if !Due::turn(&mut watched.due, (epoch, due_ms, now), &place.of_bringers(), now) {
            return Ok(());
        }
        let accused = contracts.accused(epoch).await?;
        if accused.judged {
            watched.done = true;
            return Ok(());
        }
        if now >= judged_from {
            if !accused.noted.is_empty() {
                tracing::info!("somebody's ranking of epoch {epoch} was off");
                contracts.judge_rankings(epoch, &self.signer).await?;
            }
            watched.done = true;
            return Ok(());
        }
        while let Some((statement, stated, bps)) = watched.off.last() {
            if !is_noted(&accused.noted, statement.seat, *bps) {
                tracing::warn!("seat {} ranked epoch {epoch} by {bps} bps off", statement.seat);
                let shown = (*statement, stated.clone());
                contracts.accuse_ranking(&certified, &shown, &self.signer).await?;
            }
            watched.off.pop();
        }
        Ok(())
    }

    /// What the others show that is off.
    async fn off(
        &self,
        contracts: &Contracts,
        office: &Office,
        settled: &SettledAward,
        certified: (&Award, &[Weight]),
    ) -> Result<Vec<(Statement, Vec<Weight>, u32)>> {
        if office.committee.epoch != settled.committee {
            return Ok(Vec::new());
        }
        let feed = contracts.rewards_feed()?;
        let shown =
            self.app.peers.rankings(certified.0.epoch, &office.committee.config_digest).await;
        let found = shown.into_iter().filter_map(|shown| {
            let bps = off(office, &feed, certified, &shown)?;
            Some((shown.0, shown.1?, bps))
        });
        Ok(found.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::testing::committee;
    use cicada_core::hash::Digest;
    use cicada_core::report::ReportKind;
    use cicada_core::Account;
    use cicada_network::NodeKeys;

    const FEED: Feed = Feed { kind: ReportKind::Rewards, contract: Account([3; 32]) };

    struct Bench {
        keys: Vec<NodeKeys>,
        office: Office,
        award: Award,
        certified: Vec<Weight>,
    }

    fn bench() -> Bench {
        let (keys, office) = committee(4);
        let certified = vec![(Account([1; 32]), 600), (Account([2; 32]), 400)];
        let award = Award {
            epoch: 3,
            start_ms: 1_000,
            end_ms: 2_000,
            pool: 0,
            carried_in: 0,
            awarded: 0,
            carried_out: 0,
            claims_root: Digest([5; 32]),
            claims: 0,
            total: 0,
            ranking: digest::<Native>(&certified),
        };
        Bench { keys, office, award, certified }
    }

    impl Bench {
        fn signed(&self, seat: u8, change: impl Fn(&mut Statement)) -> Statement {
            let mut one = Statement::of(&self.award, seat);
            change(&mut one);
            let message = one.message::<Native>(&self.office.committee.config_digest, &FEED);
            one.signature = self.keys[usize::from(seat)].attest(&message);
            one
        }

        fn off(&self, shown: &Shown) -> Option<u32> {
            off(&self.office, &FEED, (&self.award, &self.certified[..]), shown)
        }
    }

    #[test]
    fn genuine_statements_of_the_award_are_taken_once_in_order_of_seats() {
        let bench = bench();
        let same = |_: &mut Statement| ();
        let forged = Statement { seat: 1, ..bench.signed(3, same) };
        let all = [
            bench.signed(2, same),
            forged,
            bench.signed(0, same),
            bench.signed(2, same),
            bench.signed(3, |one| one.ranking = Digest([9; 32])),
            bench.signed(3, |one| one.end_ms += 1),
        ];
        let found = select(&bench.office, &FEED, &bench.award, all.into_iter());
        assert_eq!(found.iter().map(|one| one.seat).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn what_the_chain_would_judge_is_found_and_nothing_else() {
        let bench = bench();
        let of = |list: &[Weight], change: fn(&mut Statement)| -> Shown {
            let signed = bench.signed(1, |one| {
                one.ranking = digest::<Native>(list);
                change(one);
            });
            (signed, Some(list.to_vec()))
        };
        let wrong = vec![(Account([1; 32]), 500), (Account([2; 32]), 500)];
        assert_eq!(bench.off(&of(&wrong, |_| ())), Some(1_000));
        assert_eq!(bench.off(&of(&bench.certified, |_| ())), None);
        let near = vec![(Account([1; 32]), 600), (Account([2; 32]), 440)];
        assert_eq!(bench.off(&of(&near, |_| ())), None, "within the tolerance");
        assert_eq!(bench.off(&of(&wrong, |one| one.end_ms += 1)), None, "another time");
        let (statement, _) = of(&wrong, |_| ());
        assert_eq!(bench.off(&(statement, None)), None);
        assert_eq!(bench.off(&(statement, Some(bench.certified.clone()))), None);
        assert_eq!(bench.off(&(Statement { seat: 2, ..statement }, Some(wrong.clone()))), None);
        let turned = vec![wrong[1], wrong[0]];
        assert_eq!(bench.off(&of(&turned, |_| ())), None, "no ranking");
    }

    #[test]
    fn what_is_worse_is_brought_again() {
        let noted = [Deviation { seat: 4, bps: 700 }];
        assert!(is_noted(&noted, 4, 700) && is_noted(&noted, 4, 600));
        assert!(!is_noted(&noted, 4, 701) && !is_noted(&noted, 5, 700));
    }
}
