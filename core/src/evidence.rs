//! Evidence against a node: two reports that it attested for one slot.
//!
//! A correct node attests one report per slot of a feed and epoch, ever. Of all that nodes can
//! be caught at, this is what a contract can verify: attestations are sr25519.

use crate::certificate::Signature;
use crate::committee::AttestationKey;
use crate::hash::{tagged, Digest, Hasher};
use crate::report::Report;
use parity_scale_codec::{Decode, Encode};

const EVIDENCE_TAG: &[u8] = b"cicada71/evidence/v1";

/// One seat's signatures under two different reports of one slot of a feed.
///
/// Whoever holds two such attestations can build it. It names them in one order only, so that
/// it has one [`digest`](Self::digest), by which a contract knows what it has punished already.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Equivocation {
    /// The committee in which the seat signed.
    pub epoch: u32,
    /// The seat that signed both.
    pub seat: u8,
    /// The report with the smaller digest.
    pub first: Report,
    /// The seat's attestation of it.
    pub first_signature: Signature,
    /// The report with the greater digest.
    pub second: Report,
    /// The seat's attestation of it.
    pub second_signature: Signature,
}

/// Why evidence convicts nobody. Checked in this order, the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum EvidenceError {
    /// It is about another committee.
    WrongEpoch {
        /// The epoch asked about.
        expected: u32,
    },
    /// The committee has no such seat.
    UnknownSeat,
    /// The reports are of two feeds.
    DifferentFeeds,
    /// The reports are of two slots.
    DifferentSlots,
    /// It is the same report twice.
    SameReport,
    /// The report with the greater digest stands first.
    WrongOrder,
    /// The first signature is not one of the seat's key under the first report.
    BadFirstSignature,
    /// The second signature is not one of the seat's key under the second report.
    BadSecondSignature,
}

impl Equivocation {
    /// Brings two attestations of one seat into the canonical order. It may still be no
    /// evidence; [`check`](Self::check) tells.
    pub fn new<H: Hasher>(
        epoch: u32,
        seat: u8,
        one: (Report, Signature),
        other: (Report, Signature),
    ) -> Self {
        let ordered = one.0.digest::<H>() <= other.0.digest::<H>();
        let (first, second) = if ordered { (one, other) } else { (other, one) };
        Self {
            epoch,
            seat,
            first: first.0,
            first_signature: first.1,
            second: second.0,
            second_signature: second.1,
        }
    }

    /// The identity of the offence. Signatures are not in it: there are many of one key under
    /// one message, and none of them makes it another offence. A seat that attested three
    /// reports of a slot leaves three pieces of evidence; a contract that wants to count them
    /// as one goes by epoch, seat, feed and slot.
    pub fn digest<H: Hasher>(&self) -> Digest {
        let reports = (self.first.digest::<H>(), self.second.digest::<H>());
        tagged::<H>(EVIDENCE_TAG, &(self.epoch, self.seat, reports))
    }

    /// Checks that the seat is guilty. `epoch`, `config_digest` and `keys` (in seat order) are
    /// of one committee, in office or gone; `verify` checks one signature.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn check<H: Hasher>(
        &self,
        epoch: u32,
        config_digest: &Digest,
        keys: &[AttestationKey],
        verify: impl Fn(&Signature, &Digest, &AttestationKey) -> bool,
    ) -> Result<(), EvidenceError> {
        if self.epoch != epoch {
            return Err(EvidenceError::WrongEpoch { expected: epoch });
        }
        let key = keys.get(usize::from(self.seat)).ok_or(EvidenceError::UnknownSeat)?;
        if self.first.feed != self.second.feed {
            return Err(EvidenceError::DifferentFeeds);
        }
        if self.first.slot != self.second.slot {
            return Err(EvidenceError::DifferentSlots);
        }
        if self.first == self.second {
            return Err(EvidenceError::SameReport);
        }
        if self.first.digest::<H>() >= self.second.digest::<H>() {
            return Err(EvidenceError::WrongOrder);
        }
        let signed = |report: &Report, signature: &Signature| {
            verify(signature, &report.attestation_message::<H>(config_digest), key)
        };
        if !signed(&self.first, &self.first_signature) {
            return Err(EvidenceError::BadFirstSignature);
        }
        if !signed(&self.second, &self.second_signature) {
            return Err(EvidenceError::BadSecondSignature);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::report::{Feed, ReportKind, REPORT_VERSION};
    use crate::Account;
    use alloc::vec::Vec;
    use parity_scale_codec::DecodeAll;
    use proptest::prelude::*;

    const CONFIG: Digest = Digest([7; 32]);
    const EPOCH: u32 = 3;

    fn keys() -> Vec<AttestationKey> {
        (0..23).map(|seat| [seat; 32]).collect()
    }

    // A stand-in that binds key and message; contracts and workers test real signatures.
    fn sign(seat: u8, report: &Report) -> Signature {
        let message = report.attestation_message::<Native>(&CONFIG);
        let mut signature = [seat; 64];
        signature[..32].copy_from_slice(&message.0);
        signature
    }

    fn verify(signature: &Signature, message: &Digest, key: &AttestationKey) -> bool {
        signature[..32] == message.0[..] && signature[32..] == key[..]
    }

    fn report(root: u8) -> Report {
        Report {
            version: REPORT_VERSION,
            feed: Feed { kind: ReportKind::Leaderboard, contract: Account([3; 32]) },
            slot: 5,
            previous: Digest([4; 32]),
            time_ms: 1_000,
            leaf_count: 1,
            root: Digest([root; 32]),
        }
    }

    fn evidence(one: Report, other: Report) -> Equivocation {
        let attested = |report: Report| (report, sign(9, &report));
        Equivocation::new::<Native>(EPOCH, 9, attested(one), attested(other))
    }

    fn check(evidence: &Equivocation) -> Result<(), EvidenceError> {
        evidence.check::<Native>(EPOCH, &CONFIG, &keys(), verify)
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let broken = |change: fn(&mut Equivocation)| {
            let mut evidence = evidence(report(1), report(2));
            change(&mut evidence);
            check(&evidence)
        };
        assert_eq!(broken(|_| ()), Ok(()));
        assert_eq!(broken(|e| e.epoch = 2), Err(EvidenceError::WrongEpoch { expected: EPOCH }));
        assert_eq!(broken(|e| e.seat = 23), Err(EvidenceError::UnknownSeat));
        assert_eq!(
            broken(|e| e.second.feed.kind = ReportKind::Nav),
            Err(EvidenceError::DifferentFeeds)
        );
        assert_eq!(broken(|e| e.second.slot = 6), Err(EvidenceError::DifferentSlots));
        assert_eq!(broken(|e| e.second = e.first), Err(EvidenceError::SameReport));
        let swap = |e: &mut Equivocation| core::mem::swap(&mut e.first, &mut e.second);
        assert_eq!(broken(swap), Err(EvidenceError::WrongOrder));
        assert_eq!(broken(|e| e.seat = 8), Err(EvidenceError::BadFirstSignature));
        assert_eq!(broken(|e| e.first_signature[0] ^= 1), Err(EvidenceError::BadFirstSignature));
        assert_eq!(broken(|e| e.second_signature[0] ^= 1), Err(EvidenceError::BadSecondSignature));
    }

    #[test]
    fn signatures_of_another_committee_do_not_count() {
        let evidence = evidence(report(1), report(2));
        assert_eq!(
            evidence.check::<Native>(EPOCH, &Digest([8; 32]), &keys(), verify),
            Err(EvidenceError::BadFirstSignature)
        );
        assert_eq!(
            evidence.check::<Native>(EPOCH, &CONFIG, &keys()[..9], verify),
            Err(EvidenceError::UnknownSeat)
        );
    }

    #[test]
    fn other_signatures_of_the_same_reports_are_no_other_offence() {
        let one = evidence(report(1), report(2));
        let mut again = one.clone();
        again.first_signature = [1; 64];
        assert_eq!(again.digest::<Native>(), one.digest::<Native>());
        for other in [
            Equivocation { epoch: 4, ..one.clone() },
            Equivocation { seat: 8, ..one.clone() },
            evidence(report(1), report(3)),
        ] {
            assert_ne!(other.digest::<Native>(), one.digest::<Native>());
        }
    }

    fn reports() -> impl Strategy<Value = Report> {
        (any::<[u8; 32]>(), any::<u64>(), any::<u32>(), any::<[u8; 32]>()).prop_map(
            |(root, time_ms, leaf_count, previous)| Report {
                time_ms,
                leaf_count,
                previous: Digest(previous),
                root: Digest(root),
                ..report(0)
            },
        )
    }

    proptest! {
        #[test]
        fn two_attestations_make_one_piece_of_evidence(one in reports(), other in reports()) {
            prop_assume!(one != other);
            let found = evidence(one, other);
            prop_assert_eq!(check(&found), Ok(()));
            prop_assert_eq!(&found, &evidence(other, one));
            prop_assert_eq!(evidence(one, one).check::<Native>(EPOCH, &CONFIG, &keys(), verify),
                Err(EvidenceError::SameReport));
            let bytes = found.encode();
            prop_assert_eq!(bytes.len(), 369);
            prop_assert_eq!(Equivocation::decode_all(&mut &bytes[..]), Ok(found));
        }

        #[test]
        fn no_bit_of_evidence_can_be_changed(
            one in reports(), other in reports(), place: prop::sample::Index, bit in 0u8..8,
        ) {
            prop_assume!(one != other);
            let mut bytes = evidence(one, other).encode();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let changed = Equivocation::decode_all(&mut &bytes[..]);
            prop_assert!(changed.map_or(true, |changed| check(&changed).is_err()));
        }
    }
}
