//! A certificate on its way to the chain, and the record that the chain then has.

use super::{Market, FRESH};
use crate::board::Finalized;
use crate::verify::{verify, without_barred};
use anyhow::{ensure, Context, Result};
use cicada_chain::account_of;
use cicada_contracts::{leaderboard, validators};
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Hash, Native};
use cicada_core::leaderboard::{Proposal, Record, Settlement};

impl Market<'_> {
    /// Verifies a certificate, brings it to the chain, and reads the record back.
    pub(super) async fn settle_slot(
        &self,
        proposal: &Proposal,
        certificate: &Certificate,
    ) -> Result<Finalized> {
        verify(self.network, proposal, certificate)?;
        self.out.say("certificate verified: rows, root and every signature");
        // A dry run sees the clock of the newest block, and the contract refuses a report
        // that lies too far ahead of it.
        self.chain.freshen(&self.signer, FRESH).await?;
        let certificate = self.with_voice(proposal, certificate).await?;
        let block = self.submit(proposal, &certificate).await?;
        Ok(self.finalized(self.read_back(proposal).await?, block))
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
            contract: self.network.chain.leaderboard,
            genesis: self.network.chain.genesis,
            block,
            nodes: self.network.nodes.len(),
        }
    }

    /// The certificate, with others in the place of seats that have lost their voice on the chain.
    async fn with_voice(
        &self,
        proposal: &Proposal,
        certificate: &Certificate,
    ) -> Result<Certificate> {
        let contract = &self.network.chain.validators;
        let barred = self.chain.read(contract, &validators::barred()).await?;
        if certificate.signers & barred == 0 {
            return Ok(certificate.clone());
        }
        let slot = proposal.report.slot;
        let more = self.nodes.attestations(slot).await;
        let replaced = without_barred(self.network, proposal, certificate, barred, more);
        self.out.say("some who signed have lost their voice; others signed in their place");
        replaced.with_context(|| format!("too few nodes with a voice attest slot {slot}"))
    }

    /// Sends the certificate, unless the chain has the record already. Returns the block.
    async fn submit(&self, proposal: &Proposal, certificate: &Certificate) -> Result<u64> {
        let contract = &self.network.chain.leaderboard;
        let submit = leaderboard::submit(&proposal.report, &proposal.board, certificate);
        let origin = account_of(&self.signer);
        let dry_run = self.chain.dry_run(contract, &submit, &origin).await?;
        if dry_run.returned == Settlement::AlreadyDone {
            let block = self.chain.final_block().await?;
            self.out.say("chain: it is settled already");
            return Ok(block);
        }
        let outcome = self.chain.call(contract, &submit, &self.signer).await?;
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

    /// The chain's record of the slot; it must be what the nodes decided.
    async fn read_back(&self, proposal: &Proposal) -> Result<Record> {
        let slot = proposal.report.slot;
        let record = self.record(slot).await?;
        let record = record.with_context(|| format!("the chain has no record of slot {slot}"))?;
        let digest = |report: &cicada_core::report::Report| -> Hash { report.digest::<Native>() };
        ensure!(
            digest(&record.report) == digest(&proposal.report)
                && record.board == proposal.board,
            "the chain's record of slot {slot} is not what the nodes decided: another deployment? run 'scripts/deploy_paxos.sh status'"
        );
        Ok(record)
    }

    async fn record(&self, slot: u64) -> Result<Option<Record>> {
        let contract = &self.network.chain.leaderboard;
        Ok(self.chain.read(contract, &leaderboard::record(slot)).await?)
    }
}
