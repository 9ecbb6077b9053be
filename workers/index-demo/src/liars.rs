//! What becomes of those that lie.

use crate::double::observation_in;
use crate::front::ask;
use crate::story::{Story, DOUBLE, LIAR, PATIENCE, TWICE_ATTESTED};
use anyhow::{bail, Context, Result};
use cicada_amounts::TAO;
use cicada_contracts::types::{DoubleObservation, StakeView, StakingError};
use cicada_contracts::{index, validators};
use cicada_core::hash::Native;
use cicada_core::leaderboard::Settlement;
use cicada_core::nav::{Proposal, Record};
use cicada_core::report::{Report, ReportKind};
use cicada_core::slashing::Standing;
use cicada_network::NodeKeys;
use cicada_node_api::Scale;
use parity_scale_codec::Encode;
use std::ffi::OsStr;
use std::process::Stdio;
use tokio::process::Command;

impl Story {
    /// The liar has paid 5 %, and pays no second time for the same slot.
    pub(crate) async fn after_lie(&mut self, record: &Record) -> Result<String> {
        // The penalty is a call of its own, after the settlement.
        let part = self.stake.div_ceil(20);
        let paid = |stake: &StakeView| stake.bonded != self.stake;
        let stake = self.stake_once(LIAR, PATIENCE, paid).await?;
        self.check(
            format!(
                "seat {LIAR} reported 2 % too much in slot {} and has {} of {} left: 5 % are {part}",
                record.slot, stake.bonded, self.stake
            ),
            stake.bonded == self.stake - part && stake.standing == Standing::Active,
        );
        let done = self.node.decided::<Proposal>(ReportKind::Nav, record.slot).await?;
        let done = done.context("the slot is not decided")?;
        let Scale(Proposal { report, observations, .. }) = &done.proposal;
        let Scale(certificate) = done.certificate.context("the slot has no certificate")?;
        let again = index::settle_nav(report, observations, &certificate);
        let (stage, at) = (&self.stage, &self.stage.at.index);
        let answer = stage.chain.call(at, &again, &stage.owner).await?.returned;
        let after = self.stake_of(LIAR).await?;
        self.check(
            format!("the same report again is {answer:?}, and the stake stays {}", after.bonded),
            answer == Settlement::AlreadyDone && after == stake,
        );
        Ok(format!("seat {LIAR} is 2 % off and loses {} TAO", part as f64 / TAO as f64))
    }

    /// A seat has told the others two NAVs for one slot. They bring both to the chain.
    pub(crate) async fn sign_twice(&mut self, slot: u64) -> Result<String> {
        let ejected = |stake: &StakeView| stake.standing == Standing::Ejected;
        let stake = self.stake_once(DOUBLE, PATIENCE, ejected).await?;
        let after = self.stage.of_validators(&validators::electorate(&None)).await?;
        let voice = after.stakes.get(usize::from(DOUBLE)).copied();
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
        // The same two values once more, from both its faces.
        let mut said = Vec::new();
        for face in [self.net.validator_url(DOUBLE), self.two_faced.clone()] {
            let url = format!("{face}/observation?slot={slot}&feed=nav");
            let (_, answer) = ask(self.client.get(url)).await?;
            said.push(observation_in(&serde_json::from_slice(&answer)?)?);
        }
        let [one, other] = said[..] else { bail!("two faces") };
        let (epoch, feed) = (after.epoch, self.stage.nav_feed());
        let evidence = DoubleObservation { epoch, feed, slot, one, other };
        let again = validators::convict_observer(&evidence);
        let (stage, at) = (&self.stage, &self.stage.at.validators);
        let again = stage.chain.call(at, &again, &stage.owner).await;
        let why = again.err().and_then(|error| error.refused::<StakingError>());
        let refused = why == Some(StakingError::AlreadyPunished);
        let same = self.stake_of(DOUBLE).await? == stake;
        self.check("the same evidence again is refused: AlreadyPunished".into(), refused && same);
        let lost = (self.stake - stake.bonded) / TAO;
        Ok(format!("seat {DOUBLE} signs two NAVs, loses {lost} TAO and its seat"))
    }

    /// A seat attests two reports of the last slot. Somebody has both; `audit` finds it out, and
    /// `convict` brings it to the chain.
    pub(crate) async fn attest_twice(&mut self) -> Result<()> {
        let slot = self.slots.last().context("no slot")?.number;
        let done = self.node.decided::<Proposal>(ReportKind::Nav, slot).await?;
        let report = done.context("the slot is not decided")?.proposal.0.report;
        let folder = self.net.config.state.join("audit");
        std::fs::create_dir_all(&folder)?;
        let (signed, evidence) = (folder.join("signed.jsonl"), folder.join("evidence.json"));
        let keys = NodeKeys::load(&self.net.key_file(TWICE_ATTESTED))?;
        let line = |report: Report| {
            let message = report.attestation_message::<Native>(&self.network.config_digest());
            let bytes = (TWICE_ATTESTED, report, keys.attest(&message)).encode();
            format!("{{\"type\":\"attestation\",\"hex\":\"{}\"}}\n", hex::encode(bytes))
        };
        let other = Report { time_ms: report.time_ms.saturating_add(1), ..report };
        std::fs::write(&signed, line(report) + &line(other))?;

        let network = self.net.network_file();
        let named = [OsStr::new("--evidence"), evidence.as_os_str()];
        let audit =
            [OsStr::new("--network"), network.as_os_str(), named[0], named[1], signed.as_os_str()];
        let (found, said) = self.program("audit", &audit).await?;
        self.check(format!("audit finds who attested two reports: {said}"), found == Some(3));
        let convict = [OsStr::new("--network"), network.as_os_str(), evidence.as_os_str()];
        let (first, said) = self.program("convict", &convict).await?;
        let stake = self.stake_of(TWICE_ATTESTED).await?;
        self.check(
            format!(
                "convict: {said}; {} of {} left, {:?}",
                stake.bonded, self.stake, stake.standing
            ),
            first == Some(0)
                && stake.bonded == self.stake - self.stake.div_ceil(2)
                && stake.standing == Standing::Ejected,
        );
        let (second, said) = self.program("convict", &convict).await?;
        let same = self.stake_of(TWICE_ATTESTED).await? == stake;
        self.check(format!("convict once more: {said}"), second == Some(0) && same);
        Ok(())
    }

    /// Runs a program to its end; its status, and the last line that it printed.
    async fn program(&self, name: &str, args: &[&OsStr]) -> Result<(Option<i32>, String)> {
        let path = self.net.config.programs.join(name);
        let output = Command::new(&path).args(args).stdin(Stdio::null()).output().await;
        let output = output.with_context(|| path.display().to_string())?;
        let printed = [output.stdout, output.stderr].concat();
        let last = String::from_utf8_lossy(&printed).lines().last().unwrap_or_default().to_owned();
        Ok((output.status.code(), last))
    }
}
