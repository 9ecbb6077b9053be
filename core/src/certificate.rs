//! The signatures under a report, and their verification.

use crate::arrays;
use crate::committee::AttestationKey;
use crate::hash::Digest;
use crate::quorum::{Quorum, MAX_COMMITTEE};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error as CodecError, Input, Output};

/// sr25519 over the context `substrate`, the scheme that `pallet-contracts` verifies natively.
pub const SCHEME_SR25519: u8 = 1;

/// A signature of an attestation key.
pub type Signature = [u8; 64];

/// Signatures of exactly a quorum of one committee under one message.
///
/// Any quorum will do, so one report has many certificates: never use the bytes or the hash
/// of a certificate as an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Certificate {
    /// The signature scheme: [`SCHEME_SR25519`].
    pub scheme: u8,
    /// The committee that signed.
    pub epoch: u32,
    /// Bit `i` is set if seat `i` signed.
    pub signers: u32,
    /// The signatures, in ascending order of their seats.
    pub signatures: Vec<Signature>,
}

// As derived, but the signatures are copied as one block: a contract pays for every step.
impl Encode for Certificate {
    fn size_hint(&self) -> usize {
        16usize.saturating_add(self.signatures.as_flattened().len())
    }

    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        (self.scheme, self.epoch, self.signers).encode_to(output);
        arrays::encode(&self.signatures, output);
    }
}

impl Decode for Certificate {
    fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
        let (scheme, epoch, signers) = Decode::decode(input)?;
        let signatures = arrays::decode(usize::from(MAX_COMMITTEE), input)?;
        Ok(Self { scheme, epoch, signers, signatures })
    }
}

/// Why a certificate is not valid. Checked in this order, the cheapest first, but for
/// [`CertificateError::BarredSigner`], which comes before the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum CertificateError {
    /// The scheme is not known here.
    UnknownScheme,
    /// Not exactly a quorum of signatures.
    WrongSignatureCount {
        /// The size of the quorum.
        expected: u8,
    },
    /// A bit beyond the last seat is set.
    UnknownSigner,
    /// There are more signatures than seats that signed, or fewer: a signer counted twice.
    RepeatedSigner,
    /// Signed by another committee than the one in office.
    WrongEpoch {
        /// The epoch in office.
        expected: u32,
    },
    /// The signature of this seat is not one of its key under this message.
    BadSignature {
        /// The seat.
        seat: u8,
    },
    /// This seat has lost its voice for the epoch.
    BarredSigner {
        /// The seat.
        seat: u8,
    },
}

impl Certificate {
    /// Builds a certificate from attestations in any order: of each seat the first, of the
    /// seats the lowest, exactly a quorum. `None` while there are too few.
    pub fn assemble(
        epoch: u32,
        quorum: &Quorum,
        attestations: impl IntoIterator<Item = (u8, Signature)>,
    ) -> Option<Self> {
        let mut by_seat: [Option<Signature>; 32] = [None; 32];
        for (seat, signature) in attestations {
            if seat < quorum.n() {
                if let Some(place) = by_seat.get_mut(usize::from(seat)) {
                    place.get_or_insert(signature);
                }
            }
        }
        let mut certificate = Self {
            scheme: SCHEME_SR25519,
            epoch,
            signers: 0,
            signatures: Vec::with_capacity(usize::from(quorum.size())),
        };
        let present = (0u32..).zip(by_seat).filter_map(|(seat, s)| Some((seat, s?)));
        for (seat, signature) in present.take(usize::from(quorum.size())) {
            certificate.signers |= 1 << seat;
            certificate.signatures.push(signature);
        }
        (certificate.signatures.len() == usize::from(quorum.size())).then_some(certificate)
    }

    /// A certificate of the same report without the seats of `barred`, one bit each, from this one
    /// and `more` attestations. `None` if there are too few. No signature is verified.
    pub fn without(
        &self,
        barred: u32,
        quorum: &Quorum,
        more: impl IntoIterator<Item = (u8, Signature)>,
    ) -> Option<Self> {
        let own = self.seats().zip(self.signatures.iter().copied());
        let has_voice = |(seat, _): &(u8, Signature)| {
            barred.checked_shr(u32::from(*seat)).is_none_or(|bits| bits & 1 == 0)
        };
        Self::assemble(self.epoch, quorum, own.chain(more).filter(has_voice))
    }

    /// The seats that signed, ascending.
    pub fn seats(&self) -> impl Iterator<Item = u8> + '_ {
        (0u8..32).filter(|seat| self.signers >> seat & 1 == 1)
    }

    /// Checks everything that needs no signature work: scheme, count, seats and epoch.
    ///
    /// # Errors
    /// [`CertificateError`], all but [`CertificateError::BadSignature`] and
    /// [`CertificateError::BarredSigner`].
    pub fn check_form(&self, epoch: u32, quorum: &Quorum) -> Result<(), CertificateError> {
        if self.scheme != SCHEME_SR25519 {
            return Err(CertificateError::UnknownScheme);
        }
        let expected = quorum.size();
        if self.signatures.len() != usize::from(expected) {
            return Err(CertificateError::WrongSignatureCount { expected });
        }
        if u64::from(self.signers) >> quorum.n() != 0 {
            return Err(CertificateError::UnknownSigner);
        }
        if self.signers.count_ones() != u32::from(expected) {
            return Err(CertificateError::RepeatedSigner);
        }
        if self.epoch != epoch {
            return Err(CertificateError::WrongEpoch { expected: epoch });
        }
        Ok(())
    }

    /// Checks that no barred seat signed; bit `i` of `barred` stands for seat `i`. Who assembles a
    /// certificate leaves their signatures out.
    ///
    /// # Errors
    /// [`CertificateError::BarredSigner`] with the lowest such seat.
    pub fn check_barred(&self, barred: u32) -> Result<(), CertificateError> {
        let found = self.signers & barred;
        if found == 0 {
            return Ok(());
        }
        // A word that is not 0 has at most 31 zeros before the first one.
        let seat = u8::try_from(found.trailing_zeros()).unwrap_or_default();
        Err(CertificateError::BarredSigner { seat })
    }

    /// Verifies the signatures under `message`; `keys` are the committee's in seat order,
    /// `verify` checks one signature. Call [`Self::check_form`] first.
    ///
    /// # Errors
    /// [`CertificateError::BadSignature`] with the first seat that fails.
    pub fn check_signatures(
        &self,
        message: &Digest,
        keys: &[AttestationKey],
        verify: impl Fn(&Signature, &Digest, &AttestationKey) -> bool,
    ) -> Result<(), CertificateError> {
        for (seat, signature) in self.seats().zip(&self.signatures) {
            let valid =
                keys.get(usize::from(seat)).is_some_and(|key| verify(signature, message, key));
            if !valid {
                return Err(CertificateError::BadSignature { seat });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quorum::FaultModel;
    use parity_scale_codec::DecodeAll;
    use proptest::prelude::*;

    const MESSAGE: Digest = Digest([9; 32]);

    // A stand-in that is enough for the rules here: the key, twice. Real signatures are
    // verified in the tests of the contracts and of the workers.
    fn sign(seat: u8) -> Signature {
        [seat; 64]
    }

    fn verify(signature: &Signature, message: &Digest, key: &AttestationKey) -> bool {
        *message == MESSAGE && signature[..32] == key[..] && signature[32..] == key[..]
    }

    fn quorum() -> Quorum {
        Quorum::of(FaultModel::Byzantine, 23).unwrap()
    }

    fn keys() -> Vec<AttestationKey> {
        (0..23).map(|seat| [seat; 32]).collect()
    }

    fn certificate() -> Certificate {
        Certificate::assemble(3, &quorum(), (0..23).map(|s| (s, sign(s)))).unwrap()
    }

    fn check(certificate: &Certificate) -> Result<(), CertificateError> {
        certificate.check_form(3, &quorum())?;
        certificate.check_signatures(&MESSAGE, &keys(), verify)
    }

    proptest! {
        #[test]
        fn seven_barred_seats_are_replaced_and_eight_are_not(
            barred in prop::collection::btree_set(0u8..23, 0..9)
        ) {
            let bits = barred.iter().fold(0u32, |bits, seat| bits | 1 << seat);
            let more = || (0..23).map(|seat| (seat, sign(seat)));
            let replaced = certificate().without(bits, &quorum(), more());
            prop_assert_eq!(replaced.is_some(), barred.len() <= 7);
            if let Some(replaced) = replaced {
                prop_assert_eq!(replaced.signers & bits, 0);
                prop_assert_eq!(check(&replaced), Ok(()));
            }
            let alone = certificate().without(bits, &quorum(), []);
            prop_assert_eq!(alone.is_some(), bits & 0xffff == 0);
        }
    }

    #[test]
    fn a_certificate_holds_exactly_a_quorum() {
        assert_eq!(certificate().signatures.len(), 16);
        assert_eq!(certificate().encode().len(), 1 + 4 + 4 + 1 + 16 * 64);
        assert_eq!(check(&certificate()), Ok(()));
        let fifteen = Certificate::assemble(3, &quorum(), (0..15).map(|s| (s, sign(s))));
        assert_eq!(fifteen, None);
        let twice = (0..15).chain(0..15).map(|s| (s, sign(s)));
        assert_eq!(Certificate::assemble(3, &quorum(), twice), None);
        let strangers = (0..15).chain(23..=255).map(|s| (s, sign(s)));
        assert_eq!(Certificate::assemble(3, &quorum(), strangers), None);
    }

    #[test]
    fn every_forgery_has_its_own_error() {
        let broken = |change: fn(&mut Certificate)| {
            let mut certificate = certificate();
            change(&mut certificate);
            check(&certificate)
        };
        assert_eq!(broken(|c| c.scheme = 2), Err(CertificateError::UnknownScheme));
        assert_eq!(
            broken(|c| c.signatures.truncate(15)),
            Err(CertificateError::WrongSignatureCount { expected: 16 })
        );
        assert_eq!(
            broken(|c| c.signatures.push([0; 64])),
            Err(CertificateError::WrongSignatureCount { expected: 16 })
        );
        assert_eq!(
            broken(|c| c.signers = c.signers & !1 | 1 << 23),
            Err(CertificateError::UnknownSigner)
        );
        // Fifteen seats under sixteen signatures: one signed twice.
        assert_eq!(broken(|c| c.signers &= !1), Err(CertificateError::RepeatedSigner));
        assert_eq!(broken(|c| c.epoch = 2), Err(CertificateError::WrongEpoch { expected: 3 }));
        assert_eq!(
            broken(|c| c.signatures.swap(4, 5)),
            Err(CertificateError::BadSignature { seat: 4 })
        );
        assert_eq!(
            certificate().check_signatures(&Digest::ZERO, &keys(), verify),
            Err(CertificateError::BadSignature { seat: 0 })
        );
        assert_eq!(
            certificate().check_signatures(&MESSAGE, &keys()[..3], verify),
            Err(CertificateError::BadSignature { seat: 3 })
        );
    }

    #[test]
    fn a_barred_seat_signs_nothing_and_sixteen_others_do() {
        assert_eq!(certificate().check_barred(0), Ok(()));
        let barred = 1 << 5 | 1 << 22;
        let error = certificate().check_barred(barred);
        assert_eq!(error, Err(CertificateError::BarredSigner { seat: 5 }));
        let others = (0..22).filter(|seat| *seat != 5).map(|s| (s, sign(s)));
        let others = Certificate::assemble(3, &quorum(), others).unwrap();
        assert_eq!((others.check_barred(barred), check(&others)), (Ok(()), Ok(())));
    }

    #[test]
    fn the_encoding_is_the_derived_one_and_bounded() {
        let c = certificate();
        let derived = (c.scheme, c.epoch, c.signers, c.signatures.clone()).encode();
        assert_eq!(c.encode(), derived);
        assert_eq!(Certificate::decode_all(&mut &derived[..]), Ok(c.clone()));
        assert!(Certificate::decode_all(&mut &derived[..derived.len() - 1]).is_err());
        let many = (c.scheme, c.epoch, c.signers, alloc::vec![[0u8; 64]; 33]).encode();
        assert!(Certificate::decode(&mut &many[..]).is_err());
    }

    proptest! {
        #[test]
        fn any_quorum_in_any_order_makes_a_valid_certificate(
            order in Just((0u8..23).collect::<Vec<_>>()).prop_shuffle(),
            count in 0usize..=23,
        ) {
            let some = order.iter().take(count).map(|s| (*s, sign(*s)));
            match Certificate::assemble(3, &quorum(), some) {
                Some(certificate) => {
                    prop_assert!(count >= 16);
                    prop_assert_eq!(check(&certificate), Ok(()));
                    prop_assert!(certificate.seats().all(|s| order[..count].contains(&s)));
                }
                None => prop_assert!(count < 16),
            }
        }
    }
}
