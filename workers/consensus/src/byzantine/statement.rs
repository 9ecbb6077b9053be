//! What nodes sign while they agree, and quorums of such signatures.

use crate::epoch::Closed;
use crate::io::Keys;
use crate::mutant::Mutant;
use crate::types::{Config, Position, Seat, View};
use cicada_core::certificate::Signature;
use cicada_core::hash::{Digest, Hasher, Native};
use parity_scale_codec::{Decode, Encode};
use std::collections::BTreeMap;

/// The kinds of statements. Each has a tag of its own, so that none passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Kind {
    /// "Let us go on to this view." No position, no digest.
    Timeout,
    /// 1b: "I vote in no lower view, and these are my locks." The digest is that of the locks,
    /// the position the last one that I know to be decided.
    Pledge,
    /// 1c: "As the leader of this view I propose this value."
    Proposal,
    /// 2av: "I find this value valid and safe in this view."
    Prepared,
    /// 2b: "I have seen that a quorum prepared it."
    Committed,
}

impl Kind {
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Timeout => b"cicada71/timeout/v1",
            Self::Pledge => b"cicada71/1b/v1",
            Self::Proposal => b"cicada71/1c/v1",
            Self::Prepared => b"cicada71/2av/v1",
            Self::Committed => b"cicada71/2b/v1",
        }
    }
}

/// What a signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Statement {
    /// Which kind.
    pub kind: Kind,
    /// Where in the log.
    pub position: Position,
    /// In which view.
    pub view: View,
    /// The digest of the value.
    pub digest: Digest,
}

impl Statement {
    /// A wish to enter a view.
    pub fn timeout(view: View) -> Self {
        Self { kind: Kind::Timeout, position: 0, view, digest: Digest::ZERO }
    }

    /// The message that is signed: SHA-256 over tag, configuration digest, position, view and
    /// digest.
    pub fn message(&self, config_digest: &Digest) -> Digest {
        let (position, view) = (self.position.to_le_bytes(), self.view.to_le_bytes());
        Native::sha256(
            &[self.kind.tag(), &config_digest.0, &position, &view, &self.digest.0].concat(),
        )
    }

    pub(crate) fn sign(&self, config: &Config, keys: &impl Keys) -> Signature {
        keys.sign(&self.message(&config.config_digest))
    }

    pub(crate) fn verify(
        &self,
        config: &Config,
        keys: &impl Keys,
        seat: Seat,
        signature: &Signature,
    ) -> bool {
        config.mutated(Mutant::SkipShareCheck)
            || keys.verify(seat, &self.message(&config.config_digest), signature)
    }
}

/// A statement that exactly a quorum has signed.
///
/// Any quorum will do, so one statement has many certificates: their bytes are no identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct QuorumCertificate {
    /// What was signed.
    pub statement: Statement,
    /// Bit `i` is set if seat `i` signed.
    pub signers: u32,
    /// The signatures, in ascending order of their seats.
    pub signatures: Vec<Signature>,
}

impl QuorumCertificate {
    /// Builds a certificate from shares that were verified; `None` while there are too few.
    pub fn assemble(
        config: &Config,
        statement: Statement,
        shares: &BTreeMap<Seat, Signature>,
    ) -> Option<Self> {
        let size = usize::from(config.quorum_size());
        let chosen = shares.iter().take(size);
        let signers = chosen.clone().fold(0u32, |bits, (seat, _)| bits | 1 << seat);
        let signatures: Vec<Signature> = chosen.map(|(_, share)| *share).collect();
        (signatures.len() == size).then_some(Self { statement, signers, signatures })
    }

    /// The seats that signed, ascending.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + Clone + '_ {
        (0u8..32).filter(|seat| self.signers >> seat & 1 == 1)
    }

    /// Whether it is what it claims: of this kind, with the signatures of exactly a quorum of
    /// different seats. Cheapest tests first.
    pub fn genuine(&self, kind: Kind, config: &Config, keys: &impl Keys) -> bool {
        if config.mutated(Mutant::SkipCertificateCheck) {
            return self.statement.kind == kind;
        }
        let own = |seat, message: &Digest, share: &Signature| keys.verify(seat, message, share);
        let size = usize::from(config.quorum_size());
        let (n, digest) = (config.quorum.n(), &config.config_digest);
        let earlier = |closed: &Closed| self.genuine_in(kind, closed, config, keys);
        self.signed_by(kind, config, (size, n, digest), own)
            || config.mutated(Mutant::CountOldVotes) && config.closed.iter().any(earlier)
    }

    /// Whether it proves a decision: of the committee to whose epoch the position belongs.
    pub fn decides(&self, config: &Config, keys: &impl Keys) -> bool {
        match config.closed_at(self.statement.position) {
            Some(_) if config.mutated(Mutant::BelieveClosed) => true,
            Some(closed) => self.genuine_in(Kind::Committed, closed, config, keys),
            None => self.genuine(Kind::Committed, config, keys),
        }
    }

    /// Whether its first signature is one of this committee. That tells own records, which were
    /// verified before they were written, from those of another epoch.
    pub(crate) fn is_own(&self, config: &Config, keys: &impl Keys) -> bool {
        let message = self.statement.message(&config.config_digest);
        let mut shares = self.seats().zip(&self.signatures);
        shares.next().is_some_and(|(seat, share)| keys.verify(seat, &message, share))
    }

    // The same as `genuine`, under the committee of an earlier epoch.
    fn genuine_in(&self, kind: Kind, closed: &Closed, config: &Config, keys: &impl Keys) -> bool {
        let epoch = closed.epoch;
        let verify = |seat, message: &Digest, share: &Signature| {
            keys.verify_earlier(epoch, seat, message, share)
        };
        let size = usize::from(closed.quorum.size());
        self.signed_by(kind, config, (size, closed.quorum.n(), &closed.config_digest), verify)
    }

    // Exactly `size` of `n` seats have signed it under a configuration digest.
    fn signed_by(
        &self,
        kind: Kind,
        config: &Config,
        (size, n, config_digest): (usize, u8, &Digest),
        verify: impl Fn(Seat, &Digest, &Signature) -> bool,
    ) -> bool {
        let seats = usize::try_from(self.signers.count_ones()).unwrap_or(usize::MAX);
        let counted = seats == size || config.mutated(Mutant::CountSignerTwice);
        let well_formed = (self.statement.kind == kind || config.mutated(Mutant::MixKinds))
            && self.signatures.len() == size
            && counted
            && u64::from(self.signers) >> n == 0;
        let message = self.statement.message(config_digest);
        let mut shares = self.seats().cycle().zip(&self.signatures);
        well_formed
            && self.signers != 0
            && shares.all(|(seat, share)| verify(seat, &message, share))
    }
}
