//! Who signs.

use cicada_core::certificate::{Certificate, CertificateError, Signature};
use cicada_core::committee::AttestationKey;
use cicada_core::hash::{Digest, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use cicada_network::{verify_attestation, Network};

/// A committee, as whoever settles its reports has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    /// Its number.
    pub epoch: u32,
    /// What its signatures bind.
    pub config_digest: Digest,
    /// Attestation keys in seat order.
    pub keys: Vec<AttestationKey>,
    /// How many certify.
    pub quorum: Quorum,
    /// The committee before, as long as the chain takes what it certified.
    pub before: Option<Box<Committee>>,
}

impl Committee {
    /// A committee with these keys; none if there are too few or too many.
    pub fn new(epoch: u32, config_digest: Digest, keys: Vec<AttestationKey>) -> Option<Self> {
        let seats = u8::try_from(keys.len()).ok()?;
        let quorum = Quorum::of(FaultModel::Byzantine, seats)?;
        Some(Self { epoch, config_digest, keys, quorum, before: None })
    }

    /// That of a network.
    pub fn of(network: &Network) -> Self {
        Self {
            epoch: network.epoch,
            config_digest: network.config_digest(),
            keys: network.nodes.iter().map(|node| node.attestation_key).collect(),
            quorum: network.attestation_quorum(),
            before: None,
        }
    }

    /// What its seats sign under a report.
    pub fn message(&self, report: &Report) -> Digest {
        report.attestation_message::<Native>(&self.config_digest)
    }

    /// Whether a seat signed a message.
    pub fn signed(&self, seat: u8, message: &Digest, signature: &Signature) -> bool {
        let key = self.keys.get(usize::from(seat));
        key.is_some_and(|key| verify_attestation(signature, message, key))
    }

    /// Checks that a quorum of this committee or of the one before, with a voice or without, signed a
    /// report.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn check(
        &self,
        report: &Report,
        certificate: &Certificate,
    ) -> Result<(), CertificateError> {
        if let Some(before) = self.before.as_ref().filter(|one| one.epoch == certificate.epoch) {
            return before.check(report, certificate);
        }
        certificate.check_form(self.epoch, &self.quorum)?;
        certificate.check_signatures(&self.message(report), &self.keys, verify_attestation)
    }
}
