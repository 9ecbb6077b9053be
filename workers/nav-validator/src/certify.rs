//! Certificates without barred seats.
//!
//! A seat that was convicted has no voice for the rest of its epoch, and the contract refuses a
//! certificate that it signed. The consensus nodes may not know that. Whoever brings a certificate to
//! the chain then asks the other validators for their own signatures under the same report.

use crate::contracts::Office;
use anyhow::{ensure, Context, Result};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::hash::{Hash, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::{Feed, Report};
use cicada_network::verify_attestation;

fn quorum(office: &Office) -> Result<Quorum> {
    Quorum::of(FaultModel::Byzantine, office.seats()).context("no committee")
}

fn is_of(office: &Office, seat: u8, message: &Hash, signature: &Signature) -> bool {
    let key = office.keys.get(usize::from(seat));
    key.is_some_and(|key| verify_attestation(signature, message, key))
}

/// What a seat may sign once more: the report of a slot, if a quorum of the committee in office,
/// barred seats included, has signed it.
///
/// # Errors
/// In words.
pub fn confirmed(
    office: &Office,
    feed: &Feed,
    slot: u64,
    report: &Report,
    certificate: &Certificate,
) -> Result<Hash> {
    ensure!(report.feed == *feed && report.slot == slot, "a report of another slot");
    let message = report.attestation_message::<Native>(&office.config_digest);
    certificate
        .check_form(office.epoch, &quorum(office)?)
        .map_err(|error| anyhow::anyhow!("the certificate: {error:?}"))?;
    let verify = |signature: &Signature, message: &Hash, key: &_| {
        verify_attestation(signature, message, key)
    };
    certificate
        .check_signatures(&message, &office.keys, verify)
        .map_err(|error| anyhow::anyhow!("the certificate: {error:?}"))?;
    Ok(message)
}

/// A certificate without barred seats, from one with them and more signatures.
///
/// # Errors
/// If there are too few.
pub fn without_barred(
    office: &Office,
    barred: u32,
    report: &Report,
    certificate: &Certificate,
    more: Vec<(u8, Signature)>,
) -> Result<Certificate> {
    let message = report.attestation_message::<Native>(&office.config_digest);
    let genuine =
        more.into_iter().filter(|(seat, signature)| is_of(office, *seat, &message, signature));
    let quorum = quorum(office)?;
    certificate.without(barred, &quorum, genuine).with_context(|| {
        format!("fewer than {} validators with a voice sign slot {}", quorum.size(), report.slot)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::testing::committee;
    use cicada_core::hash::ZERO_HASH;
    use cicada_core::report::ReportKind;
    use cicada_network::NodeKeys;

    const FEED: Feed = Feed { kind: ReportKind::Nav, contract: [3; 32] };
    const REPORT: Report = Report {
        version: 1,
        feed: FEED,
        slot: 5,
        previous: ZERO_HASH,
        time_ms: 7,
        leaf_count: 1,
        root: [9; 32],
    };

    struct Stage {
        keys: Vec<NodeKeys>,
        office: Office,
        message: Hash,
    }

    fn stage() -> Stage {
        let (keys, office) = committee(5);
        let message = REPORT.attestation_message::<Native>(&office.config_digest);
        Stage { keys, office, message }
    }

    impl Stage {
        fn signed(&self, seats: &[u8]) -> Vec<(u8, Signature)> {
            let sign = |seat: &u8| (*seat, self.keys[usize::from(*seat)].attest(&self.message));
            seats.iter().map(sign).collect()
        }

        fn certificate(&self, seats: &[u8]) -> Certificate {
            let quorum = quorum(&self.office).unwrap();
            Certificate::assemble(1, &quorum, self.signed(seats)).unwrap()
        }
    }

    #[test]
    fn a_barred_seat_is_replaced_by_one_with_a_voice() {
        let stage = stage();
        let old = stage.certificate(&[1, 2, 3, 4]);
        let replaced = |barred, more| without_barred(&stage.office, barred, &REPORT, &old, more);
        let new = replaced(1 << 4, stage.signed(&[0, 2])).unwrap();
        assert_eq!(new.seats().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(confirmed(&stage.office, &FEED, 5, &REPORT, &new).is_ok());
        assert!(replaced(1 << 4, stage.signed(&[4])).is_err(), "too few without it");
        let forged = vec![(0, stage.signed(&[1])[0].1)];
        assert!(replaced(1 << 4, forged).is_err(), "another seat's signature");
        assert!(replaced(0b11, stage.signed(&[0, 1])).is_err(), "two are barred of five");
    }

    #[test]
    fn only_what_a_quorum_signed_is_signed_again() {
        let stage = stage();
        let good = stage.certificate(&[1, 2, 3, 4]);
        let check = |slot, report: &Report, certificate: &Certificate| {
            confirmed(&stage.office, &FEED, slot, report, certificate).is_ok()
        };
        assert!(check(5, &REPORT, &good));
        assert!(!check(6, &REPORT, &good), "another slot");
        assert!(!check(5, &Report { root: [1; 32], ..REPORT }, &good), "another report");
        assert!(!check(5, &REPORT, &Certificate { epoch: 2, ..good.clone() }), "another epoch");
        let mut fewer = good.clone();
        fewer.signatures.pop();
        assert!(!check(5, &REPORT, &fewer));
        let mut forged = good;
        forged.signatures[0] = forged.signatures[1];
        assert!(!check(5, &REPORT, &forged));
    }
}
