//! What a proposer checks before it brings a certificate to the chain.

use anyhow::{ensure, Result};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::Native;
use cicada_core::leaderboard::{check, matches, Proposal};
use cicada_network::{verify_attestation, Network};

/// Checks everything that the chain will check and that does not depend on its state: the
/// feed, the rows and their root, the certificate and all its signatures.
pub fn verify(network: &Network, proposal: &Proposal, certificate: &Certificate) -> Result<()> {
    let report = &proposal.report;
    ensure!(
        report.feed == network.leaderboard_feed(),
        "the nodes decided on a report for another contract: those that answer belong to another deployment"
    );
    check(&proposal.standings)
        .map_err(|error| anyhow::anyhow!("the decided rows are no leaderboard: {error:?}"))?;
    ensure!(
        matches::<Native>(report, &proposal.standings),
        "the decided rows are not those of the decided report"
    );
    let quorum = network.attestation_quorum();
    let keys: Vec<_> = network.nodes.iter().map(|n| n.attestation_key).collect();
    let message = report.attestation_message::<Native>(&network.config_digest());
    certificate
        .check_form(network.epoch, &quorum)
        .and_then(|()| certificate.check_signatures(&message, &keys, verify_attestation))
        .map_err(|error| anyhow::anyhow!("the nodes' certificate is not valid: {error:?}"))
}

/// A certificate of a proposal without barred seats, from a genuine one with them and what others
/// attest now. None if there are too few.
pub fn without_barred(
    network: &Network,
    proposal: &Proposal,
    certificate: &Certificate,
    barred: u32,
    more: Vec<(u8, Signature)>,
) -> Option<Certificate> {
    let message = proposal.report.attestation_message::<Native>(&network.config_digest());
    let genuine = more.into_iter().filter(|(seat, signature)| {
        let node = network.nodes.get(usize::from(*seat));
        node.is_some_and(|node| verify_attestation(signature, &message, &node.attestation_key))
    });
    certificate.without(barred, &network.attestation_quorum(), genuine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attested, certified};

    #[test]
    fn a_certificate_of_the_committee_passes() {
        let (network, proposal, certificate) = certified();
        verify(&network, &proposal, &certificate).unwrap();
    }

    #[test]
    fn who_lost_his_voice_is_replaced_by_who_has_one() {
        let (network, proposal, certificate) = certified();
        assert_eq!(certificate.signers, 0xffff, "the first sixteen");
        let others = || (16..23).map(|seat| attested(&network, &proposal, seat)).collect();
        let without =
            |barred, more| without_barred(&network, &proposal, &certificate, barred, more);
        let replaced = without(0b101, others()).unwrap();
        assert_eq!(replaced.signers, 0x3_fffa);
        verify(&network, &proposal, &replaced).unwrap();
        assert!(without(0b101, Vec::new()).is_none(), "too few");
        assert!(without(0xff, others()).is_none(), "eight are barred of 23");
        let mut forged: Vec<_> = others();
        forged.iter_mut().for_each(|(_, signature)| signature[0] ^= 1);
        assert!(without(0b1, forged).is_none());
    }

    #[test]
    fn changed_rows_reports_and_signatures_do_not() {
        let (network, proposal, certificate) = certified();
        let mut rows = proposal.clone();
        rows.standings[0].score += 1;
        assert!(verify(&network, &rows, &certificate).is_err());
        let mut report = proposal.clone();
        report.report.slot += 1;
        let error = verify(&network, &report, &certificate).unwrap_err();
        assert!(error.to_string().contains("BadSignature"), "{error}");
        let mut few = certificate.clone();
        few.signatures.pop();
        assert!(verify(&network, &proposal, &few).is_err());
        let mut other = network.clone();
        other.chain.leaderboard = [9; 32];
        assert!(verify(&other, &proposal, &certificate).is_err());
    }
}
