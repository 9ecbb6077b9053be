//! Who signs.

use cicada_chain::{Chain, Error as ChainError};
use cicada_contracts::types::Electorate;
use cicada_contracts::validators;
use cicada_core::certificate::{Certificate, CertificateError, Signature};
use cicada_core::committee::AttestationKey;
use cicada_core::hash::{Digest, Native};
use cicada_core::quorum::{FaultModel, Quorum};
use cicada_core::report::Report;
use cicada_core::Account;
use cicada_network::verify_attestation;

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

    /// That of an epoch, or the one in office, as a chain knows it; `None` if it does not count there.
    ///
    /// # Errors
    /// If the chain does not answer.
    pub async fn of_epoch(
        chain: &Chain,
        contract: &Account,
        epoch: Option<u32>,
    ) -> Result<Option<Self>, ChainError> {
        let Electorate { epoch, config_digest, keys, .. } =
            chain.read(contract, &validators::electorate(&epoch)).await?;
        Ok(Self::new(epoch, config_digest, keys))
    }

    /// The same with the one before it, as long as a chain takes what that certified.
    ///
    /// # Errors
    /// If the chain does not answer.
    pub async fn with_the_one_before(
        self,
        chain: &Chain,
        contract: &Account,
    ) -> Result<Self, ChainError> {
        let before = Self::of_epoch(chain, contract, Some(self.epoch.saturating_sub(1))).await?;
        let before = before.filter(|before| before.epoch < self.epoch).map(Box::new);
        Ok(Self { before, ..self })
    }

    /// The committee that signed a certificate of this epoch: the one before, or this one.
    pub fn that_signed(&self, epoch: u32) -> &Self {
        self.before.as_deref().filter(|before| before.epoch == epoch).unwrap_or(self)
    }

    /// The seat of a key.
    pub fn seat_of(&self, key: &AttestationKey) -> Option<u8> {
        u8::try_from(self.keys.iter().position(|other| other == key)?).ok()
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
        let signed = self.that_signed(certificate.epoch);
        certificate.check_form(signed.epoch, &signed.quorum)?;
        certificate.check_signatures(&signed.message(report), &signed.keys, verify_attestation)
    }
}
