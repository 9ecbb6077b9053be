//! A certified leaderboard on its way to the chain, and the record that the chain then has.

use super::{Market, FRESH};
use crate::board::Finalized;
use anyhow::{ensure, Context, Result};
use cicada_contracts::leaderboard;
use cicada_core::certificate::Signature;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{Proposal, Record};
use cicada_core::report::{Report, ReportKind};
use cicada_settlement::{Bringer, Committee, Settled, Standing, Submission, Verified, Witnesses};

impl Witnesses for &Market<'_> {
    async fn attestations(&self, _: &Committee, report: &Report) -> Vec<(u8, Signature)> {
        let more = self.nodes.attestations(ReportKind::Leaderboard, report.slot).await;
        self.out.say("some who signed have lost their voice; others signed in their place");
        more
    }
}

impl Market<'_> {
    /// Brings a certified leaderboard to the chain, and reads the record back.
    pub(super) async fn settle_slot(&self, verified: Verified<Proposal>) -> Result<Finalized> {
        self.out.say("certificate verified: rows, root and every signature");
        let bringer = Bringer {
            chain: &self.chain,
            validators: &self.network.validators(),
            signer: &self.signer,
            committee: &self.committee,
            witnesses: self,
            underways: &self.underways,
        };
        let slot = verified.value().report.slot;
        let submission = Submission {
            message: |verified: &Verified<Proposal>| {
                let Proposal { report, board } = verified.value();
                leaderboard::submit(report, board, verified.certificate())
            },
            held: leaderboard::record(slot),
            standing: |held: Option<Record>| match held {
                Some(held) => Standing::Holds(held.report.digest::<Native>()),
                None => Standing::Open,
            },
            fresh: FRESH,
        };
        let (verified, settled) = bringer.settle(verified, submission).await?;
        let block = self.told(&settled).await?;
        let record = self.record(slot).await?;
        let record = record.with_context(|| format!("the chain has no record of slot {slot}"))?;
        let other = matches!(settled, Settled::Another) || record.board != verified.value().board;
        ensure!(
            !other,
            "the chain's record of slot {slot} is not what the nodes decided: another deployment? run 'scripts/deploy_paxos.sh status'"
        );
        Ok(self.finalized(record, block))
    }

    /// Tells how it came to the chain. Returns the block.
    async fn told(&self, settled: &Settled) -> Result<u64> {
        let Settled::ByUs(outcome) = settled else {
            if matches!(settled, Settled::Already) {
                self.out.say("chain: it is settled already");
            }
            return Ok(self.chain.final_block().await?);
        };
        self.out.say(format!(
            "chain: final in block {}; ref_time {} of the contract, {} of the transaction; fee {}",
            outcome.block, outcome.gas_consumed.ref_time, outcome.weight.ref_time, outcome.fee
        ));
        for event in &outcome.events {
            let text = leaderboard::INTERFACE.event_text(&event.topics, &event.data);
            self.out.say(format!("  event {text}"));
        }
        Ok(outcome.block)
    }

    /// What the chain has of a slot that others settled, if it is settled.
    pub(super) async fn settled_slot(&self, slot: u64) -> Result<Option<Finalized>> {
        let Some(record) = self.record(slot).await? else {
            return Ok(None);
        };
        let block = self.chain.final_block().await?;
        Ok(Some(self.finalized(record, block)))
    }

    fn finalized(&self, record: Record, block: u64) -> Finalized {
        Finalized {
            record,
            contract: self.network.leaderboard(),
            genesis: self.network.chain.genesis,
            block,
            nodes: self.network.nodes.len(),
        }
    }

    async fn record(&self, slot: u64) -> Result<Option<Record>> {
        let contract = &self.network.leaderboard();
        Ok(self.chain.read(contract, &leaderboard::record(slot)).await?)
    }
}
