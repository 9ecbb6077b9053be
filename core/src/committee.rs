//! The keys of the nodes, and the digest that binds every signature to them.

use crate::arrays;
use crate::hash::{tagged, Digest, Hasher};
use crate::quorum::{Quorum, MAX_COMMITTEE};
use crate::Account;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error as CodecError, Input, Output};

/// An ed25519 public key: signs consensus messages between nodes.
pub type ConsensusKey = [u8; 32];

/// An sr25519 public key: signs the attestations that contracts verify.
pub type AttestationKey = [u8; 32];

const CONFIG_TAG: &[u8] = b"cicada71/config/v1";
const POSSESSION_TAG: &[u8] = b"cicada71/possession/v1";
const MEMBERS_TAG: &[u8] = b"cicada71/members/v1";

/// One seat of the committee. The seat's number is its position in the committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Member {
    /// The account that registered the keys and answers for them.
    pub operator: Account,
    /// Signs consensus messages.
    pub consensus_key: ConsensusKey,
    /// Signs attestations.
    pub attestation_key: AttestationKey,
}

/// Where a committee serves: the chain and the contract that keeps its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Domain {
    /// The genesis hash of the chain.
    pub genesis: Digest,
    /// The account of the `validators` contract.
    pub validators: Account,
}

impl Domain {
    /// What a node's attestation key signs to prove that its owner holds it, and that the
    /// owner wants `member.operator` to answer for both keys here and nowhere else.
    pub fn possession_statement<H: Hasher>(&self, member: &Member) -> Digest {
        tagged::<H>(POSSESSION_TAG, &(self, member))
    }

    /// The digest that every signature of an epoch binds: chain, contract, epoch, quorum and
    /// all keys in seat order. Another committee has another digest, so old signatures die.
    pub fn config_digest<H: Hasher>(
        &self,
        epoch: u32,
        quorum: &Quorum,
        members: &[Member],
    ) -> Digest {
        let keys: Vec<(ConsensusKey, AttestationKey)> =
            members.iter().map(|member| (member.consensus_key, member.attestation_key)).collect();
        tagged::<H>(CONFIG_TAG, &(self, epoch, quorum, quorum.size(), keys))
    }
}

/// The root of a report that changes the committee: binds the new members and the new quorum.
pub fn members_root<H: Hasher>(quorum: &Quorum, members: &[Member]) -> Digest {
    tagged::<H>(MEMBERS_TAG, &(quorum, members))
}

/// The attestation keys of a committee in seat order, packed for storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AttestationKeys(pub Vec<AttestationKey>);

impl Encode for AttestationKeys {
    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        arrays::encode(&self.0, output);
    }
}

impl Decode for AttestationKeys {
    fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
        Ok(Self(arrays::decode(usize::from(MAX_COMMITTEE), input)?))
    }
}

/// Why a list of members is no committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum CommitteeError {
    /// The quorum system is for another number of members.
    WrongSize,
    /// Two seats have the same operator or share a key.
    RepeatedMember,
}

/// Checks that `members` fill the seats of `quorum`, all different in operator and both keys.
///
/// # Errors
/// [`CommitteeError`].
pub fn check_members(quorum: &Quorum, members: &[Member]) -> Result<(), CommitteeError> {
    if members.len() != usize::from(quorum.n()) {
        return Err(CommitteeError::WrongSize);
    }
    // At most 32 members: the plain comparison of all pairs is the smallest code.
    for (seat, a) in members.iter().enumerate() {
        let repeated = members.iter().skip(seat.saturating_add(1)).any(|b| {
            a.operator == b.operator
                || a.consensus_key == b.consensus_key
                || a.attestation_key == b.attestation_key
        });
        if repeated {
            return Err(CommitteeError::RepeatedMember);
        }
    }
    Ok(())
}

/// The bit of a seat in a set of seats; none for a seat beyond the last of any committee.
pub fn seat_bit(seat: u8) -> u32 {
    1u32.checked_shl(u32::from(seat)).unwrap_or_default()
}

/// The seats that are silent when those in `more` fall silent too, the lowest first, but never so
/// many that the committee could certify nothing any more: also not the change that replaces it.
pub fn silence(quorum: &Quorum, silent: u32, more: u32) -> u32 {
    (0..quorum.n()).map(|seat| seat_bit(seat) & more).fold(silent, |silent, seat| {
        if can_certify(quorum, silent | seat) {
            silent | seat
        } else {
            silent
        }
    })
}

/// Whether a committee can still certify when the seats in `barred` sign nothing.
pub fn can_certify(quorum: &Quorum, barred: u32) -> bool {
    u32::from(quorum.n()).saturating_sub(barred.count_ones()) >= u32::from(quorum.size())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Native;
    use crate::quorum::FaultModel;

    fn member(seed: u8) -> Member {
        Member {
            operator: Account([seed; 32]),
            consensus_key: [seed + 100; 32],
            attestation_key: [seed + 200; 32],
        }
    }

    fn members() -> Vec<Member> {
        (0..4).map(member).collect()
    }

    fn quorum() -> Quorum {
        Quorum::of(FaultModel::Byzantine, 4).unwrap()
    }

    const DOMAIN: Domain = Domain { genesis: Digest([7; 32]), validators: Account([8; 32]) };

    #[test]
    fn the_config_digest_binds_everything() {
        let base = DOMAIN.config_digest::<Native>(1, &quorum(), &members());
        let mut swapped = members();
        swapped.swap(0, 1);
        let others = [
            Domain { genesis: Digest([9; 32]), ..DOMAIN }.config_digest::<Native>(
                1,
                &quorum(),
                &members(),
            ),
            Domain { validators: Account([9; 32]), ..DOMAIN }.config_digest::<Native>(
                1,
                &quorum(),
                &members(),
            ),
            DOMAIN.config_digest::<Native>(2, &quorum(), &members()),
            DOMAIN.config_digest::<Native>(
                1,
                &Quorum::of(FaultModel::Crash, 4).unwrap(),
                &members(),
            ),
            DOMAIN.config_digest::<Native>(1, &quorum(), &swapped),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_ne!(
            DOMAIN.possession_statement::<Native>(&member(1)),
            DOMAIN.possession_statement::<Native>(&member(2))
        );
    }

    #[test]
    fn members_must_fill_the_seats_and_differ() {
        assert_eq!(check_members(&quorum(), &members()), Ok(()));
        assert_eq!(check_members(&quorum(), &members()[..3]), Err(CommitteeError::WrongSize));
        let changes: [fn(&mut Member, &Member); 3] = [
            |m, other| m.operator = other.operator,
            |m, other| m.consensus_key = other.consensus_key,
            |m, other| m.attestation_key = other.attestation_key,
        ];
        for change in changes {
            let mut list = members();
            let first = list[0];
            change(&mut list[3], &first);
            assert_eq!(check_members(&quorum(), &list), Err(CommitteeError::RepeatedMember));
        }
    }

    #[test]
    fn a_committee_works_while_a_quorum_has_a_voice() {
        let quorum = Quorum::of(FaultModel::Byzantine, 23).unwrap();
        let first = |count: u8| (0..count).fold(0, |set, seat| set | seat_bit(seat));
        assert_eq!((first(0), first(3), seat_bit(31), seat_bit(32)), (0, 7, 1 << 31, 0));
        assert!(can_certify(&quorum, first(7)));
        assert!(!can_certify(&quorum, first(8)));
        assert_eq!(silence(&quorum, 0, first(8)), first(7), "the lowest seven");
        assert_eq!(silence(&quorum, first(6), 1 << 9 | 1 << 22), first(6) | 1 << 9);
        assert_eq!(silence(&quorum, first(7), 1 << 22), first(7));
        assert_eq!(silence(&quorum, first(3), 1), first(3));
    }
}
