//! What nodes signed, verified on entry.

use crate::charge::{self, Signed, Verdicts};
use crate::verifier::Verifier;
use cicada_consensus::byzantine::{Kind, QuorumCertificate, Statement};
use cicada_consensus::{Config, Justification, Pledge, Position, Seat, View};
use cicada_core::certificate::{Certificate, CertificateError, Signature};
use cicada_core::evidence::{Equivocation, EvidenceError};
use cicada_core::hash::{Digest, Native};
use cicada_core::report::{Feed, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Why something does not enter the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The committee has no such seat.
    #[error("the committee has no seat {0}")]
    NoSuchSeat(Seat),
    /// Correct nodes sign such statements freely.
    #[error("no rule looks at a {0:?} by itself; bring pledges with their claims")]
    NoRule(Kind),
    /// Not exactly a quorum of signatures.
    #[error("a certificate needs exactly {expected} signatures, this one has {found}")]
    WrongSignatureCount {
        /// The size of the quorum.
        expected: u8,
        /// The signatures that it has.
        found: usize,
    },
    /// There are not as many different seats of the committee as signatures.
    #[error("the signers are not as many different seats of the committee as signatures")]
    WrongSigners,
    /// A signature is not one of this seat under what it stands under.
    #[error("the signature of seat {0} is not genuine")]
    BadSignature(Seat),
    /// The certificate of a report is not genuine.
    #[error("the certificate of the report is not genuine: {0:?}")]
    Certificate(CertificateError),
    /// The evidence convicts nobody.
    #[error("the evidence convicts nobody: {0:?}")]
    Evidence(EvidenceError),
}

// Where a node may sign one digest only.
type Place = (Seat, Kind, Position, View);
// Where a node may attest one report only.
type Slot = (Seat, Feed, u64);

/// Everything that is known to be signed by the nodes of one committee.
///
/// What is rejected leaves no trace; of a certificate with one forged signature nothing is
/// kept, its other signatures can be added as statements.
#[derive(Debug)]
pub struct Pool<'a, V> {
    config: &'a Config,
    keys: &'a V,
    pub(crate) statements: BTreeMap<Place, BTreeMap<Digest, Signature>>,
    pub(crate) pledges: BTreeMap<Seat, BTreeSet<Pledge>>,
    pub(crate) attested: BTreeMap<Slot, BTreeMap<Digest, (Report, Signature)>>,
    decided: BTreeMap<Position, BTreeSet<Digest>>,
}

impl<'a, V: Verifier> Pool<'a, V> {
    /// An empty pool for the committee with this configuration; its own seat and its times do
    /// not matter.
    pub fn new(config: &'a Config, keys: &'a V) -> Self {
        Self {
            config,
            keys,
            statements: BTreeMap::new(),
            pledges: BTreeMap::new(),
            attested: BTreeMap::new(),
            decided: BTreeMap::new(),
        }
    }

    /// The epoch of the committee.
    pub(crate) fn epoch(&self) -> u32 {
        self.config.epoch
    }

    /// Adds a proposal, a prepared or a committed of one seat.
    ///
    /// # Errors
    /// [`Rejection::NoRule`], [`Rejection::NoSuchSeat`] and [`Rejection::BadSignature`].
    pub fn add_statement(
        &mut self,
        seat: Seat,
        statement: Statement,
        signature: Signature,
    ) -> Result<(), Rejection> {
        self.check_kind(statement.kind)?;
        self.check_statement(seat, &statement, &signature)?;
        self.keep(seat, Signed { statement, signature });
        Ok(())
    }

    /// Adds what the signers of a certificate signed: a prepared or a committed each.
    ///
    /// # Errors
    /// [`Rejection`], if it is not one of a quorum, whole and genuine.
    pub fn add_certificate(&mut self, certificate: &QuorumCertificate) -> Result<(), Rejection> {
        self.check_certificate(certificate)?;
        self.keep_certificate(certificate);
        Ok(())
    }

    /// Adds a pledge. It need not be well formed: no correct node signs one that is not.
    ///
    /// # Errors
    /// [`Rejection::NoSuchSeat`] and [`Rejection::BadSignature`].
    pub fn add_pledge(&mut self, pledge: &Pledge) -> Result<(), Rejection> {
        self.check_statement(pledge.seat, &pledge.statement(), &pledge.signature)?;
        self.keep_pledge(pledge);
        Ok(())
    }

    /// Adds all that is in a justification. It need not justify anything.
    ///
    /// # Errors
    /// [`Rejection`] of the first part that is not genuine; then nothing is added.
    pub fn add_justification(&mut self, justification: &Justification) -> Result<(), Rejection> {
        for pledge in &justification.pledges {
            self.check_statement(pledge.seat, &pledge.statement(), &pledge.signature)?;
        }
        let certificates = justification.locks.iter().chain(&justification.tip);
        for certificate in certificates.clone() {
            self.check_certificate(certificate)?;
        }
        justification.pledges.iter().for_each(|pledge| self.keep_pledge(pledge));
        certificates.for_each(|certificate| self.keep_certificate(certificate));
        Ok(())
    }

    /// Adds one seat's attestation of a report.
    ///
    /// # Errors
    /// [`Rejection::NoSuchSeat`] and [`Rejection::BadSignature`].
    pub fn add_attestation(
        &mut self,
        seat: Seat,
        report: Report,
        signature: Signature,
    ) -> Result<(), Rejection> {
        if seat >= self.config.quorum.n() {
            return Err(Rejection::NoSuchSeat(seat));
        }
        let message = report.attestation_message::<Native>(&self.config.config_digest);
        if !self.keys.verify_attestation(seat, &message, &signature) {
            return Err(Rejection::BadSignature(seat));
        }
        self.keep_attestation(seat, report, signature);
        Ok(())
    }

    /// Adds the attestations that certify a report.
    ///
    /// # Errors
    /// [`Rejection::Certificate`] and [`Rejection::BadSignature`].
    pub fn add_report(
        &mut self,
        report: Report,
        certificate: &Certificate,
    ) -> Result<(), Rejection> {
        let form = certificate.check_form(self.config.epoch, &self.config.attestation);
        form.map_err(Rejection::Certificate)?;
        let message = report.attestation_message::<Native>(&self.config.config_digest);
        for (seat, signature) in certificate.seats().zip(&certificate.signatures) {
            if !self.keys.verify_attestation(seat, &message, signature) {
                return Err(Rejection::BadSignature(seat));
            }
        }
        for (seat, signature) in certificate.seats().zip(&certificate.signatures) {
            self.keep_attestation(seat, report, *signature);
        }
        Ok(())
    }

    /// Adds the two attestations of a piece of evidence.
    ///
    /// # Errors
    /// [`Rejection::NoSuchSeat`] and [`Rejection::Evidence`].
    pub fn add_evidence(&mut self, evidence: &Equivocation) -> Result<(), Rejection> {
        let seat = evidence.seat;
        if seat >= self.config.quorum.n() {
            return Err(Rejection::NoSuchSeat(seat));
        }
        // The verifier knows the keys by seat: here only their number matters.
        let keys = vec![[0; 32]; usize::from(self.config.quorum.n())];
        let (epoch, digest) = (self.config.epoch, &self.config.config_digest);
        let verify = |signature: &Signature, message: &Digest, _: &[u8; 32]| {
            self.keys.verify_attestation(seat, message, signature)
        };
        let checked = evidence.check::<Native>(epoch, digest, &keys, verify);
        checked.map_err(Rejection::Evidence)?;
        self.keep_attestation(seat, evidence.first, evidence.first_signature);
        self.keep_attestation(seat, evidence.second, evidence.second_signature);
        Ok(())
    }

    /// The charges against each seat that is guilty of something.
    pub fn verdicts(&self) -> Verdicts {
        charge::verdicts(self)
    }

    /// The positions at which quorums committed to different values: agreement was broken.
    pub fn conflicts(&self) -> impl Iterator<Item = Position> + '_ {
        let broken = self.decided.iter().filter(|(_, values)| values.len() > 1);
        broken.map(|(position, _)| *position)
    }

    /// How many seats at least lied where agreement was broken: as many as two quorums share,
    /// 9 of 23. Fewer convictions mean that messages are missing here.
    pub fn least_culprits(&self) -> usize {
        let quorum = &self.config.quorum;
        usize::from(quorum.size()).saturating_mul(2).saturating_sub(usize::from(quorum.n()))
    }

    fn check_kind(&self, kind: Kind) -> Result<(), Rejection> {
        match kind {
            Kind::Proposal | Kind::Prepared | Kind::Committed => Ok(()),
            Kind::Timeout | Kind::Pledge => Err(Rejection::NoRule(kind)),
        }
    }

    fn check_statement(
        &self,
        seat: Seat,
        statement: &Statement,
        signature: &Signature,
    ) -> Result<(), Rejection> {
        if seat >= self.config.quorum.n() {
            return Err(Rejection::NoSuchSeat(seat));
        }
        let message = statement.message(&self.config.config_digest);
        match self.keys.verify(seat, &message, signature) {
            true => Ok(()),
            false => Err(Rejection::BadSignature(seat)),
        }
    }

    // As the nodes check it, but with a reason, and never with a seeded bug.
    fn check_certificate(&self, certificate: &QuorumCertificate) -> Result<(), Rejection> {
        self.check_kind(certificate.statement.kind)?;
        let expected = self.config.quorum.size();
        let found = certificate.signatures.len();
        if found != usize::from(expected) {
            return Err(Rejection::WrongSignatureCount { expected, found });
        }
        let signers = certificate.signers;
        let strangers = u64::from(signers) >> self.config.quorum.n() != 0;
        if strangers || signers.count_ones() != u32::from(expected) {
            return Err(Rejection::WrongSigners);
        }
        let mut shares = certificate.seats().zip(&certificate.signatures);
        shares.try_for_each(|(seat, signature)| {
            self.check_statement(seat, &certificate.statement, signature)
        })
    }

    fn keep(&mut self, seat: Seat, signed: Signed) {
        let Statement { kind, position, view, digest } = signed.statement;
        let place = self.statements.entry((seat, kind, position, view)).or_default();
        place.entry(digest).or_insert(signed.signature);
    }

    fn keep_certificate(&mut self, certificate: &QuorumCertificate) {
        let statement = certificate.statement;
        for (seat, signature) in certificate.seats().zip(&certificate.signatures) {
            self.keep(seat, Signed { statement, signature: *signature });
        }
        if statement.kind == Kind::Committed {
            self.decided.entry(statement.position).or_default().insert(statement.digest);
        }
    }

    fn keep_pledge(&mut self, pledge: &Pledge) {
        self.pledges.entry(pledge.seat).or_default().insert(pledge.clone());
    }

    fn keep_attestation(&mut self, seat: Seat, report: Report, signature: Signature) {
        let slot = self.attested.entry((seat, report.feed, report.slot)).or_default();
        slot.entry(report.digest::<Native>()).or_insert((report, signature));
    }
}
