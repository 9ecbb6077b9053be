//! Ballots, votes, configuration and the records that a node keeps on disk.

use crate::byzantine::QuorumCertificate;
use crate::epoch::Closed;
use crate::mutant::Mutant;
use cicada_core::certificate::Certificate;
use cicada_core::hash::{Digest, Hasher, Native};
use cicada_core::quorum::Quorum;
use cicada_core::report::Feed;
use parity_scale_codec::{Decode, Encode};
use std::fmt;

/// A place in the log; the first is 1.
pub type Position = u64;

/// A view of the Byzantine form: the ballot of one leader. The first is [`FIRST_VIEW`].
pub type View = u64;

/// The view in which a committee starts. It needs no justification: nothing came before.
pub const FIRST_VIEW: View = 1;

/// The number of a node in its committee.
pub type Seat = u8;

/// An opaque value. The empty value is the no-op that fills holes of the log.
pub type Value = Vec<u8>;

/// How far above every round that a node knows a ballot may lie. Nobody can push the rounds
/// to the end of their range: it would take 2⁴⁴ accepted ballots.
pub const MAX_ROUND_JUMP: u64 = 1 << 20;

/// The identity of a value: its SHA-256.
pub fn digest(value: &[u8]) -> Digest {
    Native::sha256(value)
}

/// A ballot: unique, because it ends in the seat of its leader and a leader never uses a
/// round twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Ballot {
    /// The round, which orders ballots; 0 only in [`Ballot::ZERO`].
    pub round: u64,
    /// The leader's seat, which breaks ties.
    pub seat: Seat,
}

impl Ballot {
    /// Below every ballot in use: nothing promised yet.
    pub const ZERO: Self = Self { round: 0, seat: 0 };
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.seat)
    }
}

/// What an acceptor voted for at one position, in the highest ballot in which it voted there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Vote {
    /// Where.
    pub position: Position,
    /// In which ballot.
    pub ballot: Ballot,
    /// The ballot in which a leader that was free to choose first proposed the value there:
    /// nothing was or can be chosen below it. Equal to `ballot` unless the value was adopted.
    pub since: Ballot,
    /// The value.
    pub value: Value,
}

/// A decided value, and its certificate if there is one already.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Where in the log.
    pub position: Position,
    /// What was decided; empty is a no-op.
    pub value: Value,
    /// The attestations under the report that it carries.
    pub certificate: Option<Certificate>,
    /// In the Byzantine form: the commits of a quorum, which prove the decision.
    pub proof: Option<QuorumCertificate>,
}

/// What a node must find again after a restart.
///
/// There is none for the rounds that a node used as a leader: it promises its own ballot to
/// itself before it sends it, so [`Record::Promised`] covers it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// The highest ballot promised.
    Promised(Ballot),
    /// The vote at its position.
    Voted(Vote),
    /// A decided value. Votes at its position are no longer needed once all before it are
    /// decided as well.
    Decided {
        /// Where.
        position: Position,
        /// What.
        value: Value,
    },
    /// The certificate under a decided report.
    Certified {
        /// Where in the log the report stands.
        position: Position,
        /// The certificate.
        certificate: Certificate,
    },
    /// What was attested for one slot of a feed: never anything else from now on.
    Attested {
        /// The feed.
        feed: Feed,
        /// Its slot.
        slot: u64,
        /// The message signed.
        message: Digest,
    },
    /// Byzantine: no vote in a lower view any more.
    Entered(View),
    /// Byzantine: a value that was voted for, to show it again.
    Held {
        /// Where.
        position: Position,
        /// The value.
        value: Value,
    },
    /// Byzantine: prepared (2av), the latest at its position.
    Prepared {
        /// Where.
        position: Position,
        /// In which view.
        view: View,
        /// The digest of the value.
        digest: Digest,
    },
    /// Byzantine: committed (2b) on this certificate, the latest at its position.
    Locked(QuorumCertificate),
    /// Byzantine: the proof of a decision.
    Proven(QuorumCertificate),
}

/// Times in milliseconds. They bear on speed only, never on safety.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// After which a request without an answer is sent again; doubles up to 16 times that.
    pub resend_ms: u64,
    /// How long a new leader with a quorum waits for further promises that would tell
    /// whether a value was chosen, and for the decided values that it lacks.
    pub grace_ms: u64,
    /// The shortest back-off after a higher ballot; doubles up to 32 times that.
    pub backoff_ms: u64,
    /// After which undecided votes make a node take over; plus a quarter per seat.
    pub takeover_ms: u64,
    /// After which the attestations that are missing are asked for again.
    pub certify_ms: u64,
    /// How often a node asks another for what it lacks.
    pub sync_ms: u64,
    /// Byzantine: after which undecided work makes a node ask for the next view; doubles when
    /// as many views in a row as include a correct leader decide nothing, up to 32 times that.
    pub view_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            resend_ms: 300,
            grace_ms: 500,
            backoff_ms: 150,
            takeover_ms: 2_000,
            certify_ms: 1_000,
            sync_ms: 3_000,
            view_ms: 2_000,
        }
    }
}

/// The constants of a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node's seat.
    pub seat: Seat,
    /// The quorum that decides.
    pub quorum: Quorum,
    /// The quorum that certifies.
    pub attestation: Quorum,
    /// The epoch of the committee, as certificates name it.
    pub epoch: u32,
    /// The digest of the committee's configuration, which every statement binds.
    pub config_digest: Digest,
    /// The epochs before, oldest first. Their positions are closed: nobody votes there.
    pub closed: Vec<Closed>,
    /// How many positions may be undecided at once. With 1 every value is checked against the
    /// state that its predecessors left.
    pub window: u64,
    /// The longest value, in bytes.
    pub max_value_len: usize,
    /// How many proposals may wait.
    pub max_proposals: usize,
    /// Times.
    pub timing: Timing,
    /// A seeded bug.
    #[cfg(feature = "mutants")]
    pub mutant: Option<Mutant>,
}

impl Config {
    /// The defaults for one seat: a window of 1, values up to 64 KiB, 64 waiting proposals.
    pub fn new(
        seat: Seat,
        quorum: Quorum,
        attestation: Quorum,
        epoch: u32,
        config_digest: Digest,
    ) -> Self {
        Self {
            seat,
            quorum,
            attestation,
            epoch,
            config_digest,
            closed: Vec::new(),
            window: 1,
            max_value_len: 64 * 1024,
            max_proposals: 64,
            timing: Timing::default(),
            #[cfg(feature = "mutants")]
            mutant: None,
        }
    }

    /// Whether the quorum is meant to withstand liars.
    pub fn byzantine(&self) -> bool {
        self.quorum.max_liars() > 0
    }

    /// How many nodes decide.
    pub fn quorum_size(&self) -> u8 {
        match self.mutated(Mutant::MajorityQuorum) {
            true => self.quorum.n() / 2 + 1,
            false => self.quorum.size(),
        }
    }

    /// The leader of a view. The seats take turns, each epoch from another one on.
    pub fn leader(&self, view: View) -> Seat {
        let offset = u64::from(self.config_digest.0[0]);
        let turn = view.wrapping_add(offset).checked_rem(u64::from(self.quorum.n()));
        turn.and_then(|seat| Seat::try_from(seat).ok()).unwrap_or(0)
    }

    /// Whether this bug is seeded.
    #[cfg(feature = "mutants")]
    pub fn mutated(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Whether this bug is seeded: never.
    #[cfg(not(feature = "mutants"))]
    #[inline]
    pub fn mutated(&self, _: Mutant) -> bool {
        false
    }

    /// All other seats.
    pub(crate) fn others(&self) -> impl Iterator<Item = Seat> + '_ {
        (0..self.quorum.n()).filter(|seat| *seat != self.seat)
    }
}

/// Why a node cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The seat is not in the committee, or the two quorums are of different committees.
    NoSuchSeat,
    /// The earlier epochs do not follow each other, or this is crash mode, which has but one.
    WrongEpochs,
    /// The records contradict each other.
    Damaged(&'static str),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSeat => f.write_str("this seat is not in the committee"),
            Self::WrongEpochs => f.write_str(
                "the earlier epochs must follow each other, end before this one, and all be Byzantine",
            ),
            Self::Damaged(what) => write!(f, "the records on disk are damaged: {what}"),
        }
    }
}

impl std::error::Error for StartError {}
