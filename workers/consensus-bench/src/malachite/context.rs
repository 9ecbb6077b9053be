//! The types with which the peer runs: seats as addresses, SHA-256 as identities, 64 bytes as
//! signatures. What is signed are 32 bytes, as with us.

use arc_malachitebft_core_types as types;
use cicada_consensus::{digest, Seat};
use cicada_core::certificate::Signature;
use cicada_core::hash::{Digest, Hasher, Native};
use std::fmt;
use std::sync::Arc;
use types::{NilOrVal, Round, SignedExtension, VoteType};

/// The seat of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub Seat);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl types::Address for Address {}

/// A height, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl types::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// The identity of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub Digest);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A value with its identity, which is computed once at each node; the peer may share the
/// bytes within a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    id: Id,
    bytes: Arc<[u8]>,
}

impl Value {
    /// A value as it comes from the application or the network: copied and hashed.
    pub fn received(bytes: &[u8]) -> Self {
        Self { id: Id(digest(bytes)), bytes: Arc::from(bytes) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl types::Value for Value {
    type Id = Id;

    fn id(&self) -> Id {
        self.id
    }
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seal(pub Signature);

/// Seats as public keys: the keyring has the real ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme;

impl types::SigningScheme for Scheme {
    type DecodingError = &'static str;
    type Signature = Seal;
    type PublicKey = Seat;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Seal, &'static str> {
        bytes.try_into().map(Seal).map_err(|_| "a signature has 64 bytes")
    }

    fn encode_signature(signature: &Seal) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<Seat, &'static str> {
        bytes.first().copied().ok_or("no seat")
    }

    fn encode_public_key(key: &Seat) -> Vec<u8> {
        vec![*key]
    }
}

/// One of the validators; all weigh the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    address: Address,
    key: Seat,
}

impl types::Validator<Peer> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &Seat {
        &self.key
    }

    fn voting_power(&self) -> types::VotingPower {
        1
    }
}

/// The validators; cheap to clone, as the peer does so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators(Arc<[Validator]>);

impl Validators {
    /// The seats below `n`.
    pub fn of(n: u8) -> Self {
        Self((0..n).map(|seat| Validator { address: Address(seat), key: seat }).collect())
    }
}

impl types::ValidatorSet<Peer> for Validators {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> types::VotingPower {
        self.0.len() as u64
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.get(usize::from(address.0))
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub height: Height,
    pub round: Round,
    pub value: Value,
    pub pol_round: Round,
    pub address: Address,
}

impl Proposal {
    /// What is signed.
    pub fn message(&self) -> Digest {
        let (height, round) = (self.height.0.to_le_bytes(), self.round.as_i64().to_le_bytes());
        let pol = self.pol_round.as_i64().to_le_bytes();
        Native::sha256(&[b"proposal", &height[..], &round, &pol, &self.value.id.0].concat())
    }
}

impl types::Proposal<Peer> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Value {
        &self.value
    }

    fn take_value(self) -> Value {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }
}

/// A vote, without an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub height: Height,
    pub round: Round,
    pub value: NilOrVal<Id>,
    pub kind: VoteType,
    pub address: Address,
}

impl Vote {
    /// What is signed.
    pub fn message(&self) -> Digest {
        let (height, round) = (self.height.0.to_le_bytes(), self.round.as_i64().to_le_bytes());
        let tag: &[u8] = match self.kind {
            VoteType::Prevote => b"prevote",
            VoteType::Precommit => b"precommit",
        };
        let id: &[u8] = match &self.value {
            NilOrVal::Nil => &[],
            NilOrVal::Val(id) => &id.0,
        };
        Native::sha256(&[tag, &height, &round, id].concat())
    }
}

impl types::Vote<Peer> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Id> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Id> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }

    fn extension(&self) -> Option<&SignedExtension<Peer>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Peer>> {
        None
    }

    fn extend(self, _: SignedExtension<Peer>) -> Self {
        self
    }
}

/// Proposals go whole, never in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPart;

impl types::ProposalPart<Peer> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// The peer's context: validator 0 always proposes, as our leader does.
#[derive(Clone, Debug)]
pub struct Peer;

impl types::Context for Peer {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = types::LinearTimeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a Validators, _: Height, _: Round) -> &'a Validator {
        &set.0[0]
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Value,
        pol_round: Round,
        address: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, address }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Id>,
        address: Address,
    ) -> Vote {
        Vote { height, round, value, kind: VoteType::Prevote, address }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Id>,
        address: Address,
    ) -> Vote {
        Vote { height, round, value, kind: VoteType::Precommit, address }
    }
}
