//! What becomes of the two that lie.

use crate::double::observation_in;
use crate::stage::Electorate;
use crate::story::{Story, DOUBLE, LIAR, PATIENCE, POLL, TAO};
use anyhow::{Context, Result};
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{Proposal, Record};
use cicada_core::slashing::Standing;
use parity_scale_codec::{DecodeAll, Encode};
use std::time::Instant;

impl Story {
    /// The liar has paid 5 %, and pays no second time for the same slot.
    pub(crate) async fn after_lie(&mut self, record: &Record) -> Result<String> {
        let stake = self.stake_of(LIAR).await?;
        let part = self.stake.div_ceil(20);
        self.check(
            format!(
                "seat {LIAR} reported 2 % too much in slot {} and has {} of {} left: 5 % are {part}",
                record.slot, stake.bonded, self.stake
            ),
            stake.bonded == self.stake - part && stake.standing == Standing::Active,
        );
        let done = self.peers.certified::<Proposal>("nav", record.slot).await?;
        let done = done.context("the slot has no certificate")?;
        let args = (&done.value.report, &done.value.observations, &done.certificate).encode();
        let again = self.stage.index("Index::settle_nav", &args, &self.stage.owner).await?;
        let answer = Settlement::decode_all(&mut &again.returned[..])?;
        let after = self.stake_of(LIAR).await?;
        self.check(
            format!("the same report again is {answer:?}, and the stake stays {}", after.bonded),
            answer == Settlement::AlreadyDone && after == stake,
        );
        Ok(format!("seat {LIAR} is 2 % off and loses {} TAO", part as f64 / TAO as f64))
    }

    /// A seat has told the others two NAVs for one slot. They bring both to the chain.
    pub(crate) async fn sign_twice(&mut self, slot: u64) -> Result<String> {
        let begin = Instant::now();
        let mut stake = self.stake_of(DOUBLE).await?;
        while stake.standing != Standing::Ejected && begin.elapsed() < PATIENCE {
            tokio::time::sleep(POLL).await;
            stake = self.stake_of(DOUBLE).await?;
        }
        let after: Electorate = self.stage.of_validators("Judged::electorate", &()).await?;
        let voice = after.stakes.get(DOUBLE).copied();
        self.check(
            format!(
                "seat {DOUBLE} signed two NAVs for slot {slot}, and others brought the proof: \
                 {} of {} left, {:?}, voice {voice:?}",
                stake.bonded, self.stake, stake.standing
            ),
            stake.bonded == self.stake - self.stake.div_ceil(2)
                && stake.standing == Standing::Ejected
                && voice == Some(0),
        );
        // The same two values once more.
        let done = self.peers.certified::<Proposal>("nav", slot).await?;
        let observations = done.context("the slot has no certificate")?.value.observations;
        let one = observations.iter().find(|one| usize::from(one.seat) == DOUBLE);
        let one = one.context("the seat has not observed this slot")?;
        let url = format!("{}/observation?slot={slot}", self.two_faced);
        let other = self.client.get(url).send().await?.text().await?;
        let other = observation_in(&serde_json::from_str(&other)?)?;
        let evidence = (after.epoch, self.stage.nav_feed(), slot, one, other).encode();
        let again = self.stage.judge("Staking::convict_observer", &evidence).await;
        let again = again.err().map(|error| format!("{error:#}")).unwrap_or_default();
        let refused = again.contains("AlreadyPunished");
        let same = self.stake_of(DOUBLE).await? == stake;
        self.check("the same evidence again is refused: AlreadyPunished".into(), refused && same);
        let lost = (self.stake - stake.bonded) / TAO;
        Ok(format!("seat {DOUBLE} signs two NAVs, loses {lost} TAO and its seat"))
    }
}
