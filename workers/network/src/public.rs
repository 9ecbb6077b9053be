//! The public keys of a committee, decoded once.

use crate::keys::{attestation_is_of, attestation_key, consensus_is_of, SR25519_CONTEXT};
use cicada_core::certificate::{Certificate, Signature};
use cicada_core::committee::Member;
use cicada_core::hash::Digest;

/// The public keys of a committee by seat, ready for use: decoding one takes a tenth of the time
/// of a verification. Nothing is a signature of a seat whose key is no point of its curve.
#[derive(Clone, Debug)]
pub struct PublicKeys(Vec<Keys>);

#[derive(Clone, Debug)]
struct Keys {
    consensus: Option<ed25519_dalek::VerifyingKey>,
    attestation: Option<schnorrkel::PublicKey>,
}

impl PublicKeys {
    /// The keys of these members, who are in seat order.
    pub fn new(members: &[Member]) -> Self {
        let decode = |member: &Member| Keys {
            consensus: ed25519_dalek::VerifyingKey::from_bytes(&member.consensus_key).ok(),
            attestation: attestation_key(&member.attestation_key),
        };
        Self(members.iter().map(decode).collect())
    }

    fn attestation(&self, seat: u8) -> Option<&schnorrkel::PublicKey> {
        self.0.get(usize::from(seat))?.attestation.as_ref()
    }

    /// As [`crate::verify_consensus`], with the key of a seat.
    pub fn verify_consensus(&self, seat: u8, message: &[u8], signature: &Signature) -> bool {
        let key = self.0.get(usize::from(seat)).and_then(|keys| keys.consensus.as_ref());
        key.is_some_and(|key| consensus_is_of(key, message, signature))
    }

    /// As [`crate::verify_attestation`], with the key of a seat.
    pub fn verify_attestation(&self, seat: u8, message: &Digest, signature: &Signature) -> bool {
        let key = self.attestation(seat);
        key.is_some_and(|key| attestation_is_of(key, message, signature))
    }

    /// Whether all signatures of a certificate are attestations of its seats, verified as one
    /// batch: half the work, and no other answer than one by one, but for a chance of 2⁻¹²⁸ that
    /// nobody can steer. Which one is wrong stays unknown. Check the form of the certificate first:
    /// as many signatures as seats.
    pub fn verify_certificate(&self, certificate: &Certificate, message: &Digest) -> bool {
        let keys = certificate.seats().map(|seat| self.attestation(seat).copied());
        let signatures = certificate.signatures.iter();
        let signatures = signatures.map(|bytes| schnorrkel::Signature::from_bytes(bytes).ok());
        let (Some(keys), Some(signatures)) =
            (keys.collect::<Option<Vec<_>>>(), signatures.collect::<Option<Vec<_>>>())
        else {
            return false;
        };
        // The library panics at different lengths.
        if keys.is_empty() || keys.len() != signatures.len() {
            return false;
        }
        let context = schnorrkel::signing_context(SR25519_CONTEXT);
        let transcripts = keys.iter().map(|_| context.bytes(&message.0));
        schnorrkel::verify_batch(transcripts, &signatures, &keys, false).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeKeys;

    const MESSAGE: Digest = Digest([7; 32]);

    fn committee(n: u8) -> (Vec<NodeKeys>, PublicKeys) {
        let dir = tempfile::tempdir().unwrap();
        let make = |seat| NodeKeys::generate(&dir.path().join(format!("{seat}"))).unwrap();
        let secret: Vec<NodeKeys> = (0..n).map(make).collect();
        let members: Vec<Member> = secret.iter().map(NodeKeys::member).collect();
        (secret, PublicKeys::new(&members))
    }

    fn certificate(secret: &[NodeKeys], seats: &[usize]) -> Certificate {
        Certificate {
            scheme: 1,
            epoch: 1,
            signers: seats.iter().fold(0, |bits, seat| bits | 1 << seat),
            signatures: seats.iter().map(|seat| secret[*seat].attest(&MESSAGE)).collect(),
        }
    }

    #[test]
    fn a_seat_has_its_own_key_and_a_stranger_none() {
        let (secret, public) = committee(2);
        let (signed, attested) = (secret[1].sign(&MESSAGE.0), secret[1].attest(&MESSAGE));
        assert!(public.verify_consensus(1, &MESSAGE.0, &signed));
        assert!(public.verify_attestation(1, &MESSAGE, &attested));
        for (seat, message) in [(0, &MESSAGE), (2, &MESSAGE), (1, &Digest([8; 32]))] {
            assert!(!public.verify_consensus(seat, &message.0, &signed));
            assert!(!public.verify_attestation(seat, message, &attested));
        }
    }

    #[test]
    fn a_key_that_is_none_verifies_nothing() {
        let (secret, _) = committee(2);
        let mut members: Vec<Member> = secret.iter().map(NodeKeys::member).collect();
        // Neither encodes a point.
        assert!(ed25519_dalek::VerifyingKey::from_bytes(&[2; 32]).is_err());
        assert!(schnorrkel::PublicKey::from_bytes(&[255; 32]).is_err());
        members[1].attestation_key = [255; 32];
        members[1].consensus_key = [2; 32];
        let public = PublicKeys::new(&members);
        assert!(!public.verify_consensus(1, &MESSAGE.0, &secret[1].sign(&MESSAGE.0)));
        assert!(!public.verify_certificate(&certificate(&secret, &[0, 1]), &MESSAGE));
        assert!(public.verify_certificate(&certificate(&secret, &[0]), &MESSAGE));
    }

    #[test]
    fn the_key_of_zeros_verifies_nothing() {
        let (secret, _) = committee(2);
        let mut members: Vec<Member> = secret.iter().map(NodeKeys::member).collect();
        members[1].attestation_key = [0; 32];
        let public = PublicKeys::new(&members);
        // Valid for the key of zeros by the rules of the curve.
        let mut zeros = [0; 64];
        zeros[63] = 0x80;
        let zero_key = schnorrkel::PublicKey::from_bytes(&[0; 32]).unwrap();
        assert!(crate::keys::attestation_is_of(&zero_key, &MESSAGE, &zeros));
        assert!(!crate::verify_attestation(&zeros, &MESSAGE, &[0; 32]));
        assert!(!public.verify_attestation(1, &MESSAGE, &zeros));
        let mut forged = certificate(&secret, &[0, 1]);
        forged.signatures[1] = zeros;
        assert!(!public.verify_certificate(&forged, &MESSAGE));
    }

    #[test]
    fn a_batch_says_what_its_signatures_say_one_by_one() {
        let (secret, public) = committee(6);
        let good = certificate(&secret, &[0, 2, 3, 5]);
        assert!(public.verify_certificate(&good, &MESSAGE));
        assert!(!public.verify_certificate(&good, &Digest([8; 32])), "another message");
        let one_by_one = |certificate: &Certificate| {
            let mut shares = certificate.seats().zip(&certificate.signatures);
            shares.all(|(seat, share)| public.verify_attestation(seat, &MESSAGE, share))
        };
        // Every bit of one signature, among them the sign bits, the marker and what lies above
        // the order of the group.
        for bit in 0..512 {
            let mut bad = good.clone();
            bad.signatures[1][bit / 8] ^= 1 << (bit % 8);
            assert!(!one_by_one(&bad) && !public.verify_certificate(&bad, &MESSAGE), "bit {bit}");
        }
        let mut swapped = good.clone();
        swapped.signatures.swap(0, 1);
        let mut twice = good.clone();
        twice.signatures[1] = twice.signatures[0];
        let mut other_seat = good.clone();
        other_seat.signers = 0b101011;
        let mut unknown_seat = good.clone();
        unknown_seat.signers = 0b1001101;
        for bad in [swapped, twice, other_seat, unknown_seat] {
            assert!(!one_by_one(&bad) && !public.verify_certificate(&bad, &MESSAGE), "{bad:?}");
        }
    }

    #[test]
    fn as_many_signatures_as_seats_or_none_is_good() {
        let (secret, public) = committee(4);
        let good = certificate(&secret, &[0, 1, 2]);
        let (mut fewer, mut more) = (good.clone(), good.clone());
        fewer.signatures.pop();
        more.signatures.push(secret[3].attest(&MESSAGE));
        let none = Certificate { signers: 0, signatures: Vec::new(), ..good };
        for bad in [fewer, more, none] {
            assert!(!public.verify_certificate(&bad, &MESSAGE));
        }
    }
}
