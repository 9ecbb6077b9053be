//! Agreement on the basket: one is proposed when somebody asks a validator for it, by whoever has the
//! turn, whom that one tells; and whatever the nodes have certified is brought to the chain by every validator in its turn, so that nobody keeps it back.

use crate::agree::{one_of_each, too_few, Agreement};
use crate::baskets::Baskets;
use crate::contracts::{Contracts, Office};
use crate::turns::{Due, Place};
use anyhow::{ensure, Context, Result};
use cicada_core::basket::agreed::{Own, Proposal};
use cicada_core::basket::holdings;
use cicada_core::basket::observed::{check, Observation};
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::nav::{min_observations, ROUND_MS};
use cicada_core::report::{Feed, FeedState, ReportKind};
use cicada_program::now_ms;
use cicada_settlement::{take, Asked, Committee, Verified};

/// A basket is proposed at most so long after the turn for it began, in milliseconds; later, the next
/// one is waited for: its prices serve for 300 s.
const YOUNG_MS: u64 = 60_000;

const WANTED_TAG: &[u8] = b"cicada71/basket-wanted/v1";

/// What a seat signs when it asks the others for the prices of a basket that it wants: strangers make
/// nobody propose one.
pub fn wanted_message(config_digest: &Digest, slot: u64, time_ms: u64) -> Digest {
    let of = [slot.to_le_bytes(), time_ms.to_le_bytes()].concat();
    Native::sha256(&[WANTED_TAG, &config_digest.0, &of].concat())
}

/// What is to be done about the basket.
#[derive(Default)]
pub(crate) struct Rebalancing {
    // Until when one is wanted, and of which slot.
    until_ms: u64,
    slot: Option<u64>,
    // When a certified one is brought, and when one is proposed that another seat wants.
    due: Option<Due>,
    turn: Option<Due>,
    next_ms: u64,
    said: String,
}

impl Rebalancing {
    /// Notes that somebody wants a basket; that holds for two scheduled times at least.
    pub(crate) fn ask(&mut self, asked: bool, now_ms: u64) {
        if asked {
            self.until_ms = now_ms.saturating_add(2 * ROUND_MS);
            (self.slot, self.next_ms) = (None, now_ms);
        }
    }

    /// Whether this slot, the first that is looked at after somebody asked, is wanted now.
    fn wants(&mut self, slot: u64, now_ms: u64) -> bool {
        let of = *self.slot.get_or_insert(slot);
        of == slot && (self.next_ms..self.until_ms).contains(&now_ms)
    }
}

/// Whether a basket of `time_ms` is to be proposed now from this place.
fn is_young(place: &Place, slot: u64, time_ms: u64, now_ms: u64) -> bool {
    let age_ms = now_ms.checked_sub(place.allowed_from_ms(time_ms, slot));
    age_ms.is_some_and(|age_ms| age_ms <= YOUNG_MS)
}

/// The genuine observations for a slot, one of a seat, in order of seats, all of `time_ms`.
fn select(
    office: &Office,
    feed: &Feed,
    slot: u64,
    candidates: Vec<Observation>,
    time_ms: u64,
) -> Vec<Observation> {
    let usable = |one: &Observation| {
        let message = one.message::<Native>(&office.committee.config_digest, feed, slot);
        one.is_well_formed()
            && one.time_ms == time_ms
            && office.committee.signed(one.seat, &message, &one.signature)
    };
    one_of_each(candidates.into_iter().filter(usable), |one| one.seat)
}

impl Agreement {
    /// Brings what is certified; proposes what is wanted.
    pub(crate) async fn look_at_basket(&self, contracts: &Contracts, state: &mut Rebalancing) {
        let Some(baskets) = &self.app.baskets else {
            return;
        };
        let problem = match self.bring_or_propose(contracts, baskets, state).await {
            Ok(()) => String::new(),
            Err(error) => format!("{error:#}"),
        };
        if problem != state.said {
            tracing::warn!("basket: {}", if problem.is_empty() { "well again" } else { &problem });
            state.said = problem;
        }
    }

    async fn bring_or_propose(
        &self,
        contracts: &Contracts,
        baskets: &Baskets,
        state: &mut Rebalancing,
    ) -> Result<()> {
        let (newest, now) = (contracts.feeds().await?.0, now_ms());
        let slot = newest.slot.saturating_add(1);
        let (asked, time_ms) = (state.wants(slot, now), baskets.time(now));
        let wanted = asked || (baskets.is_wanted(slot, time_ms) && state.next_ms <= now);
        let node = self.app.peers.node()?;
        let done = node.decided::<Proposal>(ReportKind::Basket, slot).await?;
        if done.is_none() && !wanted {
            return Ok(());
        }
        let office = contracts.office().await?;
        let Some(place) = self.place(&office).await? else {
            return Ok(());
        };
        let (committee, verified) = match done {
            Some(done) => {
                let committee = contracts.committee(&office).await?;
                let asked = Asked::after(contracts.basket_feed(), &newest);
                // Nobody's turn passes before there is something to bring.
                let verified = take(&committee, &asked, done)?;
                if !Due::turn(&mut state.due, (slot, 0, now), &place.of_bringers(), now) {
                    return Ok(());
                }
                (committee, verified)
            }
            None => {
                ensure!(
                    place.allows_eight(slot, self.app.config.basket_interval.0),
                    "basket_interval is shorter than the turns of eight seats"
                );
                state.next_ms = place.next_ms(now);
                let turn = Due::turn(&mut state.turn, (slot, time_ms, now), &place, now);
                if !is_young(&place, slot, time_ms, now) || !(asked || turn) {
                    // Those who go before us learn that it is wanted.
                    if asked && now < place.allowed_from_ms(time_ms, slot) {
                        self.prices(contracts, baskets, slot).await?;
                    }
                    return Ok(());
                }
                self.propose_basket(contracts, baskets, &newest).await?
            }
        };
        let by = self.bringer(contracts, &committee);
        let block = Contracts::set_basket(verified, &by).await?;
        tracing::info!("basket {slot} is on the chain, block {block:?}");
        Ok(())
    }

    /// Observes the prices of a slot, and asks all others, in the name of this seat, what they observe:
    /// who is in office, what we found, the observations of all, and why some did not answer.
    async fn prices(
        &self,
        contracts: &Contracts,
        baskets: &Baskets,
        slot: u64,
    ) -> Result<(Office, Own, Vec<Observation>, Vec<String>)> {
        // A chain that makes blocks on demand has to come past the time first.
        self.freshen(contracts, baskets.time(now_ms())).await?;
        self.observer.outlooks.forget().await;
        let (office, own) = baskets.own(contracts, &self.observer, slot).await?;
        let Observation { seat, time_ms, .. } = own.observation;
        let message = wanted_message(&office.committee.config_digest, slot, time_ms);
        let wanted = (seat, self.observer.keys.attest(&message));
        let (mut all, failed) =
            self.app.peers.prices(slot, &office.committee.config_digest, &wanted).await;
        all.push(own.observation.clone());
        Ok((office, own, all, failed))
    }

    /// Collects prices and gets agreement on what follows from them: with the committee that was asked.
    async fn propose_basket(
        &self,
        contracts: &Contracts,
        baskets: &Baskets,
        newest: &FeedState,
    ) -> Result<(Committee, Verified<Proposal>)> {
        let slot = newest.slot.saturating_add(1);
        let (office, own, all, failed) = self.prices(contracts, baskets, slot).await?;
        let time_ms = own.observation.time_ms;
        let feed = contracts.basket_feed();
        let observations = select(&office, &feed, slot, all, time_ms);
        let needed = min_observations(office.committee.quorum.n()).context("no committee")?;
        check(&observations, &own.weights, needed, time_ms)
            .map_err(|error| too_few(slot, observations.len(), error, &failed))?;
        let entries = own.sheet.agreed(time_ms, &observations, &own.weights, needed);
        let entries = entries.map_err(|error| anyhow::anyhow!("slot {slot}: {error:?}"))?;
        let report = holdings::report::<Native>(feed, newest, &entries, time_ms);
        let proposal = Proposal { report, entries, observations };
        let committee = contracts.committee(&office).await?;
        let agreed = self.app.peers.round(&committee).agree(&proposal).await?;
        Ok((committee, agreed.verified))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::testing::committee;
    use cicada_core::Account;
    use cicada_network::Rules;

    const NOW: u64 = 1_738_425_600_000;
    const FEED: Feed = Feed { kind: ReportKind::Basket, contract: Account([3; 32]) };
    const SLOT: u64 = 5;

    #[test]
    fn one_is_wanted_once_and_not_for_ever() {
        let mut state = Rebalancing::default();
        assert!(!state.wants(1, NOW), "nobody asked");
        state.ask(true, NOW);
        assert!(state.wants(1, NOW) && state.wants(1, NOW + 300_000));
        assert!(!state.wants(2, NOW), "one");
        state.ask(true, NOW);
        assert!(state.wants(2, NOW + 599_999));
        assert!(!state.wants(2, NOW + 600_000));
    }

    #[test]
    fn a_basket_is_proposed_within_60_s_of_the_turn_for_it() {
        let rules = Rules::default();
        let young = |seat, now_ms| is_young(&Place { seat, seats: 23, rules }, SLOT, NOW, now_ms);
        assert!(young(5, NOW) && young(5, NOW + 60_000));
        assert!(!young(5, NOW + 60_001), "its prices would not serve for long");
        assert!(!young(7, NOW + 41_999) && young(7, NOW + 42_000) && young(7, NOW + 102_000));
        assert!(!young(4, NOW + 141_999) && young(4, NOW + 142_000), "the last");
    }

    #[test]
    fn genuine_prices_of_one_time_are_taken_in_order_of_seats() {
        let (keys, office) = committee(4);
        let signed = |seat: u8, prices: &[(u16, u128)], time_ms| {
            let (prices, signature) = (prices.to_vec(), [0; 64]);
            let mut one = Observation { seat, time_ms, prices, signature };
            let message = one.message::<Native>(&Digest([8; 32]), &FEED, SLOT);
            one.signature = keys[usize::from(seat)].attest(&message);
            one
        };
        let good = |seat| signed(seat, &[(1, 5), (2, 6)], NOW);
        let taken = |more: Vec<Observation>| -> Vec<u8> {
            let found = select(&office, &FEED, SLOT, more, NOW);
            found.iter().map(|one| one.seat).collect()
        };
        assert_eq!(taken(vec![good(2), good(0), good(0), good(1)]), [0, 1, 2]);
        let refused = |one: Observation| taken(vec![one]).is_empty();
        assert!(refused(Observation { seat: 3, ..good(0) }), "another's signature");
        assert!(refused(Observation { seat: 9, ..good(0) }), "no such seat");
        assert!(refused(signed(1, &[(1, 5)], NOW - 300_000)), "of another time");
        assert!(refused(signed(1, &[(2, 6), (1, 5)], NOW)), "not in order");
        assert!(refused(signed(1, &[(1, 0)], NOW)), "a price of 0");
    }
}
